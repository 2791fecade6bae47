"""Counts of the flow records of `workload`: by values, by time, by pairs of values, each of all records and under three
filters, and lists by what only numbers can say."""

import questions
import workload

FAMILY = workload.FAMILY
records = workload.records
_DAY = 86_400_000_000


def queries():
    """name -> list of questions."""
    fields = ("reporter", "user", "policy", "protocol", "direction", "dport")
    month = questions.Period(workload.us_of(0), workload.us_of(workload.DAYS))
    week = questions.Period(workload.us_of(7), workload.us_of(7) + 7 * _DAY)
    # An hour a bucket.
    days = questions.Period(workload.us_of(7), workload.us_of(7) + 5 * _DAY)
    filters = [questions.equal("protocol", 17), questions.equal("direction", "EGRESS")]
    pair = ("source", "destination")
    return {
        "F1 facets of 6": [questions.Facets(fields)],
        "F2 facets, 3 filters": [questions.Facets(fields, filters, week)],
        "H1 histogram 120x5": [questions.Histogram("reporter", month)],
        "H2 histogram, 3 filters": [questions.Histogram("user", days, filters)],
        "T1 top 10 pairs": [questions.Top(pair)],
        "T2 top 10 pairs, 3 filters": [questions.Top(pair, filters, week)],
        "B1 facets of 6 by bytes": [questions.Facets(fields, summed="bytes")],
        "B2 top 10 pairs by bytes": [questions.Top(pair, summed="bytes")],
        "B3 pairs by bytes, 3 filters": [questions.Top(pair, filters, week, summed="bytes")],
        "N1 network": [questions.List([questions.network("dst", "10.0.0.0/8")])],
        "N2 port": [questions.List([questions.equal("dport", 22)])],
        "N3 bytes": [questions.List([questions.above("bytes", 1_000_000)])],
    }
