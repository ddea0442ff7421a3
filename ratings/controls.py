"""Which of the images that are handed out are controls: by chance, at the rates of `ratings.stats.controls`.

A control is leased as any image is, in the same step and with the same spacing; only the id of its lease says what it
is, to whoever has the key (`ratings.leases.token`). Nobody is given controls where nothing else is left for them:
then they would be told by that.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

from django.conf import settings

from accounts.access import Caller
from ratings.leases.token import LeaseKind, kind_of_lease
from ratings.queries.candidates import Candidate, Shelf
from ratings.queries.controls import (
    AskedRater,
    Lot,
    gold_candidates,
    raising_candidates,
    read_asked,
    repeat_candidates,
)
from ratings.stats.controls import Asked, ControlPolicy, gold_chance, raise_chance, repeat_chance
from ratings.stats.parameters import Policy

KINDS = {Lot.GOLD: LeaseKind.GOLD, Lot.REPEAT: LeaseKind.REPEAT, Lot.RAISE: LeaseKind.RATING}


def current_control_policy() -> ControlPolicy:
    """Return the rates that the settings state."""
    return ControlPolicy(**settings.CONTROL_POLICY)


def draw_lots(*, asked: Asked, policy: ControlPolicy, count: int, dice: Random) -> Counter[Lot]:
    """Return how many of the next ``count`` images are something else than an image as any other."""
    lots: Counter[Lot] = Counter()
    for _ in range(count):
        lot = _draw(asked, policy, dice.random())
        if lot is not None:
            lots[lot] += 1
        asked = add_asked(asked, gold=int(lot is Lot.GOLD), repeats=int(lot is Lot.REPEAT), images=1)
    return lots


def add_asked(asked: Asked, *, images: int, gold: int, repeats: int) -> Asked:
    """Return what was asked when these have been, too."""
    return replace(
        asked,
        given=asked.given + images,
        gold=asked.gold + gold,
        gold_watched=asked.gold_watched + gold,
        repeats_due=max(asked.repeats_due - repeats, 0),
    )


def _draw(asked: Asked, policy: ControlPolicy, roll: float) -> Lot | None:
    for lot, chance in (
        (Lot.REPEAT, repeat_chance(asked, policy)),
        (Lot.GOLD, gold_chance(asked, policy)),
        (Lot.RAISE, raise_chance(asked, policy)),
    ):
        if roll < chance:
            return lot
        roll -= chance
    return None


def find_controls(
    *, caller: Caller, shelf: Shelf, held: Sequence[uuid.UUID], count: int, now: datetime, dice: Random
) -> Iterator[tuple[LeaseKind, int, list[Candidate]]]:
    """Yield what the next ``count`` images shall be besides images as any other: kind of lease, how many, which.

    ``held`` are the leases that the caller has not answered yet: they will have been asked before the next ones.
    """
    policy = current_control_policy()
    asker = read_asked(caller=caller, policy=policy, suspect_at=Policy(**settings.QUALITY_POLICY).gold_at)
    kinds = Counter(kind_of_lease(lease_id) for lease_id in held)
    asked = add_asked(asker.asked, images=kinds.total(), gold=kinds[LeaseKind.GOLD], repeats=kinds[LeaseKind.REPEAT])
    lots = draw_lots(asked=asked, policy=policy, count=count, dice=dice)
    for lot, number in lots.items():
        if candidates := _candidates(lot, caller, asker, shelf, policy, now, dice):
            yield KINDS[lot], number, candidates


def _candidates(
    lot: Lot, caller: Caller, asker: AskedRater, shelf: Shelf, policy: ControlPolicy, now: datetime, dice: Random
) -> list[Candidate]:
    if lot is Lot.GOLD:
        return gold_candidates(caller=caller, shelf=shelf)
    if lot is Lot.RAISE:
        return raising_candidates(caller=caller, shelf=shelf)
    return [] if caller.is_shared else repeat_candidates(asker=asker, shelf=shelf, policy=policy, now=now, dice=dice)
