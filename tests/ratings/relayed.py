"""Sets as AI Horde sends them."""

import json
import uuid
from typing import Any

from django.test import Client

from ratings.api.v1_compat.relay_bodies import read_set
from ratings.services.relay import SubmittedSet, submit_set
from tests.people import now

SET = "/api/v1/rating/set"
ADDRESS = "198.51.100.77"
# What the tests are called from, a network of relays or not.
FROM_RELAY = "203.0.113.5"


def new_ids(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def make_user(name: str = "somebody", number: int = 42, **fields: Any) -> dict[str, Any]:
    """Return a user as AI Horde described them from July 2023 on."""
    plain = {
        "username": f"{name}#{number}",
        "trusted": False,
        "account_age": 40 * 86400.25,
        "kudos": 1234.0,
        "kudos_accumulated": 2000,
        "ipaddr": ADDRESS,
    }
    return plain | fields


def make_set(count: int = 2, *, ids: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a set whose second image (or only one) is the best, unless ``fields`` say otherwise."""
    ids = ids or new_ids(count)
    plain = {
        "set": str(uuid.uuid4()),
        "all_set_ids": ids,
        "client_agent": "ArtBot:v.1:(discord)rockbandit#4910",
        "user": make_user(),
        "best": ids[-1],
    }
    return {name: value for name, value in (plain | fields).items() if value is not ...}


def post(body: Any, *, path: str = SET, address: str = FROM_RELAY, **headers: str):
    """Post a set as AI Horde does: without a key, from an address."""
    data = body if isinstance(body, bytes) else json.dumps(body)
    return Client(REMOTE_ADDR=address).post(path, data, content_type="application/json", headers=headers)


def relay_set(body: dict[str, Any] | None = None) -> SubmittedSet:
    """Submit a set past HTTP."""
    at = now()
    return submit_set(submission=read_set(json.dumps(body or make_set()).encode(), now=at), max_images=100, now=at)
