"""ratings.services.dataset: what a dataset has to state."""

import pytest

from ratings.services.dataset import DatasetExists, DatasetInvalid, create_dataset


def test_create_dataset_refuses_what_it_should(db):
    fields = {"slug": "harbours", "name": "Harbours", "licence": "MIT"}
    create_dataset(**fields)

    with pytest.raises(DatasetExists, match="There is a dataset “harbours” already"):
        create_dataset(**fields)
    for change, sentence in (
        ({"slug": "no spaces"}, "slug: Enter a valid"),
        ({"licence": ""}, "The licence “” is not an SPDX expression"),
        ({"ratings_licence": "mine, all mine"}, "“mine, all mine” is not an SPDX expression"),
        ({"target_rating_count": 0}, "target_rating_count: Ensure this value is greater"),
        ({"name": ""}, "name: This field cannot be blank"),
    ):
        with pytest.raises(DatasetInvalid, match=sentence):
            create_dataset(**(fields | {"slug": "other"} | change))
