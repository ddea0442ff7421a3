"""Probes: is the process alive, and is everything there that it needs?"""

import os
import time
from pathlib import Path
from secrets import compare_digest

import orjson
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from accounts.valkey import ValkeyUnavailable, ask_valkey, get_client

HEARTBEAT = "kudoscope:worker-seen"
HEARTBEAT_SECONDS = 60


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process answers at all."""
    del request
    return _json({"status": "ok"}, 200)


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when database, Valkey, worker and storage are there, else 503 and say which is not."""
    del request
    checks = {
        "database": _check_database,
        "valkey": _check_valkey,
        "worker": _check_worker,
        "storage": _check_storage,
    }
    results = {name: check() for name, check in checks.items()}
    is_ready = all(result == "ok" for result in results.values())
    return _json({"status": "ok" if is_ready else "not ready", "checks": results}, 200 if is_ready else 503)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the counters in Prometheus' format to whoever has the token; without one, to nobody."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not compare_digest(token.encode(), settings.METRICS_TOKEN.encode()):
        raise Http404
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def record_worker_heartbeat() -> None:
    """Leave the mark that says when a worker last did what the schedule asked for."""
    get_client().set(HEARTBEAT, str(time.time()), ex=24 * 3600)


def _check_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "the database does not answer"
    return "ok"


def _check_valkey() -> str:
    try:
        ask_valkey("ready", lambda valkey: valkey.ping())
    except ValkeyUnavailable:
        return "Valkey does not answer"
    return "ok"


def _check_worker() -> str:
    try:
        seen = ask_valkey("ready", lambda valkey: valkey.get(HEARTBEAT))
    except ValkeyUnavailable:
        return "unknown, because Valkey does not answer"
    if seen is None:
        return "no worker has been seen"
    age = int(time.time() - float(seen))
    return "ok" if age <= HEARTBEAT_SECONDS else f"no worker has been seen for {age} seconds"


def _check_storage() -> str:
    folders = (settings.MEDIA_ROOT, settings.RELEASES_ROOT)
    return "ok" if all(_is_writable(folder) for folder in folders) else "the storage cannot be written to"


def _is_writable(folder: Path) -> bool:
    """Return whether this process may make files in the folder, or the folder itself where it is not made yet."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return os.access(nearest, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _json(body: dict[str, object], status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), content_type="application/json", status=status)
