"""Images into a dataset: decode, store the renditions, insert the rows.

Files are written before the rows that name them are committed, so a row never names a file that is missing; a
crash leaves at most files that no row names. The same bytes are the same image, whatever the file is called.
"""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from django.db import transaction
from django.db.models import F

from ratings.importers.sources import Refusal, SourceImage
from ratings.media import ImageRefused, hash_bytes, read_image_file
from ratings.models import Dataset, Image, Rendition
from ratings.services.arriving import AwaitedImages, fill_awaited
from ratings.services.grouping import group_images
from ratings.services.renditions import FreshImage, PreparedImage, delete_files, hash_source, prepare_image

BATCH_SIZE = 200
LONGEST_SOURCE_ID = 300

# A picture and the hash of its bytes.
Hashed = tuple[SourceImage, str]


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """How many there were of each kind. ``decoded`` are on their way: their rows are not committed yet."""

    imported: int = 0
    known: int = 0
    refused: int = 0
    decoded: int = 0

    @property
    def seen(self) -> int:
        return self.imported + self.known + self.refused + self.decoded


def import_image(*, dataset: Dataset, source: SourceImage) -> Image:
    """Return the image of these bytes, which is stored if the dataset does not have it. Raises ImageRefused."""
    data = source.content if isinstance(source.content, bytes) else read_image_file(source.content)
    refusals: list[Refusal] = []
    import_images(dataset=dataset, sources=[replace(source, content=data)], on_refused=refusals.append)
    if refusals:
        raise ImageRefused(refusals[0].reason)
    return Image.objects.get(dataset=dataset, sha256=hash_bytes(data))


def import_images(
    *,
    dataset: Dataset,
    sources: Iterable[SourceImage | Refusal],
    on_refused: Callable[[Refusal], None] | None = None,
    on_progress: Callable[[ImportReport], None] | None = None,
    is_dry_run: bool = False,
    batch_size: int = BATCH_SIZE,
) -> ImportReport:
    """Import what the dataset does not have, in batches that are each committed; what came before stays.

    1. Hash a batch of pictures on every core; those that the dataset has are counted and left.
    2. Decode the others on every core and store their renditions. Threads do: Pillow works without the
       interpreter's lock, and processes were not faster.
    3. Insert the rows in one transaction, except those that somebody else inserted meanwhile.

    A dry run does all but the writing.
    """
    remaining = iter(sources)
    with ThreadPoolExecutor(max_workers=_core_count(), thread_name_prefix="import") as pool:
        run = _ImportRun(dataset, pool, on_refused or _ignore, on_progress or _ignore, is_dry_run=is_dry_run)
        while batch := list(islice(remaining, batch_size)):
            run.import_batch(batch)
    return run.report


