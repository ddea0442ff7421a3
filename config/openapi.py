"""What the OpenAPI document says of every operation alike: limits."""

from typing import Any

WHOLE = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
HEADERS: dict[str, dict[str, Any]] = {
    "RateLimit-Limit": {"description": "Requests that may come at once", "schema": WHOLE},
    "RateLimit-Remaining": {"description": "How many of them are left", "schema": WHOLE},
    "RateLimit-Reset": {
        "description": "Seconds until all of them are back; on a refusal, the next one",
        "schema": WHOLE,
    },
    "RateLimit-Policy": {"description": "The limit that is nearest to its end, its burst and window", "schema": TEXT},
    "RateLimit": {"description": "What is left of it, and its reset", "schema": TEXT},
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds until the next request is let pass", "schema": WHOLE}}
ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/RequestError"}}}
# Operations whose answer to who asks too often is another than 429; RateView says why.
LIMITED = {"postRate": "403"}
METHODS = {"get", "post", "put", "patch", "delete"}


def document_limits(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to each operation the refusal of who asks too often; to it and to each success the fields of limits."""
    result["components"]["headers"] = HEADERS | RETRY_AFTER
    for operations in result["paths"].values():
        for method in METHODS & operations.keys():
            responses = operations[method]["responses"]
            limited = LIMITED.get(operations[method]["operationId"], "429")
            responses.setdefault(limited, {"content": ERROR, "description": ""})
            for status, response in responses.items():
                if status.startswith("2"):
                    response["headers"] = response.get("headers", {}) | _references(HEADERS)
            responses[limited]["headers"] = _references(HEADERS | RETRY_AFTER)
            operations[method]["responses"] = dict(sorted(responses.items()))
    return result


def _references(headers: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
