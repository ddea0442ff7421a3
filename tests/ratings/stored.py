"""What lies in storage, and whether the rows agree."""

import hashlib
from pathlib import Path

from django.core.files.storage import default_storage

from ratings.models import Rendition


def files_in(root):
    return sorted(str(path.relative_to(root)) for path in Path(root).rglob("*") if path.is_file())


def assert_whole(dataset):
    """Assert that every row has its files, every file its row, and that the dataset counts right."""
    renditions = Rendition.objects.filter(image__dataset=dataset)
    assert renditions.count() == 2 * dataset.images.count()
    for rendition in renditions:
        with default_storage.open(rendition.file) as file:
            assert hashlib.sha256(file.read()).hexdigest() == rendition.sha256
    dataset.refresh_from_db()
    assert dataset.image_count == dataset.images.count()
