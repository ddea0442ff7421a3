"""The dataset that an old export goes into: closed from its first moment, and honest about what is wrong with it."""

from django.db import transaction

from ratings.models import Dataset, DatasetState
from ratings.services.dataset import create_dataset

DESCRIPTION = """\
Ratings that were given elsewhere, taken over from an export of the Stable Horde's ratings service. The pictures are \
not here, nobody rates them any more, and no kudos are paid for them. Every rating has the proof `import`: that the \
image was shown is not proven.

What is known to be wrong with them: from 28 January to 6 March 2023 one client (ArtBot) sent every rating of a \
session under the id of its first image; about 338,000 suspect ratings were deleted there, and others may be left. \
Until 22 March 2023 the age of an account was stored modulo one day, so ages before that day say nothing. The same \
client could not send the artifacts 0, and sent 1 for the best. In sets of images, the first of several highest \
ratings was taken for the best one. Ratings by people without an account have kudos of -50 and share one rater, as do \
ratings of files that do not name the rater. One person can have rated an image more than once; every such rating is \
kept as it was.\
"""


class NotHistory(Exception):
    """The dataset exists and is not one of history, so nothing may be taken over into it."""


def find_history(*, slug: str) -> Dataset | None:
    """Return the dataset of history with this slug, or None. Raises NotHistory if it is any other dataset."""
    dataset = Dataset.objects.filter(slug=slug).first()
    if dataset is None:
        return None
    # A picture that has been here has a hash.
    if dataset.state != DatasetState.CLOSED or dataset.images.exclude(sha256="").exists():
        raise NotHistory(f"The dataset {slug} is open or has pictures; history needs a dataset of its own.")
    return dataset


@transaction.atomic
def create_history(*, slug: str, name: str, ratings_licence: str, licence: str) -> Dataset:
    """Create a closed, empty dataset that says what is known to be wrong. Raises DatasetExists or DatasetInvalid."""
    dataset = create_dataset(
        slug=slug, name=name, licence=licence, ratings_licence=ratings_licence, description=DESCRIPTION
    )
    dataset.state = DatasetState.CLOSED
    dataset.save(update_fields=["state"])
    return dataset
