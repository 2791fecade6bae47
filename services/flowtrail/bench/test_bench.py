"""What can be said about the comparison without the stores that are compared. Needs nothing but Python."""

import hashlib
import io
import json
import unittest

import audit
import generate
import questions
import verdict
import wide
import workload
from stores import native, sql


class Workload(unittest.TestCase):
    def test_the_records_are_the_same_bytes_forever(self):
        out = io.StringIO()
        generate.write("usual", 1000, out)
        found = hashlib.sha256(out.getvalue().encode("ascii")).hexdigest()
        self.assertEqual(found, "d0cb72803838c27d9e205e84f56a6e16a8a84e7b1076760025411e7a6af81c4e")

    def test_of_the_wide_records_hardly_two_have_the_same_address(self):
        records = [json.loads(line) for line in wide.records(1000)]
        self.assertEqual(len({record["flow_id"] for record in records}), 1000)
        addresses = {record["source"]["address"].partition(":")[0] for record in records}
        self.assertGreater(len(addresses), 990)

    def test_the_events_are_the_same_bytes_forever(self):
        out = io.StringIO()
        generate.write("audit", 1000, out)
        found = hashlib.sha256(out.getvalue().encode("ascii")).hexdigest()
        self.assertEqual(found, "4d0aa4fea0b5b179360ff67719dd98e012c4afcfac16355b21270c532580fb48")

    def test_the_queries_are_the_same_forever(self):
        found = hashlib.sha256(repr(workload.queries()).encode()).hexdigest()
        self.assertEqual(found, "b3ea4b1366ac29534d7747e403574ee3c87146d7b033dbe58edd10011df43a55")


class Questions(unittest.TestCase):
    def test_a_question_is_the_same_to_the_api_and_to_sql(self):
        period = questions.Period(0, 120_000_000)
        question = questions.Histogram("status", period, [questions.equal("actor_id", 'a "b"'), questions.found("x")])
        expected = (
            "/flowtrail/v1/audit/histogram?q=actor_id%3A%22a+%5C%22b%5C%22%22+%22x%22&from=1970-01-01T00%3A00%3A00.000000Z"
            "&to=1970-01-01T00%3A01%3A59.999999Z&buckets=120&split=status&top=5"
        )
        self.assertEqual(native.path(question, "audit"), expected)
        asked = sql.Asked(Written(), "audit", question)
        self.assertEqual(asked.where(), " WHERE actor_id = <a \"b\"> AND has x AND 0 to 120000000")

    def test_sums_are_the_same_to_the_api_and_to_sql(self):
        question = questions.Top(("source", "dport"), [questions.above("bytes", 1000)], summed="bytes")
        expected = "/flowtrail/v1/traffic/top?q=bytes%3A%3E1000&by=source%2Cdport&top=10&sum=bytes"
        self.assertEqual(native.path(question, "traffic"), expected)
        asked = sql.Asked(Written(), "traffic", question)
        self.assertEqual(asked.where(), " WHERE rx_bytes + tx_bytes > 1000")
        self.assertEqual((asked.amounts(), asked.greatest()), ("sum(rx_bytes + tx_bytes) AS s, count(*) AS n", "s"))
        answer = {"total": 3, "pairs": [{"values": ["a", "22"], "count": 3, "sum": 9000}]}
        self.assertEqual(native.told(question, answer), (3, ['[["a","22",9000,3]]']))

    def test_buckets_are_told_where_something_is_in_them(self):
        split = {"values": [{"value": "b", "counts": [0, 2]}, {"value": "a", "counts": [1, 0]}], "others": {"counts": [3, 0]}}
        answer = {"total": 6, "width_ms": 1000, "split": split}
        found = native.told(questions.Histogram("status", questions.Period(0, 120_000_000)), answer)
        self.assertEqual(found, (6, ['[[0,"",3],[0,"a",1],[1,"b",2]]']))

    def test_a_later_page_is_walked_to(self):
        asked = []

        def answer(path):
            asked.append(path.partition("?")[2])
            return {"next": f"c{len(asked)}"}

        question = questions.List(page=26)
        self.assertEqual(native.cursor(question, "audit", answer), "c2")
        self.assertEqual(asked, ["limit=1000", "limit=250&cursor=c1"])


class Written(sql.Sql):
    """What the parts of a query are written as."""

    def written(self, value):
        return f"<{value}>"

    def found(self, text):
        return f"has {text}"

    def host(self, address):
        return f"host of {address}"

    def bounds(self, period):
        return f"{period.start} to {period.end}"


class Verdict(unittest.TestCase):
    def test_a_percentile_is_one_of_the_times(self):
        times = list(range(100, 0, -1))
        self.assertEqual((verdict.percentile(times, 0.5), verdict.percentile(times, 0.99)), (51, 100))
        self.assertEqual(verdict.percentile([7], 0.99), 7)

    def test_each_query_is_held_against_the_fastest_peer(self):
        times = {"Q1 newest": {"flowtrail": [2.0], "a": [12.0], "b": [8.0]}, "Q2 user": {"flowtrail": [9.0], "a": [8.0]}}
        found = [(bar.query, bar.limit, bar.is_met) for bar in verdict.bars(times, verdict.Http([0.5], {}))]
        expected = [("Q1 newest", 8.5, True), ("Q1 newest", 1.6, False), ("Q1 newest", 20, True)]
        self.assertEqual(found, [*expected, ("Q2 user", 8.5, False), ("Q2 user", 90, True)])

    def test_another_build_is_no_peer(self):
        times = {"Q2 user": {"before": [1.0], "flowtrail": [1.1], "a": [9.0]}, "Q4 udp": {"before": [2.0], "flowtrail": [2.1]}}
        found = [(bar.query, bar.demand, bar.limit, bar.is_met) for bar in verdict.bars(times, verdict.Http([0.5], {}))]
        as_before = "p50 as before and 5 %"
        expected = [("Q2 user", as_before, 1.05, False), ("Q2 user", "p50 at or under a and a round trip", 9.5, True)]
        self.assertEqual(found, [*expected, ("Q2 user", "p99 at 10 times p50", 11.0, True), ("Q4 udp", as_before, 2.1, True)])

    def test_a_slow_answer_among_quick_ones_is_noticed(self):
        times = {"Q2 user": {"flowtrail": [1.0] * 50 + [11.0], "a": [9.0]}}
        self.assertEqual([bar.is_met for bar in verdict.bars(times, verdict.Http([], {}))], [True, False])

    def test_a_demand_that_http_alone_cannot_meet_says_so(self):
        times = {"Q2 user": {"flowtrail": [1.0], "a": [0.2]}}
        bar, _ = verdict.bars(times, verdict.Http([0.1], {"Q2 user": [0.4]}))
        self.assertFalse(bar.is_met)
        self.assertTrue(str(bar).endswith("; HTTP alone takes 0.40"), bar)
        bar, _ = verdict.bars(times, verdict.Http([0.3], {"Q2 user": [0.4]}))
        self.assertTrue(str(bar).endswith("0.50 ms"), bar)

    def test_answers_that_differ_are_named(self):
        same, other = (3, 2, "x", "y"), (3, 2, "x", "z")
        answers = {"Q1": {"a": [same], "b": [same]}, "Q2": {"a": [same, same], "b": [same, other]}}
        found = verdict.disagreements(answers)
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("Q2, variant 2: a answers"), found)


if __name__ == "__main__":
    unittest.main()
