"""ratings.services.importing: what becomes an image, once, with its files."""

import hashlib
import threading
import uuid
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection

from ratings.importers.folder import Folder
from ratings.importers.sources import Refusal, SourceImage, StatedMeasures
from ratings.media import ImageRefused
from ratings.models import AdultClass, Image, ImageStatus
from ratings.services.importing import import_image, import_images
from tests.factories import DatasetFactory
from tests.ratings.pictures import picture_bytes
from tests.ratings.stored import assert_whole, files_in

IN_MEMORY = {"BACKEND": "django.core.files.storage.InMemoryStorage"}


def source(data=None, *, name="a.png", **fields):
    return SourceImage(name=name, source_id=fields.pop("source_id", name), content=data or picture_bytes(), **fields)


def counts(report):
    return {"imported": report.imported, "known": report.known, "refused": report.refused}


def test_it_works(harbours, media_root):
    data = picture_bytes(1600, 1200)

    image = import_image(
        dataset=harbours,
        source=source(
            data,
            prompt="two boats",
            model_name="sdxl",
            generation={"steps": 30},
            source_url="https://example.org/1",
            licence="CC-BY-4.0",
            planted_artifacts=2,
        ),
    )

    image.refresh_from_db()
    assert image.id == uuid.uuid5(harbours.id, "a.png")
    assert (image.width, image.height, image.mime) == (1600, 1200, "image/png")
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert (image.status, image.is_open, image.adult_class) == (ImageStatus.ACTIVE, True, AdultClass.SAFE)
    assert (image.prompt, image.model_name, image.generation) == ("two boats", "sdxl", {"steps": 30})
    assert (image.source_id, image.source_url, image.licence) == ("a.png", "https://example.org/1", "CC-BY-4.0")
    assert image.planted_artifacts == 2
    digest = hashlib.sha256(image.id.bytes).digest()
    assert image.sampling_key == int.from_bytes(digest[:4], "big", signed=True)
    large, small = image.renditions.order_by("-size")
    assert (large.size, large.width, large.height) == (1024, 1024, 768)
    assert (small.size, small.width, small.height) == (512, 512, 384)
    assert large.file == f"images/{image.id.hex[:2]}/{image.id.hex[2:4]}/{image.id}/1024-{large.sha256[:8]}.webp"
    assert large.byte_count == (media_root / large.file).stat().st_size
    assert_whole(harbours)


def test_import_image_returns_the_image_that_is_there(harbours):
    image = import_image(dataset=harbours, source=source())

    assert import_image(dataset=harbours, source=source(name="other.png")) == image


def test_import_image_refuses_with_the_reason(harbours):
    with pytest.raises(ImageRefused, match="not a PNG"):
        import_image(dataset=harbours, source=source(b"words"))

    assert not harbours.images.exists()


def test_import_images_adds_nothing_the_second_time(harbours, picture_folder, media_root):
    assert counts(import_images(dataset=harbours, sources=Folder(picture_folder).find_images())) == {
        "imported": 3,
        "known": 0,
        "refused": 0,
    }
    files = files_in(media_root)
    (picture_folder / "a.png").rename(picture_folder / "renamed.png")
    (picture_folder / "sub" / "copy.png").write_bytes((picture_folder / "b.png").read_bytes())

    report = import_images(dataset=harbours, sources=Folder(picture_folder).find_images())

    assert counts(report) == {"imported": 0, "known": 4, "refused": 0}
    assert files_in(media_root) == files
    assert_whole(harbours)


def test_import_images_imports_the_same_bytes_once_in_one_run(harbours):
    report = import_images(dataset=harbours, sources=[source(name="a.png"), source(name="b.png")])

    assert counts(report) == {"imported": 1, "known": 1, "refused": 0}
    assert harbours.images.get().source_id == "a.png"


