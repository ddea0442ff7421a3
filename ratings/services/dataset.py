"""Datasets: images under one licence and purpose."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from ratings.importers.licences import is_spdx_expression
from ratings.models import Dataset


class DatasetExists(Exception):
    """The slug is taken."""


class DatasetInvalid(Exception):
    """A field of the dataset cannot be so; the message names each, for people."""


# Pages that stand where those of a dataset do; a dataset of that name could never be reached.
RESERVED_SLUGS = {"practice", "session", "settings"}


def create_dataset(
    *,
    slug: str,
    name: str,
    licence: str,
    description: str = "",
    ratings_licence: str = "CC0-1.0",
    target_rating_count: int = 5,
) -> Dataset:
    """Create an open, empty dataset. Raises DatasetExists or DatasetInvalid."""
    dataset = Dataset(
        slug=slug,
        name=name,
        description=description,
        licence=licence,
        ratings_licence=ratings_licence,
        target_rating_count=target_rating_count,
    )
    if slug in RESERVED_SLUGS:
        raise DatasetInvalid(f"The slug “{slug}” is the address of a page already. Choose another.")
    for expression in (licence, ratings_licence):
        if not is_spdx_expression(expression):
            raise DatasetInvalid(f"The licence “{expression}” is not an SPDX expression, such as CC0-1.0 or CC-BY-4.0.")
    try:
        dataset.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        sentences = (f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
        raise DatasetInvalid(" ".join(sentences)) from error
    try:
        with transaction.atomic():
            dataset.save(force_insert=True)
    except IntegrityError as error:
        raise DatasetExists(f"There is a dataset “{slug}” already.") from error
    return dataset
