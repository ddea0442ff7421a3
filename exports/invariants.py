"""What must be true of releases and is not."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from exports.models import Release, ReleaseState
from exports.writers.folders import release_folder

LONGEST_BUILD = timedelta(hours=6)


def find_violations() -> Iterator[str]:
    """Yield a sentence for each file that is promised and not there, and each build that never ended.

    Sizes are compared, contents are not: `manage.py releases verify` reads every byte.
    """
    yield from _missing_files()
    stuck = Release.objects.filter(state=ReleaseState.BUILDING, requested_at__lt=timezone.now() - LONGEST_BUILD)
    for release in stuck.select_related("dataset"):
        yield f"Release {release} has been building since {release.requested_at:%Y-%m-%d %H:%M}."


def _missing_files() -> Iterator[str]:
    published = Release.objects.filter(state=ReleaseState.PUBLISHED).select_related("dataset")
    for release in published.prefetch_related("files").iterator(chunk_size=100):
        folder = release_folder(release.dataset.slug, release.version)
        files = list(release.files.all())
        if not files:
            yield f"Release {release} is published without files."
        for file in files:
            path = folder / file.path
            if not path.is_file():
                yield f"Release {release} is published, but {file.path} is not on disk."
            elif path.stat().st_size != file.byte_count:
                yield f"Release {release}: {file.path} has {path.stat().st_size} bytes, published {file.byte_count}."
