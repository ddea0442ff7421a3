"""Fixtures of the tests of ratings: storage of their own, and a person without privileges."""

import pytest

from tests import outages
from tests.factories import DatasetFactory
from tests.ratings.pictures import picture_bytes


@pytest.fixture
def media_root(settings, tmp_path):
    """Keep renditions in a folder of this test."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def unprivileged():
    """Act as somebody whom file permissions bind, also where tests run as root."""
    return outages.without_privileges


@pytest.fixture
def open_folder():
    """A folder that anybody may enter, which pytest's own are not."""
    with outages.open_folder() as folder:
        yield folder


@pytest.fixture
def harbours(db, media_root):
    return DatasetFactory(slug="harbours", licence="MIT")


@pytest.fixture
def picture_folder(tmp_path):
    """Three pictures, one of them in a sub-folder."""
    root = tmp_path / "pictures"
    for seed, name in enumerate(("a.png", "b.png", "sub/c.png")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(picture_bytes(seed=seed))
    return root