def test_import_images_goes_on_after_each_refusal(harbours):
    refusals = []
    sources = [
        source(picture_bytes(seed=1), name="first"),
        Refusal(name="hidden", reason="hidden file"),
        source(b"words", name="text.png"),
        source(picture_bytes(seed=2), name="sum", stated=StatedMeasures(sha256="0" * 64)),
        source(picture_bytes(seed=3), name="bytes", stated=StatedMeasures(byte_count=1)),
        source(picture_bytes(seed=4), name="sides", stated=StatedMeasures(width=41, height=30)),
        source(Path("/nowhere/x.png"), name="gone"),
        source(picture_bytes(seed=5), name="last"),
    ]

    report = import_images(dataset=harbours, sources=sources, on_refused=refusals.append)

    assert counts(report) == {"imported": 2, "known": 0, "refused": 6}
    assert {refusal.name: refusal.reason.split(" where")[0] for refusal in refusals} == {
        "hidden": "hidden file",
        "text.png": "not a PNG, JPEG, WebP, AVIF or GIF picture",
        "sum": f"has the SHA-256 {hashlib.sha256(picture_bytes(seed=2)).hexdigest()[:12]}…",
        "bytes": f"has {len(picture_bytes(seed=3))} bytes",
        "sides": "is 40 x 30 pixels",
        "gone": "cannot be read: No such file or directory",
    }
    assert set(harbours.images.values_list("source_id", flat=True)) == {"first", "last"}
    assert_whole(harbours)


@pytest.mark.parametrize(
    "stated",
    [
        StatedMeasures(width=40, height=30),
        StatedMeasures(width=30, height=40),
        StatedMeasures(width=40),
        StatedMeasures(sha256=hashlib.sha256(picture_bytes()).hexdigest(), byte_count=len(picture_bytes())),
    ],
)
def test_import_images_takes_what_is_stated_truly(harbours, stated):
    assert import_images(dataset=harbours, sources=[source(stated=stated)]).imported == 1


def test_import_images_keeps_the_id_of_the_source_where_it_is_free(harbours):
    stated_id = uuid.uuid4()
    elsewhere = DatasetFactory()
    first = source(source_id=str(stated_id), image_id=stated_id, has_stated_id=True)

    assert import_image(dataset=harbours, source=first).id == stated_id
    assert import_image(dataset=elsewhere, source=first).id == uuid.uuid5(elsewhere.id, str(stated_id))


def test_import_images_refuses_another_picture_under_an_id_that_the_source_gave(harbours):
    refusals = []
    sources = [source(picture_bytes(seed=seed), source_id="17", has_stated_id=True) for seed in (1, 2)]

    for batch in ([sources[0]], [sources[1]], sources):
        import_images(dataset=harbours, sources=batch, on_refused=refusals.append)

    assert harbours.images.count() == 1
    assert [refusal.reason for refusal in refusals] == ["the id “17” is another picture's; images never change"] * 2


def test_import_images_tells_pictures_of_one_file_name_apart(harbours):
    data = [picture_bytes(seed=seed) for seed in (1, 2)]

    for one in data:
        assert import_images(dataset=harbours, sources=[source(one, name="0001.png")]).imported == 1

    mark = hashlib.sha256(data[1]).hexdigest()[:12]
    assert set(harbours.images.values_list("source_id", flat=True)) == {"0001.png", f"0001.png#{mark}"}
    assert import_images(dataset=harbours, sources=[source(data[1], name="0001.png")]).known == 1


def test_import_images_states_a_licence_only_where_it_differs(harbours):
    import_images(
        dataset=harbours,
        sources=[
            source(picture_bytes(seed=1), name="same", licence="MIT"),
            source(picture_bytes(seed=2), name="other", licence="CC0-1.0"),
        ],
    )

    assert dict(harbours.images.values_list("source_id", "licence")) == {"same": "", "other": "CC0-1.0"}


def test_import_images_writes_nothing_in_a_dry_run(harbours, picture_folder, media_root):
    (picture_folder / "copy.png").write_bytes((picture_folder / "a.png").read_bytes())

    report = import_images(dataset=harbours, sources=Folder(picture_folder).find_images(), is_dry_run=True)

    assert counts(report) == {"imported": 3, "known": 1, "refused": 0}
    assert not harbours.images.exists()
    assert not media_root.exists()


def test_import_images_works_in_batches_and_tells_how_far_it_is(harbours):
    seen = []
    sources = [source(picture_bytes(seed=seed), name=str(seed)) for seed in range(9)]

    report = import_images(
        dataset=harbours,
        sources=sources,
        on_progress=lambda report: seen.append((report.seen, report.imported)),
        batch_size=4,
    )

    assert report.imported == 9
    assert [imported for _, imported in seen if imported % 4 == 0 or imported == 9]
    assert {imported for _, imported in seen} == {0, 4, 8, 9}
    assert sorted({number for number, _ in seen} - {0}) == list(range(1, 10))
    assert_whole(harbours)


