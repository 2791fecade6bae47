#!/usr/bin/env python3
"""Compares Flowtrail with other stores: the same records, the same queries, one run.

    just bench compare 1000000
    just bench compare 10000000 --engines flowtrail,clickhouse,duckdb
    just bench compare 2000000 --workload wide
    just bench compare 1000000 --workload counts
    just bench compare 1000000 --workload audit
    just bench compare 1000000 --before ../main/target/release/flowtrail

Every store has a process of its own, and goes query by query over all of them in turn, so that a noisy machine hits
all alike: read the ratios, not the milliseconds. All totals and the ends of all pages must be the same. That a demand
on the times is not met is said, and is no failure.
"""

import argparse
import json
import pathlib
import sys

import chart
import generate
import machine
import stores
import table
import verdict
import workloads
from stores import postgres
from verdict import Http
from worker import ROUND_TRIP, Failed, Worker

# From here on, filling the stores that keep rows takes half an hour and more.
ONLY_COLUMNS_FROM = 5_000_000
COLUMNS = ("flowtrail", "clickhouse", "duckdb")
# What the stores that keep rows are not asked.
ASKED_OF_COLUMNS = ("counts", "audit")


def main():
    options = arguments()
    directory = options.directory.resolve() / options.workload / str(options.records)
    directory.mkdir(parents=True, exist_ok=True)
    names = (["before"] if options.before else []) + engines(options)
    here = machine.described()
    say(f"{here}\n{options.records:,} records for {', '.join(names)}, in {directory}")
    data = generated(directory, options)

    workers = {}
    shared = {
        "directory": str(directory),
        "workload": options.workload,
        "family": workloads.BY_NAME[options.workload].FAMILY,
        "records": options.records,
        "flowtrail": str(options.flowtrail.resolve()),
        "before": str(options.before and options.before.resolve()),
    }
    try:
        loads = {}
        for name in names:
            workers[name] = Worker(name, shared)
            loads[name] = loaded(workers[name], directory, data, options)
        times, answers, http = measured(workers, options)
        for name in names:
            loads[name]["memory"] = most(loads[name].get("memory"), workers[name].ask("memory"))
    except Failed as failed:
        sys.exit(f"compare: {failed}")
    finally:
        for worker in workers.values():
            worker.close()

    report(options, directory, here, loads, times, http)
    wrong = verdict.disagreements(answers)
    if wrong:
        sys.exit("compare: the stores do not answer the same\n" + "\n".join(wrong))
    say("All stores give the same totals and pages.")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", nargs="?", type=int, default=1_000_000, metavar="RECORDS", help="default: 1000000")
    parser.add_argument("--workload", choices=workloads.BY_NAME, default="usual", help="usual: lists of flows (default); wide: with a new address in each; counts: facets, histograms and pairs of flows; audit: lists and counts of audit events")
    parser.add_argument("--engines", metavar="A,B", help=f"of {', '.join(stores.NAMES)}; default: all that are fit for so many")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each store has its turn; default: 3")
    parser.add_argument("--seconds", type=float, default=3, metavar="S", help="how long a turn takes at most; default: 3")
    parser.add_argument("--asks", type=int, default=60, metavar="N", help="how many queries a turn has at most; default: 60")
    parser.add_argument("--reuse", action="store_true", help="ask stores that were loaded before as they are")
    parser.add_argument("--directory", type=pathlib.Path, default="target/bench", help="for data; default: target/bench")
    parser.add_argument("--table", type=pathlib.Path, metavar="FILE", help="where the table goes, as Markdown")
    parser.add_argument("--chart", type=pathlib.Path, metavar="FILE", help="where the chart goes, as SVG")
    parser.add_argument("--flowtrail", type=pathlib.Path, required=True, metavar="FILE", help="the program")
    parser.add_argument("--before", type=pathlib.Path, metavar="FILE", help="another build, which is loaded and asked by turns with it")
    options = parser.parse_args()
    if options.records < 1 or options.rounds < 1:
        parser.error("RECORDS and --rounds must be at least 1")
    return options


def engines(options):
    has_postgres = postgres.programs() is not None
    if options.engines:
        names = options.engines.split(",")
        unknown = [name for name in names if name not in stores.NAMES]
        if unknown or len(set(names)) < len(names):
            sys.exit(f"compare: --engines must name some of {', '.join(stores.NAMES)}, each once")
        if options.workload in ASKED_OF_COLUMNS and not set(names) <= set(COLUMNS):
            sys.exit(f"compare: {options.workload} is asked of {', '.join(COLUMNS)} only")
        if "postgres" in names and not has_postgres:
            sys.exit("compare: PostgreSQL's server programs are not on this machine; name their directory in PGBIN")
        return names
    if options.records >= ONLY_COLUMNS_FROM or options.workload in ASKED_OF_COLUMNS:
        return list(COLUMNS)
    if not has_postgres:
        say("PostgreSQL's server programs are not on this machine: left out.")
    return [name for name in stores.NAMES if name != "postgres" or has_postgres]


def generated(directory, options):
    """The file with the records; made when it is not there yet."""
    path = directory / "records.ndjson"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with open(unfinished, "w", encoding="ascii", buffering=1 << 20) as out:
            generate.write(options.workload, options.records, out)
        unfinished.rename(path)
    return path


def loaded(worker, directory, data, options):
    """How the store was loaded: now, or before where that is to be used again."""
    note = directory / f"{worker.name}.loaded.json"
    if options.reuse and note.exists():
        worker.ask("open")
        return json.loads(note.read_text())
    note.unlink(missing_ok=True)
    load = worker.ask("load", str(data))
    if load["rows"] != options.records:
        raise Failed(f"{worker.name}: holds {load['rows']} records, not {options.records}")
    load["memory"] = worker.ask("memory")
    note.write_text(json.dumps(load))
    say(f"{worker.name}: loaded in {load['seconds']:.1f} s, {load['disk'] / 1e6:,.0f} MB on disk")
    return load


def most(*figures):
    """The largest of those that are known."""
    return max((figure for figure in figures if figure is not None), default=None)


def measured(workers, options):
    """Times and answers by query and store, and what HTTP alone takes."""
    queries = workloads.BY_NAME[options.workload].queries()
    times = {query: {name: [] for name in workers} for query in queries}
    answers = {query: {} for query in times}
    http = Http(round_trip=[], ready={query: [] for query in times})
    own = workers.get(verdict.OWN)
    turn = (options.seconds, options.asks)
    for number in range(options.rounds):
        for query in times:
            for name, worker in workers.items():
                more, answer = worker.ask("measure", query, *turn)
                times[query][name] += more
                answers[query][name] = answer
            if own:
                http.ready[query] += own.ask("ready", query, *turn)[0]
                http.round_trip += own.ask("measure", ROUND_TRIP, *turn)[0]
        say(f"round {number + 1} of {options.rounds} is done")
    return times, answers, http


def report(options, directory, here, loads, times, http):
    written = table.written(options.records, here, loads, times, http)
    say("\n" + written)
    for bar in verdict.bars(times, http):
        say(str(bar))
    put(options.table or directory / "compared.md", written)
    put(options.chart or directory / "compared.svg", chart.drawn(options.records, here, times))


def put(path, text):
    path.write_text(text)
    say(f"written: {path}")


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    main()
