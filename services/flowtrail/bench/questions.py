"""Questions in no store's own language: what is asked for, of which records, in which period.

Fields have the names that Flowtrail's language has for them. An answer is a total and a list: of the page's ids, newest
first, or of one text that holds all counts, so that the answers of two stores can be held together whole.
"""

import dataclasses
import json

PAGE = 50
BUCKETS = 120
SPLIT_BY = 5
TOP = 10


@dataclasses.dataclass(frozen=True)
class Condition:
    """What records must have: a value of a field, a number above one, a text anywhere, or an address in a network."""

    kind: str
    field: str | None
    value: object


def equal(field, value):
    return Condition("equal", field, value)


def above(field, value):
    return Condition("above", field, value)


def found(text):
    return Condition("found", None, text)


def network(field, value):
    return Condition("network", field, value)


@dataclasses.dataclass(frozen=True)
class Period:
    """From a time on, in microseconds since 1970, to before another."""

    start: int
    end: int


@dataclasses.dataclass
class List:
    """A page, newest first."""

    conditions: list = dataclasses.field(default_factory=list)
    period: Period | None = None
    page: int = 1


@dataclasses.dataclass
class Facets:
    """The most frequent values of each field, with how many records have them; or those that have the most of a number
    together, with how much that is."""

    fields: tuple
    conditions: list = dataclasses.field(default_factory=list)
    period: Period | None = None
    summed: str | None = None


@dataclasses.dataclass
class Histogram:
    """How many records by time, split by the most frequent values of a field."""

    field: str
    period: Period
    conditions: list = dataclasses.field(default_factory=list)

    @property
    def width(self):
        """Of a bucket, in microseconds."""
        return (self.period.end - self.period.start) // BUCKETS


@dataclasses.dataclass
class Top:
    """The most frequent pairs of values of two fields, or those that have the most of a number together."""

    fields: tuple
    conditions: list = dataclasses.field(default_factory=list)
    period: Period | None = None
    summed: str | None = None


def whole(counts):
    """All counts of an answer, as its only element."""
    return [json.dumps(counts, separators=(",", ":"))]
