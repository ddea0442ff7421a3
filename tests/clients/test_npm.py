"""The npm package that bots and sites rate through, in the releases before and after its rewriting."""

import uuid

import pytest
from django.utils import timezone

from accounts.services import create_api_key
from ratings.leases import book
from ratings.models import Image, Rating
from tests.factories import DatasetFactory, make_images

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RELEASES = ("ai_horde_4", "ai_horde_5")


@pytest.fixture(params=RELEASES)
def release(request):
    return request.param


@pytest.fixture
def ask(npm, dataset, release):
    """Call a method of the release under test."""

    def call(method, *args, **options):
        return npm(release, method, *args, **options)

    return call


def assert_thrown(outcome, status, release, code):
    """The package says which status, and the sentence and the code that we gave, instead of breaking on our answer."""
    thrown = outcome["thrown"]
    # Release 4 reads the status from a field that its HTTP library names so, release 5 from the standard one.
    assert thrown["status"] == status
    assert thrown["raw"]["rc"] == code
    assert thrown["raw"]["message"]
    if release == "ai_horde_5":
        assert (thrown["kind"], thrown["code"]) == ("APIError", code)
        assert thrown["message"]


def test_it_works(ask, rater, dataset):
    image = ask("getNewRating")["value"]
    assert {"id", "url", "dataset_id"} <= image.keys()
    answer = ask("postRating", image["id"], {"rating": 7, "artifacts": 1})["value"]
    assert answer == {"message": "Rating submitted", "reward": 5}
    rating = Rating.objects.get()
    assert (str(rating.image_id), rating.aesthetic, rating.artifacts) == (image["id"], 7, 1)
    assert (rating.client_agent, rating.rater.identity_id) == ("old-client:1:nobody", rater.identity_id)


def test_datasets_and_teams_are_arrays_without_a_key(ask, dataset):
    other = DatasetFactory(name="Étoiles", description="Stars")
    found = ask("getDatasets")["value"]
    assert [one["id"] for one in found] == [str(dataset.pk), str(other.pk)]
    assert found[1] == {"id": str(other.pk), "name": "Étoiles", "description": "Stars", "image_count": 0}
    assert ask("getTeams")["value"] == []


def test_fields_are_chosen(ask, dataset):
    assert ask("getDatasets", {"fields": ["id", "name"]})["value"] == [{"id": str(dataset.pk), "name": dataset.name}]
    assert ask("getTeams", {"fields": ["id"]})["value"] == []
    image = ask("getNewRating", None, {"fields": ["id"]})["value"]
    assert list(image) == ["id"]
    answer = ask("postRating", image["id"], {"rating": 3}, {"fields": ["reward"]})["value"]
    assert answer == {"reward": 5}


def test_an_image_of_a_dataset_and_of_a_model_whose_name_is_put_into_the_address_as_it_is(ask):
    other = DatasetFactory(slug="shared")
    make_images(other, 2, model_name="stable diffusion 2.1")
    make_images(other, 2, model_name="org/model.v1 (é)")
    for name in ("stable diffusion 2.1", "org/model.v1 (é)"):
        for named in (str(other.pk), other.slug):
            image = ask("getNewRating", {"dataset_id": named, "model_name": name})["value"]
            assert image["dataset_id"] == str(other.pk)
            assert Image.objects.get(pk=image["id"]).model_name == name


def test_an_image_of_a_dataset(ask, dataset):
    other = DatasetFactory(slug="shared")
    make_images(other, 1)
    assert ask("getNewRating", {"dataset_id": str(other.pk)})["value"]["dataset_id"] == str(other.pk)
    assert ask("getNewRating", {"dataset_id": dataset.slug})["value"]["dataset_id"] == str(dataset.pk)


def test_without_a_key_one_rates_anonymously(ask):
    image = ask("getNewRating", token=None)["value"]
    assert ask("postRating", image["id"], {"rating": 7}, token=None)["value"]["reward"] >= 1
    assert Rating.objects.get().is_shared


@pytest.mark.parametrize("artifacts", ["FLAWLESS", "GARBAGE", 0, None])
def test_artifacts_by_name_by_number_or_not_at_all(ask, artifacts):
    image = ask("getNewRating")["value"]
    said = {"rating": 7} if artifacts is None else {"rating": 7, "artifacts": artifacts}
    assert ask("postRating", image["id"], said)["value"]["message"]
    assert Rating.objects.get().artifacts == {"FLAWLESS": 0, "GARBAGE": 5, 0: 0, None: None}[artifacts]


def test_a_wrong_key_is_thrown(ask, release):
    for outcome in (
        ask("getNewRating", token="x" * 22),
        ask("postRating", str(uuid.uuid4()), {"rating": 7}, token="x"),
    ):
        assert_thrown(outcome, 401, release, "InvalidAPIKey")


def test_a_key_that_may_not_rate_is_thrown_and_never_asks_again(ask, rater, release):
    _, key = create_api_key(user=rater.user, name="read only", scopes=["read"], now=timezone.now())
    assert_thrown(ask("getNewRating", token=key), 401, release, "InvalidAPIKey")


def test_no_image_left_is_thrown_or_told(ask, release):
    Image.objects.update(is_open=False)
    outcome = ask("getNewRating")
    if release == "ai_horde_5":
        assert_thrown(outcome, 404, release, "NoImageLeft")
    else:
        # Release 4 takes what it does not know for an answer; there is no id in it.
        assert "id" not in outcome["value"]
        assert outcome["value"]["message"]


def test_no_such_dataset_or_model_is_thrown_or_told(ask, release, dataset):
    wanted = [("nothing", None), (str(uuid.uuid4()), None), (dataset.slug, "nothing at all"), (dataset.slug, "%00")]
    for dataset_id, model in wanted:
        outcome = ask("getNewRating", {"dataset_id": dataset_id, "model_name": model})
        if release == "ai_horde_5":
            assert_thrown(outcome, 404, release, "NoImageLeft" if model else "DatasetNotFound")
        else:
            assert "id" not in outcome["value"]


def test_too_many_images_taken_is_thrown_or_told(ask, release, monkeypatch):
    monkeypatch.setattr(book, "FREE_LEASES", 1)
    image = ask("getNewRating")["value"]
    Image.objects.filter(pk=image["id"]).update(is_open=False)
    outcome = ask("getNewRating")
    if release == "ai_horde_5":
        assert_thrown(outcome, 429, release, "TooManyLeases")
    else:
        assert "id" not in outcome["value"]


def test_a_repeat_and_an_image_never_taken_are_thrown(ask, release):
    image = ask("getNewRating")["value"]
    assert ask("postRating", image["id"], {"rating": 7})["value"]["reward"] == 5
    for not_mine in (image["id"], str(uuid.uuid4()), "nonsense"):
        assert_thrown(ask("postRating", not_mine, {"rating": 7}), 403, release, "NotLeased")
    assert Rating.objects.count() == 1


def test_a_rating_off_the_scale_is_thrown_with_the_field(ask, release):
    image = ask("getNewRating")["value"]
    for said, field in (({"rating": 11}, "rating"), ({"rating": 7, "artifacts": "AWFUL"}, "artifacts"), ({}, "rating")):
        outcome = ask("postRating", image["id"], said)
        assert_thrown(outcome, 400, release, "ValidationFailed")
        assert field in outcome["thrown"]["raw"]["errors"]
    assert not Rating.objects.exists()
