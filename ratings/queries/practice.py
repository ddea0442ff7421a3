"""Reads of the images to practise on."""

import uuid
from dataclasses import dataclass

from ratings.models import PracticeImage


@dataclass(frozen=True, slots=True)
class PracticeTask:
    """An image to practise on; what was planted in it is told after the answer."""

    image_id: uuid.UUID
    number: int
    width: int
    height: int


def practice_tasks() -> list[PracticeTask]:
    """Return the images to practise on in their order; none where they have not been drawn yet."""
    rows = PracticeImage.objects.order_by("number")
    return [PracticeTask(*row) for row in rows.values_list("id", "number", "width", "height")]


def find_practice_picture(image_id: uuid.UUID) -> bytes | None:
    """Return the file of an image to practise on."""
    webp = PracticeImage.objects.filter(pk=image_id).values_list("webp", flat=True).first()
    return None if webp is None else bytes(webp)
