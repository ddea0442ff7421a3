"""A build needs the same memory whatever the size, below the limit that we state."""

import pytest

from exports.models import Release
from tests.exports.child import peak_memory, start_build
from tests.exports.volume import create_volume

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LIMIT = 400 * 1024 * 1024


def test_memory_is_bounded(releases_root, transactional_db):
    small = create_volume(slug="small", ratings=1_000, raters=100)
    large = create_volume(slug="large", ratings=200_000, raters=50_000)
    little, much = (peak_memory(start_build(dataset.slug)) for dataset in (small, large))
    assert much < LIMIT
    # Two batches, one row group and their compressed pages; another 200,000 rows would not come on top.
    assert much - little < 200 * 1024 * 1024
    assert set(Release.objects.values_list("rating_count", flat=True)) == {1_000, 200_000}
