"""Practising: ten pictures whose planted artifacts are told at once, so that the six levels mean the same to everybody.

Only artifacts have a right answer; of how much somebody likes a picture nothing is ever said.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.access import Caller
from accounts.services import ensure_identity
from ratings.importers.demo.practice import PRACTICE_LEVELS, iter_practice_pictures
from ratings.models import PracticeImage
from ratings.queries.scales import get_scale
from ratings.services.preferences import record_training

SCALE_VERSION = 1
LAST = len(PRACTICE_LEVELS) - 1


class NoSuchPracticeImage(Exception):
    """There is no such image to practise on."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was planted, and what there is to say about the answer. ``is_finished`` after the last image."""

    planted: int
    message: str
    number: int
    is_finished: bool


def draw_practice_images() -> int:
    """Draw the pictures to practise on that are missing, which takes seconds; return how many."""
    there = set(PracticeImage.objects.values_list("number", flat=True))
    if len(there) == len(PRACTICE_LEVELS):
        return 0
    fresh = [
        PracticeImage(
            number=picture.number,
            planted_artifacts=picture.planted_artifacts,
            width=picture.width,
            height=picture.height,
            webp=picture.webp,
        )
        for picture in iter_practice_pictures()
        if picture.number not in there
    ]
    # Two that draw at once draw the same.
    PracticeImage.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def answer_practice(*, caller: Caller, image_id: uuid.UUID, artifacts: int, now: datetime) -> Feedback:
    """Say what was planted in an image, and how near the answer is. The last one ends the practice, and is remembered.

    Raises NoSuchPracticeImage.
    """
    image = PracticeImage.objects.filter(pk=image_id).defer("webp").first()
    if image is None:
        raise NoSuchPracticeImage(_("There is no such image to practise on."))
    is_finished = image.number == LAST
    if is_finished:
        identity_id = caller.identity_id or ensure_identity(
            kind=caller.kind, external_id=caller.external_id, user_id=caller.user_id
        )
        record_training(identity_id=identity_id, now=now)
    return Feedback(image.planted_artifacts, _say(image.planted_artifacts, artifacts), image.number, is_finished)


def _say(planted: int, given: int) -> str:
    level = get_scale(SCALE_VERSION).artifacts[planted]
    words = {"word": level.word, "meaning": level.meaning}
    if planted == given:
        return _("Just so. This is “%(word)s”: %(meaning)s.") % words
    if abs(planted - given) == 1:
        return _("Nearly. We call this “%(word)s”: %(meaning)s.") % words
    if planted < given:
        return _("Look again: there is less here than it seems. We call this “%(word)s”: %(meaning)s.") % words
    return _("Look again: there is more here than it seems. We call this “%(word)s”: %(meaning)s.") % words
