"""The figures as Markdown."""

from verdict import percentile


def written(records, machine, loads, times, round_trip):
    """Title, machine, the times by query and store, the loads."""
    names = list(loads)
    lines = [
        f"{records:,} records; p50 / p99 in milliseconds, Flowtrail over HTTP, the others inside the process that asks.",
        f"{machine}. A round trip of `/healthz` takes {percentile(round_trip, 0.5):.2f} / {percentile(round_trip, 0.99):.2f} ms."
        if round_trip
        else f"{machine}.",
        "",
        row(["query", *names]),
        row(["---", *["---:"] * len(names)]),
    ]
    for query, by_store in times.items():
        cells = [f"{percentile(by_store[name], 0.5):.2f} / {percentile(by_store[name], 0.99):.2f}" for name in names]
        lines.append(row([query, *cells]))
    lines += ["", row(["load", *names]), row(["---", *["---:"] * len(names)])]
    lines.append(row(["records/s", *[f"{load['rows'] / load['seconds']:,.0f}" for load in loads.values()]]))
    lines.append(row(["bytes on disk a record", *[f"{load['disk'] / load['rows']:,.0f}" for load in loads.values()]]))
    lines.append(row(["memory at most, MiB", *[memory(load) for load in loads.values()]]))
    return "\n".join(lines) + "\n"


def memory(load):
    return f"{load['memory'] / (1 << 20):,.0f}" if load.get("memory") else "-"


def row(cells):
    return "| " + " | ".join(cells) + " |"
