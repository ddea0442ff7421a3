"""Pictures that arrive for images which are known already: rated elsewhere before anybody brought the pixels.

Such an image is pending and has no hash. What it is called elsewhere is a UUID, which is its id or, where the id was
taken, its source id; a picture says it in its index or by the name of its file.
"""

import uuid
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from django.db.models import Q, QuerySet

from ratings.importers.sources import SourceImage
from ratings.models import Dataset, Image, ImageStatus

# What only the picture can say. Names, place in the random order and counters are the image's own, and stay.
BROUGHT = (
    "status",
    "is_open",
    "adult_class",
    "sha256",
    "width",
    "height",
    "mime",
    "source_url",
    "licence",
    "prompt",
    "model_name",
    "generation",
    "planted_artifacts",
    "group_key",
    "perceptual_hash",
)


class AwaitedImages:
    """The images of a dataset that wait for one of these pictures; each is taken once."""

    def __init__(self, *, dataset: Dataset, sources: Iterable[SourceImage]) -> None:
        uuids = {name for name in map(_uuid_of, sources) if name is not None}
        called = Q(pk__in=uuids) | Q(source_id__in=[str(name) for name in uuids])
        rows = list(_waiting_in(dataset).filter(called).only("id", "source_id")) if uuids else []
        self._waiting = {row.id: row for row in rows}
        self._ids = {name: row.id for row in rows for name in (row.source_id, str(row.id))}

    def take(self, source: SourceImage) -> Image | None:
        """Return the image that waits for this picture, if one does and no other picture has taken it."""
        image_id = self._ids.get(str(_uuid_of(source)))
        return None if image_id is None else self._waiting.pop(image_id, None)


def fill_awaited(*, dataset: Dataset, images: Sequence[Image]) -> set[uuid.UUID]:
    """Give pending images what their pictures brought, and hand them out if they want ratings; return their ids.

    The caller has locked the dataset. The rows are locked too, because a relay may be counting a rating of them.
    """
    locked = _waiting_in(dataset).filter(pk__in=[image.id for image in images]).order_by("id")
    counts = dict(locked.select_for_update(no_key=True).values_list("id", "rating_count"))
    # Another import may have brought the same bytes under another name meanwhile.
    hashes = Image.objects.filter(dataset=dataset, sha256__in=[image.sha256 for image in images])
    known = set(hashes.values_list("sha256", flat=True)) if counts else set()
    arriving = [image for image in images if image.id in counts and image.sha256 not in known]
    for image in arriving:
        image.status = ImageStatus.ACTIVE
        image.is_open = counts[image.id] < dataset.target_rating_count
    Image.objects.bulk_update(arriving, BROUGHT)
    return {image.id for image in arriving}


def _waiting_in(dataset: Dataset) -> QuerySet[Image]:
    return Image.objects.filter(dataset=dataset, status=ImageStatus.PENDING, sha256="")


def _uuid_of(source: SourceImage) -> uuid.UUID | None:
    if source.image_id is not None:
        return source.image_id
    try:
        return uuid.UUID(PurePosixPath(source.source_id).stem)
    except ValueError:
        return None
