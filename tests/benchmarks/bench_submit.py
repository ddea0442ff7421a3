"""Submit and next image through the whole server, against pgbench running the same statement."""

import json
import os
import re
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from django.utils import timezone

from accounts.access import Caller
from ratings.leases.token import Lease, new_lease_id, sign_lease
from ratings.models import Dataset
from ratings.queries.candidates import WINDOWS
from ratings.services.rating_rows import SUBMIT
from tests.benchmarks.data import (
    IMAGE,
    image_id,
    key_for,
    make_callers,
    make_dataset,
    make_horde_callers,
    remember_horde_keys,
    settle_down,
)
from tests.benchmarks.load import Outcome, drive, percentile
from tests.benchmarks.server import granian, pgbench

IMAGES = 100_000
RATERS = 1_000
ROUNDS = 3
SECONDS = 5


def run() -> list[str]:
    """Print both ratios, each the median of three rounds in which both sides take turns."""
    dataset = make_dataset("demo", number=1, image_count=IMAGES)
    callers, horde_users = make_callers(RATERS), make_horde_callers(RATERS)
    settle_down()
    dice = Random(2023)
    submits, horde_submits, nexts, limits, pick_limits = [], [], [], [], []
    with _horde_at("https://aihorde.invalid"), granian() as port:
        drive(port, _next_requests(callers, dice, 2_000), expect=b"200", seconds=5)
        for _ in range(ROUNDS):
            limits.append(pgbench(_submit_script(callers), seconds=SECONDS))
            submits.append(drive(port, _submit_requests(callers, dice), expect=b"201", seconds=SECONDS))
            # Nobody is there to be asked: remembered is what they have to be.
            remember_horde_keys(horde_users)
            horde_submits.append(drive(port, _submit_requests(horde_users, dice), expect=b"201", seconds=SECONDS))
            pick_limits.append(pgbench(_next_script(callers, dataset), seconds=SECONDS))
            nexts.append(drive(port, _next_requests(callers, dice, 20_000), expect=b"200", seconds=SECONDS))
    return [
        _line("submit a rating (HTTP) / pgbench, same statement", submits, limits, ">= 0.2"),
        _line("the same with remembered keys of AI Horde", horde_submits, limits, ">= 0.2"),
        _line("next image (HTTP) / pgbench, same statement", nexts, pick_limits, "no target"),
    ]


@contextmanager
def _horde_at(url: str) -> Iterator[None]:
    """Let the server accept keys of AI Horde."""
    before = os.environ.get("HORDE_URL", "")
    os.environ["HORDE_URL"] = url
    try:
        yield
    finally:
        os.environ["HORDE_URL"] = before


def _line(name: str, outcomes: list[Outcome], limits: list[float], target: str) -> str:
    for outcome in outcomes:
        assert outcome.count > 100, outcome.failures[:1]
        assert len(outcome.failures) < outcome.count / 100, outcome.failures[:1]
    ratio = statistics.median(o.per_second / limit for o, limit in zip(outcomes, limits, strict=True))
    ours, theirs = statistics.median(o.per_second for o in outcomes), statistics.median(limits)
    p99 = statistics.median(percentile(o.times, 0.99) for o in outcomes) * 1000
    return f"{name}: {ratio:.3f} (target {target})   {ours:,.0f}/s of {theirs:,.0f}/s, p99 {p99:.1f} ms"


def _submit_requests(callers: list[Caller], dice: Random) -> list[bytes]:
    """Make submissions as new clients do, each with the lease that it was given a moment ago."""
    now_ms = int(timezone.now().timestamp() * 1000)
    requests = []
    for _ in range(1_800 * SECONDS):
        caller = dice.choice(callers)
        image = image_id(1, dice.randint(1, IMAGES))
        lease = sign_lease(Lease(new_lease_id(now_ms=now_ms, dice=dice), image, 1), caller.holder)
        body = json.dumps({"rating": dice.randint(1, 10), "artifacts": dice.randint(0, 5), "lease": lease})
        requests.append(_request("POST", f"/api/v1/rating/{image}", caller, body))
    return requests


def _next_requests(callers: list[Caller], dice: Random, count: int) -> list[bytes]:
    return [_request("GET", "/api/v1/rating/new", dice.choice(callers)) for _ in range(count)]


def _request(method: str, path: str, caller: Caller, body: str = "") -> bytes:
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\napikey: {key_for(caller)}\r\n"
    return f"{head}Client-Agent: bench:1:nobody\r\n{length}\r\n{body}".encode()


def _submit_script(callers: list[Caller]) -> str:
    values = {
        "now": "now()",
        "today": "current_date",
        "identity": ":identity",
        "image": IMAGE.format(f"{1 << 40} + :image::bigint"),
        "aesthetic": ":aesthetic::int",
        "artifacts": ":artifacts::int",
        "proof": "'lease'",
        "lease": "uuidv7()",
        "idempotency_key": "NULL::text",
        "is_artifacts_unsure": "false",
        "sha256": "NULL::text",
        "measurements": "NULL::text",
        "reward": "5",
        "is_late": "false",
        "issued_at": "now()",
        "client_agent": "'bench'",
        "address_hash": f"'{'a' * 32}'",
        "scale_version": "1",
    }
    low, high = callers[0].identity_id, callers[-1].identity_id
    settings = [("identity", low, high), ("image", 1, IMAGES), ("aesthetic", 1, 10), ("artifacts", 0, 5)]
    lines = [f"\\set {name} random({start}, {end})" for name, start, end in settings]
    return "\n".join([*lines, _fill(SUBMIT, values) + ";"])


def _next_script(callers: list[Caller], dataset: Dataset) -> str:
    values = {
        "identity": ":identity",
        "user": ":identity",
        "dataset": f"'{dataset.pk}'",
        "target": "1000",
        "adult_class": "'safe'",
        "key": ":key::int",
        "size": "32",
    }
    low, high = callers[0].identity_id, callers[-1].identity_id
    lines = [f"\\set identity random({low}, {high})", "\\set key random(-2147483648, 2147483647)"]
    return "\n".join([*lines, _fill(WINDOWS[False, False, "random"], values) + ";"])


def _fill(sql: str, values: dict[str, str]) -> str:
    return re.sub(r"%\((\w+)\)s", lambda found: values[found[1]], sql).replace("\n", " ")
