"""Questions as Flowtrail's own API takes them, and what its answers tell."""

import time
import urllib.parse

import questions

# The most that a page of the API has.
LARGEST = 1000


def path(question, family, cursor=None):
    """Where to ask; a page that is not the first begins at its cursor."""
    asked = {}
    if question.conditions:
        asked["q"] = " ".join(map(term, question.conditions))
    if question.period:
        # The API counts the end in.
        asked |= {"from": rfc3339(question.period.start), "to": rfc3339(question.period.end - 1)}
    match question:
        case questions.List():
            route, more = "", {"limit": questions.PAGE} | ({"cursor": cursor} if cursor else {})
        case questions.Facets(fields=fields, summed=summed):
            route, more = "/facets", {"field": ",".join(fields), "top": questions.TOP, "by": summed or "count"}
        case questions.Histogram(field=field):
            route, more = "/histogram", {"buckets": questions.BUCKETS, "split": field, "top": questions.SPLIT_BY}
        case questions.Top(fields=fields, summed=summed):
            route, more = "/top", {"by": ",".join(fields), "top": questions.TOP, "sum": summed or "count"}
    return f"/flowtrail/v1/{family}{route}?{urllib.parse.urlencode(asked | more)}"


def term(condition):
    """A condition in the language."""
    text = '"' + str(condition.value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if condition.kind == "above":
        return f"{condition.field}:>{condition.value}"
    return text if condition.kind == "found" else f"{condition.field}:{text}"


def cursor(question, family, answer):
    """Where a later page begins: the lists are walked to it, in pages as large as may be."""
    left, after = (question.page - 1) * questions.PAGE, None
    while left:
        step = min(left, LARGEST)
        asked = path(question, family, after).replace(f"limit={questions.PAGE}", f"limit={step}")
        after, left = answer(asked)["next"], left - step
    return after


def told(question, answer):
    """The total, and what is held against the answers of the others."""
    match question:
        case questions.List():
            return answer["total"], [item.get("flow_id") or item["id"] for item in answer["items"]]
        case questions.Facets():
            return answer["total"], questions.whole([values(facet["values"]) for facet in answer["facets"]])
        case questions.Histogram():
            return answer["total"], questions.whole(buckets(question, answer))
        case questions.Top():
            return answer["total"], questions.whole([[*pair["values"], *amount(pair)] for pair in answer["pairs"]])


def values(listed):
    return [[value["value"], *amount(value)] for value in listed]


def amount(told):
    """The sum, where there is one, and the count."""
    return [told[name] for name in ("sum", "count") if name in told]


def buckets(question, answer):
    """Bucket, value and count, as the others have them: only where there is something."""
    if answer["width_ms"] * 1000 != question.width:
        raise RuntimeError(f"buckets are of {answer['width_ms']} ms, not of {question.width} us")
    split = answer["split"]
    series = [(value["value"], value["counts"]) for value in split["values"]] + [("", split["others"]["counts"])]
    found = [
        [place, value, count] for value, counts in series for place, count in enumerate(counts) if count
    ]
    return sorted(found)


def rfc3339(micros):
    seconds, fraction = divmod(micros, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{fraction:06d}Z"
