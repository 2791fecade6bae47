"""Questions as SQL, for the stores that keep each field in a column."""

import questions

# What Flowtrail calls a field, as columns and expressions over them; {src} and {dst} are hosts.
COLUMNS = {
    "traffic": {
        "id": "flow_id", "reporter": "reporter_id", "user": "user_id", "policy": "policy_id", "protocol": "protocol",
        "direction": "direction", "dst": "dst_ip", "dport": "dst_port",
        "source": "CASE WHEN src_id <> '' THEN src_id WHEN src_name <> '' THEN src_name ELSE {src} END",
        "destination": "CASE WHEN dst_id <> '' THEN dst_id WHEN dst_name <> '' THEN dst_name ELSE {dst} END",
    },
    "audit": {
        name: name
        for name in ("id", "event_type", "event_group", "status", "actor_id", "resource_type", "resource_id", "ip_address")
    } | {"meta.name": "meta_name"},
}
# What is summed up, or compared.
SUMMED = {"bytes": "rx_bytes + tx_bytes", "packets": "rx_packets + tx_packets"}
# Which are always there.
NUMBERS = ("protocol", "dport")
TABLES = {"traffic": ("flows", "flow_id"), "audit": ("events", "id")}


class Sql:
    """What the SQL of such stores has in common; they say what differs."""

    def rows(self, sql):
        """What a query answers, as lists."""
        raise NotImplementedError

    def written(self, value):
        """A value as SQL."""
        raise NotImplementedError

    def bucket(self, start, width):
        """In which stretch of so many microseconds from a time on a record is, as a whole number from 0."""
        raise NotImplementedError

    def bounds(self, period):
        """What a record in a period has; its end is not of it."""
        raise NotImplementedError

    def found(self, text):
        """What a record with a text in one of those that can be searched has."""
        raise NotImplementedError

    def host(self, address):
        """The host of an address and port."""
        raise NotImplementedError

    def network(self, column, network):
        """What a record with an address in a network has."""
        raise NotImplementedError

    def asked(self, question):
        """The total and the answer."""
        family = self.options["family"]
        asked = Asked(self, family, question)
        (total,) = self.rows(f"SELECT count(*) FROM {asked.table}{asked.where()}")[0]
        match question:
            case questions.List():
                return int(total), asked.page()
            case questions.Facets(fields=fields):
                return int(total), questions.whole([asked.most(name) for name in fields])
            case questions.Histogram():
                return int(total), questions.whole(asked.histogram())
            case questions.Top():
                return int(total), questions.whole(asked.pairs())


class Asked:
    """One question to one store."""

    def __init__(self, store, family, question):
        self.store, self.question = store, question
        hosts = {"src": store.host("src_addr"), "dst": store.host("dst_addr")}
        self.columns = {name: column.format(**hosts) for name, column in COLUMNS[family].items()}
        self.table, self.identity = TABLES[family]

    def where(self, *more):
        clauses = [*map(self.clause, self.question.conditions), *more]
        if self.question.period:
            clauses.append(self.store.bounds(self.question.period))
        return f" WHERE {' AND '.join(clauses)}" if clauses else ""

    def clause(self, condition):
        if condition.kind == "found":
            return self.store.found(condition.value)
        if condition.kind == "above":
            return f"{SUMMED[condition.field]} > {condition.value}"
        column = self.columns[condition.field]
        if condition.kind == "network":
            return self.store.network(column, condition.value)
        return f"{column} = {self.store.written(condition.value)}"

    def page(self):
        skipped = (self.question.page - 1) * questions.PAGE
        order = f"ORDER BY ts DESC, {self.identity} DESC LIMIT {questions.PAGE} OFFSET {skipped}"
        # Whole records, as Flowtrail answers; the id is where each store has it.
        rows = self.store.rows(f"SELECT {self.identity}, * FROM {self.table}{self.where()} {order}")
        return [str(row[0]) for row in rows]

    def most(self, name, most=questions.TOP):
        column = self.columns[name]
        there = [] if name in NUMBERS else [f"{column} <> ''"]
        counted = f"SELECT {column} AS v, {self.amounts()} FROM {self.table}{self.where(*there)} GROUP BY v"
        rows = self.store.rows(f"{counted} ORDER BY {self.greatest()} DESC, v LIMIT {most}")
        return [[str(value), *map(int, amounts)] for value, *amounts in rows]

    def amounts(self):
        """The sum, where one is asked for, and the count."""
        summed = getattr(self.question, "summed", None)
        return f"sum({SUMMED[summed]}) AS s, count(*) AS n" if summed else "count(*) AS n"

    def greatest(self):
        return "s" if getattr(self.question, "summed", None) else "n"

    def histogram(self):
        column = self.columns[self.question.field]
        values = [value for value, _ in self.most(self.question.field, questions.SPLIT_BY)]
        listed = ", ".join(map(self.store.written, values))
        bucket = self.store.bucket(self.question.period.start, self.question.width)
        rows = self.store.rows(
            f"SELECT {bucket} AS b, CASE WHEN {column} IN ({listed}) THEN {column} ELSE '' END AS v, count(*) AS n"
            f" FROM {self.table}{self.where()} GROUP BY b, v ORDER BY b, v"
        )
        return [[int(bucket), str(value), int(count)] for bucket, value, count in rows]

    def pairs(self):
        one, other = (self.columns[name] for name in self.question.fields)
        there = self.where(f"({one}) <> ''", f"({other}) <> ''")
        rows = self.store.rows(
            f"SELECT {one} AS a, {other} AS b, {self.amounts()} FROM {self.table}{there} GROUP BY a, b"
            f" ORDER BY {self.greatest()} DESC, a, b LIMIT {questions.TOP}"
        )
        return [[str(a), str(b), *map(int, amounts)] for a, b, *amounts in rows]
