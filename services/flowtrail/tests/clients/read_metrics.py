"""Reads metrics from standard input with the Prometheus project's own parsers, and prints every sample as JSON.

    read_metrics.py openmetrics|older

The parser of OpenMetrics is strict: order, units, names of counters, buckets, the end. That of the older text format must
find the same samples in it.
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as older


def samples(parse, text):
    return [[sample.name, sample.labels, sample.value] for family in parse(text) for sample in family.samples]


text = sys.stdin.read()
read = samples(older, text)
if sys.argv[1] == "openmetrics":
    strictly = samples(openmetrics, text)
    assert sorted(map(str, read)) == sorted(map(str, strictly)), "the two formats differ"
json.dump(read, sys.stdout)
