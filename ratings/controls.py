"""Which of the images that are handed out are controls: by chance, at the rates of `ratings.stats.controls`.

A control is leased as any image is, in the same step and with the same spacing; only the id of its lease says what it
is, to whoever has the key (`ratings.leases.token`). Nobody is given controls where nothing else is left for them:
then they would be told by that.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from random import Random

from django.conf import settings

from accounts.access import Caller
from ratings.leases.token import LeaseKind
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
        roll = dice.random()
        for lot, chance in (
            (Lot.REPEAT, repeat_chance(asked, policy)),
            (Lot.GOLD, gold_chance(asked, policy)),
            (Lot.RAISE, raise_chance(asked, policy)),
        ):
            if roll < chance:
                lots[lot] += 1
                break
            roll -= chance
        asked = replace(
            asked,
            given=asked.given + 1,
            gold=lots[Lot.GOLD] + asked.gold if roll < 0 else asked.gold,
            repeats_due=max(asked.repeats_due - 1, 0),
        )
    return lots


def find_controls(
    *, caller: Caller, shelf: Shelf, count: int, now: datetime, dice: Random
) -> Iterator[tuple[LeaseKind, int, list[Candidate]]]:
    """Yield what the next ``count`` images shall be besides images as any other: kind of lease, how many, which."""
    policy = current_control_policy()
    asker = read_asked(caller=caller, policy=policy, suspect_at=Policy(**settings.QUALITY_POLICY).gold_at)
    lots = draw_lots(asked=asker.asked, policy=policy, count=count, dice=dice)
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
