"""Which images belong so closely together that nobody should see two of them in a row.

A rating is pulled towards the picture before it, most by one that is nearly the same (Kim, Burr and Alais 2019). The
group of an image is one number, ``Image.group_key``: that of its prompt, which all images of one request share; else
that of the set it is in; else that of the first image it looks like, which may be itself.
"""

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence

from django.core.files.storage import default_storage
from django.db import transaction

from ratings.media import ImageRefused, hash_looks
from ratings.models import Dataset, Image, ImageInSet, Rendition
from ratings.queries.lookalikes import BANDS, MOST_BITS_APART, band_of, find_lookalikes

BATCH_SIZE = 500
SPACES = re.compile(r"[\s,.;]+")


def group_of_prompt(prompt: str) -> int | None:
    """Return the group of a prompt, whatever its case, spaces and punctuation between words; None for an empty one."""
    words = SPACES.sub(" ", unicodedata.normalize("NFKC", prompt).casefold()).strip()
    return _number("prompt", words) if words else None


def group_images(images: Sequence[Image], *, dataset_id: uuid.UUID) -> None:
    """Set the group of each image, and forget the looks of those that something else groups.

    A fixed number of reads, and none for images with a prompt. The caller has locked the dataset, so that no two
    look-alikes come at once and miss each other.
    """
    others = []
    for image in images:
        image.group_key = group_of_prompt(image.prompt)
        if image.group_key is None:
            others.append(image)
        else:
            image.perceptual_hash = None
    sets = _sets_of(others) if others else {}
    alone = []
    for image in others:
        if image.id in sets:
            image.group_key, image.perceptual_hash = _number("set", sets[image.id].hex), None
        elif image.perceptual_hash is not None:
            alone.append(image)
    if alone:
        _group_by_looks(alone, dataset_id)


def group_ungrouped(*, dataset_id: uuid.UUID, after: uuid.UUID | None = None) -> tuple[int, uuid.UUID | None]:
    """Give a batch of the images after ``after`` the group they lack; return how many, and where to go on or None.

    For images from before there were groups, and those that came into a set later: it may run at any time, and again.
    """
    rows = Image.objects.filter(dataset_id=dataset_id, group_key=None).exclude(sha256="").order_by("id")
    batch = list((rows.filter(pk__gt=after) if after else rows).only("id", "prompt")[:BATCH_SIZE])
    if not batch:
        return 0, None
    plain = [image for image in batch if group_of_prompt(image.prompt) is None]
    looks = _looks_of(plain)
    for image in plain:
        image.perceptual_hash = looks.get(image.id)
    with transaction.atomic():
        Dataset.objects.select_for_update(no_key=True).get(pk=dataset_id)
        group_images(batch, dataset_id=dataset_id)
        grouped = [image for image in batch if image.group_key is not None]
        # In the order in which everybody locks images.
        list(rows.filter(pk__in=[image.id for image in grouped]).select_for_update(no_key=True).values_list("id"))
        Image.objects.bulk_update(grouped, ["group_key", "perceptual_hash"])
    return len(grouped), batch[-1].id


def _group_by_looks(images: Sequence[Image], dataset_id: uuid.UUID) -> None:
    known = find_lookalikes(dataset_id=dataset_id, hashes=[image.perceptual_hash or 0 for image in images])
    shelves: dict[tuple[int, int], list[Image]] = {}
    for image, found in zip(images, known, strict=True):
        looks = image.perceptual_hash or 0
        bands = [(band, band_of(looks, band)) for band in range(BANDS)]
        earlier = (other for band in bands for other in shelves.get(band, ()))
        image.group_key = found if found is not None else _first_alike(looks, earlier)
        if image.group_key is None:
            image.group_key = _number("looks", image.id.hex)
        for band in bands:
            shelves.setdefault(band, []).append(image)


def _first_alike(looks: int, others: Iterable[Image]) -> int | None:
    alike = (o.group_key for o in others if ((o.perceptual_hash or 0) ^ looks).bit_count() <= MOST_BITS_APART)
    return next(alike, None)


def _sets_of(images: Sequence[Image]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the set that each image is in, the first by id where there are several."""
    rows = ImageInSet.objects.filter(image__in=[image.id for image in images]).order_by("image_id", "image_set_id")
    return dict(rows.distinct("image_id").values_list("image_id", "image_set_id"))


def _looks_of(images: Sequence[Image]) -> dict[uuid.UUID, int]:
    """Return the looks of images by their smallest renditions; a file that is missing has none."""
    rows = Rendition.objects.filter(image__in=[image.id for image in images]).order_by("image_id", "size")
    smallest = rows.distinct("image_id").values_list("image_id", "file")
    return {image_id: looks for image_id, name in smallest if (looks := _read_looks(name)) is not None}


def _read_looks(name: str) -> int | None:
    try:
        with default_storage.open(name) as file:
            return hash_looks(file.read())
    except (FileNotFoundError, ImageRefused):
        return None


def _number(kind: str, name: str) -> int:
    digest = hashlib.blake2b(f"{kind}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
