"""Reads what `deploy/` holds, for tests that compare it with what there is.

    read.py yaml FILE...                  every document of the files, as JSON
    read.py names                         of each expression of PromQL in the JSON list on standard input: the metrics that it
                                          names, each with the labels that it has to have
    read.py kubernetes VERSION FILE...    fails where a document is not what Kubernetes of that version takes
"""

import json
import sys

import kubernetes_validate
import promql_parser
import yaml


def main():
    match sys.argv[1:]:
        case ["yaml", *files]:
            json.dump(documents(files), sys.stdout)
        case ["names"]:
            json.dump([named_in(expression) for expression in json.load(sys.stdin)], sys.stdout)
        case ["kubernetes", version, *files]:
            for document in documents(files):
                kubernetes_validate.validate(document, version, strict=True)
        case _:
            sys.exit(__doc__)


def documents(files):
    found = []
    for file in files:
        with open(file, encoding="utf-8") as text:
            found += [document for document in yaml.safe_load_all(text) if document is not None]
    return found


def named_in(expression):
    named = {}
    take(promql_parser.parse(expression), set(), named)
    return {metric: sorted(labels) for metric, labels in named.items()}


def take(node, wanted, named):
    """Adds what an expression names; `wanted` are labels by which it is grouped or matched further out."""
    match type(node).__name__:
        case "VectorSelector":
            labels = {matcher.name for matcher in node.matchers.matchers} - {"__name__"}
            named.setdefault(node.name, set()).update(labels | wanted)
        case "MatrixSelector":
            take(node.vector_selector, wanted, named)
        case "Call":
            for argument in node.args:
                take(argument, wanted, named)
        case "AggregateExpr":
            take(node.expr, wanted | by(node.modifier), named)
        case "BinaryExpr":
            matched = node.modifier.matching if node.modifier else None
            for side in [node.lhs, node.rhs]:
                take(side, wanted | by(matched), named)
        case "ParenExpr" | "UnaryExpr" | "SubqueryExpr":
            take(node.expr, wanted, named)
        case "NumberLiteral" | "StringLiteral":
            pass
        case kind:
            sys.exit(f"nobody knows what {kind} names")


def by(modifier):
    """The labels of `by (..)` and `on (..)`; `without` and `ignoring` want none."""
    is_by = modifier is not None and str(modifier.type).rsplit(".")[-1] in ("By", "Include")
    return set(modifier.labels) if is_by else set()


if __name__ == "__main__":
    main()
