"""The figures as an SVG: a bar a store for each query, on a logarithmic scale, legible on light and on dark paper."""

import io
import math

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot

from verdict import OWN, percentile

# A colour that stands for the reader's own: it becomes that of the text around the picture, or of the paper's opposite.
INK = "#010203"
STYLE = "<style>svg { color: #24292f } @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }</style>"
COLOURS = {
    "before": "#868e96",
    "flowtrail": "#e8590c",
    "clickhouse": "#b8901f",
    "duckdb": "#3f8f5f",
    "sqlite": "#4b7fc4",
    "postgres": "#8a6bb8",
}


def drawn(records, machine, times):
    """The picture; bars end at p50, thin lines at p99."""
    settings = {
        "svg.fonttype": "none",
        # Makes the picture the same for the same figures.
        "svg.hashsalt": "flowtrail",
        "font.family": "sans-serif",
        **{name: INK for name in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")},
    }
    with matplotlib.rc_context(settings):
        names = list(next(iter(times.values())))
        height = 0.8 / len(names)
        figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.17 * len(times) * (len(names) + 1)))
        for index, name in enumerate(names):
            places = [place + (index - (len(names) - 1) / 2) * height for place in range(len(times))]
            p50 = [percentile(by_store[name], 0.5) for by_store in times.values()]
            p99 = [percentile(by_store[name], 0.99) for by_store in times.values()]
            label = f"{name} (over HTTP)" if name == OWN else name
            axes.barh(places, p50, height * 0.9, color=COLOURS[name], label=label)
            axes.hlines(places, p50, p99, color=COLOURS[name], linewidth=1)
            for place, value, end in zip(places, p50, p99, strict=True):
                axes.annotate(short(value), (end, place), (3, 0), textcoords="offset points", fontsize=7, va="center")
        axes.set_xscale("log")
        least = min(percentile(values, 0.5) for by_store in times.values() for values in by_store.values())
        axes.set_xlim(left=10 ** math.floor(math.log10(least)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.margins(y=0.01)
        axes.set_yticks(range(len(times)), list(times))
        axes.invert_yaxis()
        axes.grid(axis="x", color=INK, alpha=0.15)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("milliseconds, logarithmic: bars and numbers p50, lines p99")
        axes.set_title(f"{records:,} records", fontsize=11, loc="left")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=len(names), frameon=False, fontsize=8)
        figure.text(0.01, 0.005, machine, fontsize=7)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
        pyplot.close(figure)
    svg = out.getvalue().replace(INK, "currentColor")
    start = svg.index(">", svg.index("<svg")) + 1
    return svg[:start] + "\n " + STYLE + svg[start:]


def short(milliseconds):
    return f"{milliseconds:.2g}" if milliseconds < 10 else f"{milliseconds:.0f}"
