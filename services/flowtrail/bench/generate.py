#!/usr/bin/env python3
"""Writes N records of a workload as NDJSON: the same bytes for the same N, on every machine.

    generate.py 100000 -o records.ndjson

A flow is in the shape of NetBird's list items, so `flowtrail import traffic` takes the file; events are for
`flowtrail import audit`.
"""

import argparse
import itertools
import sys

import workloads

AT_ONCE = 5000


def write(workload, records, out):
    """Writes the file to an open text file."""
    lines = workloads.BY_NAME[workload].records(records)
    while block := "".join(itertools.islice(lines, AT_ONCE)):
        out.write(block)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", type=int, metavar="N")
    parser.add_argument("--workload", choices=workloads.BY_NAME, default="usual", help="default: usual")
    parser.add_argument("-o", "--out", metavar="FILE", help="default: standard output")
    options = parser.parse_args()
    if options.out is None:
        return write(options.workload, options.records, sys.stdout)
    with open(options.out, "w", encoding="ascii", buffering=1 << 20) as out:
        write(options.workload, options.records, out)


if __name__ == "__main__":
    main()
