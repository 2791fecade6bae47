"""What schemathesis takes for a failure and is none. check_openapi.py gives it to schemathesis.

A PUT of an integration ignores its `platform`, whatever it is, and a `config` that is null. NetBird's description has
schemas for both. Its text says that the platform is ignored, and NetBird's Go client sends `""` and null for what its user
did not set. Only where nothing else of the request is wrong is such a PUT let through.
"""

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure is one."""
    changes_an_integration = case.method.upper() == "PUT" and case.operation.path.endswith("/event-streaming/{id}")
    if not (isinstance(failure, AcceptedNegativeData) and changes_an_integration):
        return True
    return is_wrong_elsewhere(case) or is_wrong_without_what_is_ignored(case.body)


def is_wrong_elsewhere(case):
    components = case.meta.components.items()
    return any(part.mode.is_negative for location, part in components if location != ParameterLocation.BODY)


def is_wrong_without_what_is_ignored(body):
    if not isinstance(body, dict):
        return True
    config = body.get("config")
    texts = config is None or isinstance(config, dict) and all(isinstance(value, str) for value in config.values())
    return not (texts and isinstance(body.get("enabled", True), bool))
