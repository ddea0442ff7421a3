"""Sets of a relay through the whole server, against pgbench running the same statements."""

import json
import os
import re
import statistics
import uuid
from contextlib import contextmanager
from random import Random

from django.utils import timezone

from ratings.models import Dataset
from ratings.services import relay, relay_rows
from tests.benchmarks.data import settle_down
from tests.benchmarks.load import drive, percentile
from tests.benchmarks.server import granian, pgbench
from tests.ratings.relayed import make_set, make_user, relay_set

IMAGES = 4
RATED = 2
USERS = 200
ROUNDS = 3
SECONDS = 3
# More than any machine of ours gets through in that time.
A_SECOND = 800


def run() -> list[str]:
    """Print sets a second and the ratio, each the median of three rounds in which both sides take turns."""
    dice = Random(2023)
    for number in range(1, USERS + 1):
        relay_set(make_set(1, user=make_user(number=number)))
    settle_down()
    ours, limits = [], []
    with _known_network("127.0.0.0/8"), granian() as port:
        drive(port, _requests(dice, 500), expect=b"201", seconds=5)
        for _ in range(ROUNDS):
            limits.append(pgbench(_script(), seconds=SECONDS))
            ours.append(drive(port, _requests(dice, A_SECOND * SECONDS), expect=b"201", seconds=SECONDS))
    for outcome in ours:
        assert outcome.count > 100, outcome.failures[:1]
        assert not outcome.failures, outcome.failures[:1]
    ratio = statistics.median(o.per_second / limit for o, limit in zip(ours, limits, strict=True))
    per_second, limit = statistics.median(o.per_second for o in ours), statistics.median(limits)
    p99 = statistics.median(percentile(o.times, 0.99) for o in ours) * 1000
    what = f"sets of {IMAGES} images, {RATED} rated (HTTP) / pgbench, same statements"
    return [f"{what}: {ratio:.3f}   {per_second:,.0f}/s (target >= 50) of {limit:,.0f}/s, p99 {p99:.1f} ms"]


@contextmanager
def _known_network(network: str):
    """Let the server take this machine for a relay."""
    before = os.environ.get("RELAY_NETWORKS", "")
    os.environ["RELAY_NETWORKS"] = network
    try:
        yield
    finally:
        os.environ["RELAY_NETWORKS"] = before


def _requests(dice: Random, count: int) -> list[bytes]:
    requests = []
    for _ in range(count):
        ids = [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(IMAGES)]
        ratings = [{"id": ids[place], "rating": dice.randint(1, 10), "artifacts": 1} for place in range(RATED)]
        user = make_user(number=dice.randint(1, USERS))
        body = json.dumps(make_set(ids=ids, ratings=ratings, best=ids[0], user=user))
        head = "POST /api/v1/rating/set HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        requests.append(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return requests


def _script() -> str:
    """Return the four statements of a set in a transaction, with fresh ids each time."""
    names = ["set", *(f"image{number}" for number in range(IMAGES))]
    images = "ARRAY[" + ", ".join(f":image{number}::uuid" for number in range(IMAGES)) + "]"
    rated = "ARRAY[" + ", ".join(f":image{number}::uuid" for number in range(RATED)) + "]"
    dataset = Dataset.objects.get(slug=relay.RELAY_DATASET)
    first, _ = relay_rows.find_rater_and_dataset(kind="horde", external_id="1", slug=relay.RELAY_DATASET)
    values = {
        "kind": "'horde'",
        "external_id": ":number::text",
        "slug": f"'{relay.RELAY_DATASET}'",
        "set": ":set::uuid",
        "dataset": f"'{dataset.pk}'::uuid",
        "rater": ":rater",
        "now": f"'{timezone.now().isoformat()}'::timestamptz",
        "name": "'somebody#' || :number",
        "images": images,
        "image_count": str(IMAGES),
        "sampling_keys": "ARRAY[" + ", ".join(str(number) for number in range(IMAGES)) + "]",
        "rated": rated,
        "aesthetic": "ARRAY[" + ", ".join("5" for _ in range(RATED)) + "]",
        "artifacts": "ARRAY[" + ", ".join("1" for _ in range(RATED)) + "]",
        "best": ":image0::uuid",
        "best_from": "'highest'",
        "is_tied": "true",
        "client_agent": "'bench'",
        "address_hash": f"'{'a' * 32}'",
        "scale_version": "1",
        "kudos": "1234",
        "is_trusted": "false",
        "images_generated": "NULL",
        "account_made_at": "'2026-01-01T00:00:00Z'",
    }
    lines = [
        f"\\set number random(1, {USERS})",
        f"\\set rater {first} + :number - 1",
        "SELECT " + ", ".join(f"gen_random_uuid() AS {name}" for name in names) + " \\gset",
        "BEGIN;",
        *(_fill(sql, values) for sql in (relay_rows.FIND, relay_rows.CLAIM, relay_rows.ADD_IMAGES, relay_rows.STORE)),
        "COMMIT;",
    ]
    return "\n".join(lines)


def _fill(sql: str, values: dict[str, str]) -> str:
    return re.sub(r"%\((\w+)\)s", lambda found: values[found[1]], sql).strip().replace("\n", " ") + ";"