class _ImportRun:
    def __init__(
        self,
        dataset: Dataset,
        pool: ThreadPoolExecutor,
        on_refused: Callable[[Refusal], None],
        on_progress: Callable[[ImportReport], None],
        *,
        is_dry_run: bool,
    ) -> None:
        self.dataset = dataset
        self.pool = pool
        self.on_refused = on_refused
        self.on_progress = on_progress
        self.is_dry_run = is_dry_run
        self.report = ImportReport()
        self.would_import: set[str] = set()

    def import_batch(self, batch: Sequence[SourceImage | Refusal]) -> None:
        fresh, copies = self._name_fresh(self._hash(batch))
        prepared = self._prepare(fresh)
        self._judge_copies(copies, {item.image.sha256 for item in prepared})
        if self.is_dry_run:
            inserted = {item.image.id for item in prepared}
            self.would_import.update(item.image.sha256 for item in prepared)
        else:
            inserted = insert_images(dataset=self.dataset, prepared=prepared)
        self.report.imported += len(inserted)
        self.report.decoded = 0
        self._leave_to_others([item for item in prepared if item.image.id not in inserted])
        self.on_progress(self.report)

    def _refuse(self, refusal: Refusal) -> None:
        self.report.refused += 1
        self.on_refused(refusal)
        self.on_progress(self.report)

    def _hash(self, batch: Sequence[SourceImage | Refusal]) -> Iterator[Hashed]:
        sources = []
        for found in batch:
            if isinstance(found, Refusal):
                self._refuse(found)
            else:
                sources.append(found)
        for source, outcome in zip(sources, self.pool.map(hash_source, sources), strict=True):
            if isinstance(outcome, Refusal):
                self._refuse(outcome)
            else:
                yield source, outcome

    def _name_fresh(self, hashed: Iterable[Hashed]) -> tuple[list[FreshImage], list[Hashed]]:
        """Leave out what the dataset has, by its bytes; give the rest a source id and an id that are free,
        or those of the image that waits for them.

        Copies of what comes earlier in the batch are returned apart: whether they are known is not decided yet.
        """
        pairs = list(hashed)
        images = Image.objects.filter(dataset_id=self.dataset.id)
        hashes = set(images.filter(sha256__in=[sha for _, sha in pairs]).values_list("sha256", flat=True))
        wanted = [source.source_id for source, _ in pairs]
        source_ids = set(images.filter(source_id__in=wanted).values_list("source_id", flat=True))
        asked = [source.image_id for source, _ in pairs if source.image_id]
        image_ids = set(Image.objects.filter(pk__in=asked).values_list("id", flat=True))
        awaited = AwaitedImages(dataset=self.dataset, sources=[source for source, _ in pairs])
        fresh: dict[str, FreshImage] = {}
        copies = []
        for source, sha256 in pairs:
            if sha256 in fresh:
                copies.append((source, sha256))
            elif sha256 in hashes or sha256 in self.would_import:
                self.report.known += 1
            elif image := awaited.take(source):
                source_ids.add(source.source_id)
                fresh[sha256] = FreshImage(source=source, sha256=sha256, source_id=image.source_id, image_id=image.id)
            elif source.source_id in source_ids and source.has_stated_id:
                reason = f"the id “{source.source_id}” is another picture's; images never change"
                self._refuse(Refusal(name=source.name, reason=reason))
            else:
                named = _name_image(self.dataset, source, sha256, source_ids, image_ids)
                source_ids.add(named.source_id)
                image_ids.add(named.image_id)
                fresh[sha256] = named
        self.on_progress(self.report)
        return list(fresh.values()), copies

    def _judge_copies(self, copies: Sequence[Hashed], decoded: set[str]) -> None:
        """Copies fare like the picture they are copies of."""
        for source, sha256 in copies:
            if sha256 in decoded:
                self.report.known += 1
            else:
                self._refuse(Refusal(name=source.name, reason="the same bytes were refused under another name"))

    def _prepare(self, fresh: Sequence[FreshImage]) -> list[PreparedImage]:
        written: list[str] = []
        prepared = []

        def prepare(image: FreshImage) -> PreparedImage | Refusal:
            return prepare_image(self.dataset, image, None if self.is_dry_run else written)

        try:
            for outcome in self.pool.map(prepare, fresh):
                if isinstance(outcome, Refusal):
                    self._refuse(outcome)
                else:
                    prepared.append(outcome)
                    self.report.decoded += 1
                    self.on_progress(self.report)
        except BaseException:
            # Nothing names these files yet, so they may go. Later, they could not: a commit may have happened.
            self.pool.shutdown(cancel_futures=True)
            delete_files(written)
            raise
        return prepared

    def _leave_to_others(self, losers: Sequence[PreparedImage]) -> None:
        """Count what another import had inserted first, and delete our copies of its files.

        A storage that overwrites may have given both imports one and the same file: what a row names stays.
        """
        if not losers:
            return
        images = Image.objects.filter(dataset_id=self.dataset.id, sha256__in=[item.image.sha256 for item in losers])
        hashes = set(images.values_list("sha256", flat=True))
        for item in losers:
            if item.image.sha256 in hashes:
                self.report.known += 1
            else:
                reason = "another import took its id at this moment; import it again"
                self._refuse(Refusal(name=item.name, reason=reason))
        rows = Rendition.objects.filter(image__in=[item.image.id for item in losers])
        named = set(rows.values_list("file", flat=True))
        delete_files(rendition.file for item in losers for rendition in item.renditions if rendition.file not in named)


def insert_images(*, dataset: Dataset, prepared: Sequence[PreparedImage]) -> set[uuid.UUID]:
    """Insert the rows that are new and count them into the dataset, fill those that waited; return the ids of both.

    Imports into one dataset take turns here, which costs milliseconds and spares them deadlocks. The lock does not
    stop ratings, which only need the dataset to keep its key.
    """
    ids = [item.image.id for item in prepared]
    with transaction.atomic():
        locked = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
        group_images([item.image for item in prepared], dataset_id=dataset.pk)
        filled = fill_awaited(dataset=locked, images=[item.image for item in prepared])
        before = set(Image.objects.filter(pk__in=ids).values_list("id", flat=True))
        Image.objects.bulk_create(
            (item.image for item in prepared if item.image.id not in before), ignore_conflicts=True
        )
        after = Image.objects.filter(pk__in=ids, dataset=dataset).values_list("id", flat=True)
        inserted = set(after) - before
        Rendition.objects.bulk_create(
            rendition for item in prepared if item.image.id in inserted | filled for rendition in item.renditions
        )
        Dataset.objects.filter(pk=dataset.pk).update(image_count=F("image_count") + len(inserted))
    return inserted | filled


def _name_image(
    dataset: Dataset, source: SourceImage, sha256: str, source_ids: set[str], image_ids: set[uuid.UUID]
) -> FreshImage:
    source_id = source.source_id
    if source_id in source_ids:
        # Another folder had another picture of this name.
        mark = f"#{sha256[:12]}"
        source_id = source_id[: LONGEST_SOURCE_ID - len(mark)] + mark
    image_id = source.image_id
    if image_id is None or image_id in image_ids:
        image_id = uuid.uuid5(dataset.id, source_id)
    return FreshImage(source=source, sha256=sha256, source_id=source_id, image_id=image_id)


def _core_count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ignore(_: object) -> None:
    pass
