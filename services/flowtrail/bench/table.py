"""The figures as Markdown."""

from verdict import percentile


def written(records, machine, loads, times, http):
    """Title, machine, the times by query and store, the loads."""
    names = list(loads)
    lines = [
        f"{records:,} records; p50 / p99 in milliseconds, Flowtrail over HTTP, the others inside the process that asks."
    ]
    if http.round_trip:
        lines.append(f"{machine}. A round trip of `/healthz` takes {both(http.round_trip)} ms. HTTP alone: Flowtrail's")
        lines.append("answers from a socket that has them ready, asked for and read by the same client.")
    else:
        lines.append(f"{machine}.")
    columns = names + ["HTTP alone"] if http.round_trip else names
    lines += ["", row(["query", *columns]), row(["---", *["---:"] * len(columns)])]
    for query, by_store in times.items():
        measured = [by_store[name] for name in names] + ([http.ready[query]] if http.round_trip else [])
        lines.append(row([query, *map(both, measured)]))
    lines += ["", row(["load", *names]), row(["---", *["---:"] * len(names)])]
    lines.append(row(["records/s", *[f"{load['rows'] / load['seconds']:,.0f}" for load in loads.values()]]))
    lines.append(row(["bytes on disk a record", *[f"{load['disk'] / load['rows']:,.0f}" for load in loads.values()]]))
    lines.append(row(["memory at most, MiB", *[memory(load) for load in loads.values()]]))
    return "\n".join(lines) + "\n"


def both(times):
    return f"{percentile(times, 0.5):.2f} / {percentile(times, 0.99):.2f}"


def memory(load):
    return f"{load['memory'] / (1 << 20):,.0f}" if load.get("memory") else "-"


def row(cells):
    return "| " + " | ".join(cells) + " |"
