"""The pages of datasets."""

import re

import pytest

from ratings.models import Image
from ratings.rewards import current_prices
from ratings.services.rating import RatingSubmission, submit_rating
from tests.factories import DatasetFactory, make_images
from tests.people import now


def rate(caller, lease, **given):
    image = lease(caller)
    submission = RatingSubmission(image.image_id, lease=image.lease, **given)
    submit_rating(caller=caller, submission=submission, prices=current_prices(), now=now())


def test_it_works(client, dataset, rater, lease):
    rate(rater.caller, lease, aesthetic=7)
    rate(rater.caller, lease, aesthetic=7, artifacts=2)
    rate(rater.caller, lease, aesthetic=3)

    text = client.get(f"/datasets/{dataset.slug}/").content.decode()

    assert "0 of 20 images have enough ratings · 3 ratings" in " ".join(text.split())
    counts = [int(found) for found in re.findall(r"</svg>\s*(\d+)", text)]
    assert counts == [0, 0, 1, 0, 0, 0, 2, 0, 0, 0]
    assert re.findall(r'height="(\d+)" transform', text)[6] == "100"
    assert f'href="/rate/{dataset.slug}/"' in text
    assert "style=" not in text


def test_a_dataset_without_ratings_says_so(client, dataset):
    assert "No ratings yet." in client.get(f"/datasets/{dataset.slug}/").content.decode()


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_dataset_that_is_not_open_offers_no_rating(db, client, state):
    DatasetFactory(slug="shut", state=state)

    for path in ("/datasets/", "/datasets/shut/"):
        text = client.get(path).content.decode()
        assert state in text.lower()
        assert 'href="/rate/shut/"' not in text


def test_an_open_dataset_without_pictures_offers_no_rating(db, client):
    """As that of a relay's sets is until their pictures come."""
    bare = DatasetFactory(slug="bare")
    offer = 'href="/rate/bare/"'
    assert [offer in client.get(path).content.decode() for path in ("/datasets/", "/datasets/bare/")] == [False, False]
    make_images(bare, 1)
    assert [offer in client.get(path).content.decode() for path in ("/datasets/", "/datasets/bare/")] == [True, True]


def test_the_list_shows_every_dataset_with_its_progress(client, dataset):
    other = DatasetFactory(slug="other", name="Another <one>")
    make_images(other, 3)
    Image.objects.filter(dataset=other).update(is_open=False)

    text = client.get("/datasets/").content.decode()

    assert "Another &lt;one&gt;" in text
    assert "3 of 3 images have enough ratings" in text
    assert "0 of 20 images have enough ratings" in text


def test_no_dataset_yet(db, client):
    assert "There is no dataset yet." in client.get("/datasets/").content.decode()


def test_an_empty_dataset(db, client):
    DatasetFactory(slug="empty")

    assert client.get("/datasets/empty/").status_code == 200


def test_an_unknown_dataset_is_not_found(db, client):
    response = client.get("/datasets/nowhere/")

    assert response.status_code == 404
    assert "Not found" in response.content.decode()


def test_nothing_can_be_sent_here(client, dataset):
    assert client.post("/datasets/").status_code == 405
    assert client.post(f"/datasets/{dataset.slug}/").status_code == 405


def test_no_page_reveals_what_is_in_an_image(client, dataset):
    Image.objects.update(prompt="a secret prompt", model_name="a secret model")

    assert "secret" not in client.get(f"/datasets/{dataset.slug}/").content.decode()
