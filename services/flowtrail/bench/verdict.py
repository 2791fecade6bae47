"""What the figures are held against."""

import dataclasses

# These answer from what is known beforehand, however many records there are.
AT_A_FIFTH = ("Q1", "Q5", "Q7")
OWN = "flowtrail"
BEFORE = "before"
# More than this of what the build before took is slower.
SLOWER = 1.05


@dataclasses.dataclass
class Http:
    """What HTTP alone takes, in milliseconds: a request that asks for nothing, and by query the same answers from a
    socket that has them ready."""

    round_trip: list
    ready: dict


@dataclasses.dataclass
class Bar:
    """One demand on one query."""

    query: str
    demand: str
    found: float
    limit: float
    least: float = 0.0

    @property
    def is_met(self):
        return self.found <= self.limit

    def __str__(self):
        verdict = "met" if self.is_met else "not met"
        least = f"; HTTP alone takes {self.least:.2f}" if self.least > self.limit else ""
        return f"{verdict:<8} {self.query:<18} {self.demand}: {self.found:.2f} <= {self.limit:.2f} ms{least}"


def percentile(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def bars(times, http):
    """Every demand, for times by query and store."""
    round_trip = percentile(http.round_trip, 0.5) if http.round_trip else 0
    found = []
    for query, by_store in times.items():
        if OWN not in by_store:
            continue
        p50, p99 = percentile(by_store[OWN], 0.5), percentile(by_store[OWN], 0.99)
        if BEFORE in by_store:
            found.append(Bar(query, "p50 as before and 5 %", p50, percentile(by_store[BEFORE], 0.5) * SLOWER))
        peers = {name: percentile(values, 0.5) for name, values in by_store.items() if name not in (OWN, BEFORE)}
        if not peers:
            continue
        fastest = min(peers, key=peers.get)
        least = percentile(http.ready[query], 0.5) if http.ready.get(query) else 0
        limit = peers[fastest] + round_trip
        found.append(Bar(query, f"p50 at or under {fastest} and a round trip", p50, limit, least))
        if query.startswith(AT_A_FIFTH):
            found.append(Bar(query, f"p50 at a fifth of {fastest}", p50, peers[fastest] / 5, least))
        found.append(Bar(query, "p99 at 10 times p50", p99, 10 * p50))
    return found


def disagreements(answers):
    """The queries that not all stores answer the same, for answers by query and store."""
    found = []
    for query, by_store in answers.items():
        (first, expected), *others = by_store.items()
        for name, answer in others:
            for variant, (one, other) in enumerate(zip(expected, answer, strict=True)):
                if one != other:
                    texts = f"{first} answers {shortened(one)}, {name} answers {shortened(other)}"
                    found.append(f"{query}, variant {variant + 1}: {texts}")
    return found


def shortened(answer, most=300):
    text = str(answer)
    return text if len(text) <= most else f"{text[:most]}..."
