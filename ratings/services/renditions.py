"""One picture from its source to rows that are ready to be inserted, its renditions in storage.

All of it may run on any thread and touches no table. A picture that is refused is returned as a `Refusal`: an
exception would end the others, and would keep the bytes in memory with its traceback.
"""

import hashlib
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from ratings.importers.sources import Refusal, SourceImage, StatedMeasures
from ratings.media import EncodedRendition, ImageRefused, RenderedImage, hash_bytes, read_image_file, render_image
from ratings.models import Dataset, Image, Rendition


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshImage:
    """A picture that the dataset does not have, and what it will be called there."""

    source: SourceImage
    sha256: str
    source_id: str
    image_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """Rows that are ready to be inserted; the files they name are in storage."""

    name: str
    image: Image
    renditions: list[Rendition]


def sampling_key_of(image_id: uuid.UUID) -> int:
    """Return the image's place in the random order: a signed 32-bit number that only the id decides."""
    return int.from_bytes(hashlib.sha256(image_id.bytes).digest()[:4], "big", signed=True)


def hash_source(source: SourceImage) -> str | Refusal:
    try:
        data = _read(source)
        sha256 = hash_bytes(data)
        _check_bytes(source.stated, sha256, len(data))
    except ImageRefused as refused:
        return Refusal(name=source.name, reason=str(refused))
    return sha256


def prepare_image(dataset: Dataset, fresh: FreshImage, written: list[str] | None) -> PreparedImage | Refusal:
    """Return the rows of one picture; its renditions are stored and their names added to ``written``, if any."""
    try:
        rendered = render_image(_read(fresh.source))
        _check_unchanged(fresh, rendered)
        _check_sides(fresh.source.stated, rendered)
    except ImageRefused as refused:
        return Refusal(name=fresh.source.name, reason=str(refused))
    renditions = [
        Rendition(
            image_id=fresh.image_id,
            size=encoded.size,
            width=encoded.width,
            height=encoded.height,
            byte_count=len(encoded.data),
            sha256=encoded.sha256,
            file="" if written is None else _store(fresh.image_id, encoded, written),
        )
        for encoded in rendered.renditions
    ]
    return PreparedImage(name=fresh.source.name, image=_new_image(dataset, fresh, rendered), renditions=renditions)


def _new_image(dataset: Dataset, fresh: FreshImage, rendered: RenderedImage) -> Image:
    source = fresh.source
    return Image(
        id=fresh.image_id,
        dataset=dataset,
        adult_class=source.adult_class,
        sampling_key=sampling_key_of(fresh.image_id),
        sha256=rendered.sha256,
        width=rendered.width,
        height=rendered.height,
        mime=rendered.mime,
        source_id=fresh.source_id,
        source_url=source.source_url,
        licence="" if source.licence == dataset.licence else source.licence,
        prompt=source.prompt,
        model_name=source.model_name,
        generation=source.generation,
        planted_artifacts=source.planted_artifacts,
        perceptual_hash=rendered.perceptual_hash,
    )


def _store(image_id: uuid.UUID, encoded: EncodedRendition, written: list[str]) -> str:
    """Store the rendition under a name of its own and return the name."""
    folder = f"images/{image_id.hex[:2]}/{image_id.hex[2:4]}/{image_id}"
    name = default_storage.save(f"{folder}/{encoded.size}-{encoded.sha256[:8]}.webp", ContentFile(encoded.data))
    written.append(name)
    if isinstance(default_storage, FileSystemStorage):
        # The row survives a power cut from its commit on, and so must the file.
        with default_storage.open(name) as file:
            os.fsync(file.fileno())
    return name


def _read(source: SourceImage) -> bytes:
    return source.content if isinstance(source.content, bytes) else read_image_file(source.content)


def _check_bytes(stated: StatedMeasures, sha256: str, byte_count: int) -> None:
    if stated.byte_count is not None and stated.byte_count != byte_count:
        raise ImageRefused(f"has {byte_count:,} bytes where the index states {stated.byte_count:,}")
    if stated.sha256 is not None and stated.sha256 != sha256:
        raise ImageRefused(f"has the SHA-256 {sha256[:12]}… where the index states {stated.sha256[:12]}…")


def _check_unchanged(fresh: FreshImage, rendered: RenderedImage) -> None:
    if rendered.sha256 != fresh.sha256:
        raise ImageRefused("changed while it was being imported")


def _check_sides(stated: StatedMeasures, rendered: RenderedImage) -> None:
    """Hold the picture against what is stated; whoever stated it may not have turned it upright."""
    is_so = any(
        stated.width in {None, width} and stated.height in {None, height}
        for width, height in ((rendered.width, rendered.height), (rendered.height, rendered.width))
    )
    if not is_so:
        raise ImageRefused(
            f"is {rendered.width} x {rendered.height} pixels where the index states {stated.width} x {stated.height}"
        )


def delete_files(names: Iterable[str]) -> None:
    for name in names:
        default_storage.delete(name)