def test_import_images_asks_the_database_the_same_few_times_for_any_batch(harbours, django_assert_num_queries):
    for first, count in ((0, 2), (10, 20)):
        sources = [source(picture_bytes(seed=seed), name=str(seed)) for seed in range(first, first + count)]
        # Known hashes, source ids; begin, lock, sets, images that wait, ids before, images, ids after, renditions, count, commit.
        with django_assert_num_queries(12):
            import_images(dataset=harbours, sources=sources)


def test_import_images_refuses_a_file_that_changes_meanwhile(harbours, picture_folder):
    """What is stored is what was hashed: between the two, somebody else writes the file."""
    refusals = []
    changing = SourceImage(name="a.png", source_id="a.png", content=picture_folder / "a.png")

    report = import_images(
        dataset=harbours,
        sources=[changing],
        on_refused=refusals.append,
        on_progress=lambda report: (picture_folder / "a.png").write_bytes(picture_bytes(seed=99)),
    )

    assert counts(report) == {"imported": 0, "known": 0, "refused": 1}
    assert refusals == [Refusal(name="a.png", reason="changed while it was being imported")]
    assert import_images(dataset=harbours, sources=[changing]).imported == 1


def test_import_images_keeps_files_in_a_storage_that_is_not_local(harbours, settings):
    settings.STORAGES = settings.STORAGES | {"default": IN_MEMORY}

    assert import_images(dataset=harbours, sources=[source()]).imported == 1
    assert_whole(harbours)


class FullDisk(FileSystemStorage):
    """A storage with room for five files."""

    room = 5

    def _save(self, name, content):
        if len(files_in(self.location)) >= self.room:
            raise OSError(28, "No space left on device")
        return super()._save(name, content)


def test_import_images_leaves_neither_rows_nor_files_when_the_storage_is_full(harbours, settings, media_root):
    sources = [source(picture_bytes(seed=seed), name=str(seed)) for seed in range(6)]
    full = {"BACKEND": f"{__name__}.FullDisk"}
    settings.STORAGES = settings.STORAGES | {"default": full}

    with pytest.raises(OSError, match="No space left"):
        import_images(dataset=harbours, sources=sources)

    assert not harbours.images.exists()
    assert files_in(media_root) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("may_overwrite", [False, True])
def test_import_images_twice_at_the_same_time_imports_once(media_root, settings, may_overwrite):
    """Two imports decode the same pictures; the rows of one win, and the files of the other go."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"allow_overwrite": may_overwrite},
        }
    }
    dataset = DatasetFactory(licence="MIT")
    # Another order and another name: neither may the two wait for each other, nor both insert.
    first = [source(picture_bytes(seed=seed), name=str(seed)) for seed in range(12)]
    second = [source(picture_bytes(seed=seed), name=str(seed % 11)) for seed in reversed(range(12))]
    both_decoded = threading.Barrier(2, timeout=20)
    reports = []

    def run(sources):
        def wait_for_the_other(report):
            if report.decoded == len(sources):
                both_decoded.wait()

        try:
            reports.append(import_images(dataset=dataset, sources=sources, on_progress=wait_for_the_other))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[sources]) for sources in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(report.imported for report in reports) == [0, 12]
    assert sorted(report.known for report in reports) == [0, 12]
    assert [report.refused for report in reports] == [0, 0]
    assert_whole(dataset)
    assert len(files_in(media_root)) == 24


@pytest.mark.django_db(transaction=True)
def test_import_images_at_the_same_time_under_one_id_keeps_one(media_root):
    """Two datasets want one UUID at once: one has it, the other is told, and nothing is left behind."""
    stated_id = uuid.uuid4()
    datasets = [DatasetFactory(), DatasetFactory()]
    both_decoded = threading.Barrier(2, timeout=20)
    refusals = []

    def run(dataset):
        wanted = source(source_id=str(stated_id), image_id=stated_id, has_stated_id=True)
        try:
            import_images(
                dataset=dataset,
                sources=[wanted],
                on_refused=refusals.append,
                on_progress=lambda report: both_decoded.wait() if report.decoded else None,
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[dataset]) for dataset in datasets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Image.objects.get().id == stated_id
    assert [refusal.reason for refusal in refusals] == ["another import took its id at this moment; import it again"]
    assert len(files_in(media_root)) == 2
    for dataset in datasets:
        assert_whole(dataset)
