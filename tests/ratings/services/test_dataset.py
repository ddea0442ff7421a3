"""ratings.services.dataset: what a dataset has to state."""

import re

import pytest

from ratings.services.dataset import RESERVED_SLUGS, DatasetExists, DatasetInvalid, create_dataset
from ratings.urls import urlpatterns


def names_beside_datasets():
    """Return what a page of its own stands under where a dataset's slug could be."""
    routes = [str(route.pattern) for route in urlpatterns]
    found = {
        re.fullmatch(rf"{place}/([\w-]+)/", route) for place in ("rate", "compare", "datasets") for route in routes
    }
    return sorted(match[1] for match in found if match)


def test_create_dataset_refuses_what_it_should(db):
    fields = {"slug": "harbours", "name": "Harbours", "licence": "MIT"}
    assert set(names_beside_datasets()) == RESERVED_SLUGS
    create_dataset(**fields)

    with pytest.raises(DatasetExists, match="There is a dataset “harbours” already"):
        create_dataset(**fields)
    for change, sentence in (
        ({"slug": "no spaces"}, "slug: Enter a valid"),
        ({"licence": ""}, "The licence “” is not an SPDX expression"),
        ({"ratings_licence": "mine, all mine"}, "“mine, all mine” is not an SPDX expression"),
        ({"target_rating_count": 0}, "target_rating_count: Ensure this value is greater"),
        *(({"slug": slug}, f"The slug “{slug}” is the address of a page") for slug in names_beside_datasets()),
        ({"name": ""}, "name: This field cannot be blank"),
    ):
        with pytest.raises(DatasetInvalid, match=sentence):
            create_dataset(**(fields | {"slug": "other"} | change))
