"""The dataset that is there on the first start, so that there is something to rate."""

from collections.abc import Callable

from ratings.importers.demo import DEMO_PICTURE_COUNT
from ratings.importers.generated import NUMBER_KEY, find_demo_images
from ratings.models import Dataset
from ratings.services.dataset import DatasetExists, create_dataset
from ratings.services.importing import ImportReport, import_images

SLUG = "demo"
DESCRIPTION = (
    "Pictures that this software draws by rule and chance: flow fields, stained glass, strange attractors and "
    "layered landscapes. Some were spoiled on purpose, a little or a lot, and the site does not say which: rate "
    "how much you like each one, and how much is wrong with it. They belong to everybody (CC0)."
)
# Drawing takes longer than storing, so little is lost when somebody stops it.
BATCH_SIZE = 8


def load_demo(
    *, count: int = DEMO_PICTURE_COUNT, on_progress: Callable[[ImportReport], None] | None = None
) -> ImportReport:
    """See to it that the demo dataset has its first ``count`` pictures, which are of all families.

    What is there already is not drawn again, so a run that was stopped is completed by the next.
    """
    dataset = _ensure_dataset()
    numbers = f"generation__{NUMBER_KEY}"
    there = set(dataset.images.filter(**{f"{numbers}__isnull": False}).values_list(numbers, flat=True))
    missing = [number for number in range(count) if number not in there]
    report = ImportReport()
    if missing:
        report = import_images(
            dataset=dataset, sources=find_demo_images(missing), on_progress=on_progress, batch_size=BATCH_SIZE
        )
    report.known += count - len(missing)
    return report


def _ensure_dataset() -> Dataset:
    if dataset := Dataset.objects.filter(slug=SLUG).first():
        return dataset
    try:
        return create_dataset(
            slug=SLUG,
            name="Demo: generated pictures",
            description=DESCRIPTION,
            licence="CC0-1.0",
            target_rating_count=5,
        )
    except DatasetExists:  # two first starts at once
        return Dataset.objects.get(slug=SLUG)
