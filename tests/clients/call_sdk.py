"""Speaks to a server through horde_sdk, in an environment of its own.

What to ask comes as JSON on standard input: {base, requests: [[name, fields], ...]}. For each request what came back, or
was raised, goes out as JSON. Release 0.5.0 and today's differ in what must be imported first, and in little else.
"""

import contextlib
import json
import sys


def ask(client, apimodels, name, fields):
    try:
        request = getattr(apimodels, name)(**fields)
        kind = getattr(request, "get_default_success_response_type", None) or request.get_success_response_type
        answer = client.submit_request(request, kind())
    except Exception as error:  # noqa: BLE001 - whatever the library raises is what is tested
        return {"raised": type(error).__name__, "text": str(error)}
    return {"kind": type(answer).__name__, "value": json.loads(answer.model_dump_json())}


def main():
    asked = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        # Today's releases import in a circle unless this comes first; the oldest have no need of it.
        import horde_sdk.ai_horde_api  # noqa: F401
        from horde_sdk.ratings_api import apimodels
        from horde_sdk.ratings_api.ratings_client import RatingsAPIClient

        apimodels.RATING_API_BASE_URL = asked["base"]
        client = RatingsAPIClient()
        answers = [ask(client, apimodels, name, fields) for name, fields in asked["requests"]]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
