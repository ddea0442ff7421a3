"""Who is watched, where the gate can see it: asked of everybody who rates, so it costs no round trip of its own.

A task writes it to Valkey; each process reads it anew every ten seconds. Raters in quarantine who were watched before
stay on it, so that nothing changes for their client.
"""

import time
from collections.abc import Mapping

from accounts.valkey import ValkeyUnavailable, ask_valkey

KEY = "kudoscope:watched"
KEPT_SECONDS = 10.0
# What nobody renews ends: without a worker nobody would be let off either.
LIFE_SECONDS = 3600
HARDEST = 4


class _Kept:
    """What this process has read, and when."""

    def __init__(self) -> None:
        self.hardness: dict[str, int] = {}
        self.read_at = float("-inf")


_kept = _Kept()


def replace_watched(hardness: Mapping[str, int]) -> None:
    """Say who is watched, by holder, and how much work is to be proven: 1 to HARDEST, twice as much with each."""

    def write(valkey: object) -> None:
        pipe = valkey.pipeline()  # type: ignore[attr-defined]
        pipe.delete(KEY)
        if hardness:
            pipe.hset(KEY, mapping=dict(hardness))
            pipe.expire(KEY, LIFE_SECONDS)
        pipe.execute()

    ask_valkey("replace_watched", write)


def hardness_of(holder: str) -> int:
    """Return how much work a holder has to prove, and 0 for who is not watched."""
    if time.monotonic() - _kept.read_at >= KEPT_SECONDS:
        try:
            found = ask_valkey("read_watched", lambda valkey: valkey.hgetall(KEY))
            _kept.hardness = {name.decode(): int(value) for name, value in found.items()}  # type: ignore[union-attr]
        except ValkeyUnavailable:
            _kept.hardness = {}
        _kept.read_at = time.monotonic()
    return _kept.hardness.get(holder, 0)
