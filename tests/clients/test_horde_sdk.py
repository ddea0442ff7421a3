"""The Python package that moderators' tools are written with, as it was in 2023 and as it is today."""

import uuid

import pytest
from django.utils import timezone

from accounts.access import Caller
from accounts.models import Identity, IdentityKind
from accounts.services import create_api_key
from ratings.models import Dataset, Image, Rater, Rating
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import lease_images
from ratings.services.rater import ensure_rater
from ratings.services.rating import RatingSubmission, submit_rating
from tests.accounts.staff import make_moderator
from tests.people import make_stranger, now
from tests.ratings.services.test_rating import PRICES

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
FILTER = {"format": "json", "rating": None, "rating_comparison": None, "min_ratings": 0}


@pytest.fixture
def moderator_key(transactional_db):
    _, secret = create_api_key(user=make_moderator().user, name="sdk", scopes=["moderate"], now=timezone.now())
    return secret


@pytest.fixture
def horde_user(transactional_db):
    """A user of AI Horde, with the number that the package asks by."""
    identity = Identity.objects.create(kind=IdentityKind.HORDE, external_id="6572", name="db0#6572")
    caller = Caller(IdentityKind.HORDE, "6572", identity.pk, None, "horde:6572", "c" * 32)
    ensure_rater(caller, now=now())
    return caller


@pytest.fixture
def rated_image(dataset, horde_user, rater):
    """One image, rated 9 by the user of AI Horde, 3 by an account of ours and 4 by two people without a key."""
    image = Image.objects.first()
    Image.objects.exclude(pk=image.pk).update(is_open=False)
    Dataset.objects.update(target_rating_count=100)
    strangers = ((make_stranger("d"), 4, 2), (make_stranger("e"), 4, 2))
    for caller, aesthetic, artifacts in ((horde_user, 9, 0), (rater.caller, 3, None), *strangers):
        [leased] = lease_images(caller=caller, dataset=get_dataset_for_rating(dataset.slug), count=1, now=now())
        submission = RatingSubmission(
            image_id=leased.image_id, aesthetic=aesthetic, artifacts=artifacts, lease=leased.lease
        )
        submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())
    Rater.objects.filter(identity_id=horde_user.identity_id).update(challenges_failed=-2)
    return image


def value_of(answer, kind):
    assert answer.get("kind") == kind, answer
    return answer["value"]


def told(answer):
    """Return our message from the error that every release makes of it."""
    return value_of(answer, "RequestErrorResponse")["message"]


def test_it_works(sdk, moderator_key, rated_image, live_server):
    """All four requests that the package knows, one after the other."""
    key = {"apikey": moderator_key}
    check, mine, everybody, image = sdk(
        ["UserCheckRequest", {**key, "user_id": "6572", "minutes": 120, "divergence": 3}],
        ["UserValidateRequest", {**key, **FILTER, "user_id": "6572"}],
        ["UserRatingsRequest", {**key, **FILTER, "limit": 250, "diverge": None}],
        ["ImageRatingsRequest", {**key, "format": "json", "image_id": str(rated_image.pk)}],
    )
    checked = value_of(check, "UserCheckResponse")
    assert (checked["ratings_in_timeframe"], checked["ratings_per_minute_in_timeframe"]) == (1, 1 / 120)
    assert (checked["ratings_past_three_hours"], checked["ratings_per_minute_for_past_three_hours"]) == (1, 1 / 180)
    assert (checked["suspect_divergences"], checked["captchas_failed"]) == (1, -2)

    url = f"{live_server.url}/images/{rated_image.pk}.webp"
    [record] = value_of(mine, "UserValidateResponse")["ratings"]
    assert (record["image"], record["rating"], record["artifacts"], record["times_rated"]) == (url, 9, 0, 3)
    assert 3 <= record["average"] <= 4

    listed = value_of(everybody, "UserRatingsResponse")
    assert listed["total"] == 4
    assert {(one["rating"], one["artifacts"]) for one in listed["ratings"]} == {(9, 0), (3, None), (4, 2)}
    assert {one["image"] for one in listed["ratings"]} == {url}
    assert all("#" in one["username"] for one in listed["ratings"])

    if image.get("kind") == "RequestErrorResponse":
        # The oldest release has no way to name the image: it asks for "{image_id}", and is told that there is none.
        assert told(image) == "There is no such image."
        return
    rated = value_of(image, "ImageRatingsResponse")
    assert (rated["image_id"], rated["image"], rated["times_rated"], rated["total"]) == (str(rated_image.pk), url, 4, 4)
    assert rated["average"] == 5.0
    names = {one["username"] for one in rated["ratings"]}
    assert {"db0#6572", "anonymous#0"} < names
    # Ours begin where AI Horde will never come to.
    assert any(int(name.rpartition("#")[2]) > 1_000_000_000 for name in names)


def test_filters_and_pages(sdk, moderator_key, rated_image):
    base = {"apikey": moderator_key, **FILTER, "limit": 100, "diverge": None}
    high, low, flawed, page, none = (
        value_of(answer, "UserRatingsResponse")
        for answer in sdk(
            ["UserRatingsRequest", {**base, "rating": 4, "rating_comparison": "ge"}],
            ["UserRatingsRequest", {**base, "rating": 4, "rating_comparison": "le"}],
            ["UserRatingsRequest", {**base, "artifacts": 2, "artifacts_comparison": "eq"}],
            ["UserRatingsRequest", {**base, "limit": 2, "offset": 3}],
            ["UserRatingsRequest", {**base, "min_ratings": 50}],
        )
    )
    assert {one["rating"] for one in high["ratings"]} == {9, 4}
    assert {one["rating"] for one in low["ratings"]} == {3, 4}
    assert [one["rating"] for one in flawed["ratings"]] == [4, 4]
    assert page["total"] == len(page["ratings"]) == 1
    assert (none["total"], none["ratings"]) == (0, [])


def test_refusals_are_answers_that_the_package_can_read(sdk, moderator_key, outsider, rated_image):
    """A wrong key, one of somebody who does not moderate, a user and an image that are not there."""
    check = {"user_id": "6572", "minutes": 10, "divergence": 3}
    answers = sdk(
        ["UserCheckRequest", {**check, "apikey": "A" * 22}],
        ["UserCheckRequest", {**check, "apikey": "0000000000"}],
        ["UserCheckRequest", {**check, "apikey": outsider.key}],
        ["UserCheckRequest", {**check, "apikey": moderator_key, "user_id": "999999"}],
        ["UserRatingsRequest", {"apikey": outsider.key, **FILTER, "limit": 1, "diverge": None}],
        ["ImageRatingsRequest", {"apikey": moderator_key, "format": "json", "image_id": str(uuid.uuid4())}],
    )
    words = [told(answer) for answer in answers]
    assert len(words) == 6
    assert all(words)
    assert Rating.objects.count() == 4


def test_a_value_off_the_scale_raises_what_the_package_has_for_it(sdk, moderator_key, rated_image):
    [answer] = sdk(
        ["UserRatingsRequest", {"apikey": moderator_key, **FILTER, "rating": 11, "limit": 1, "diverge": None}]
    )
    assert answer["raised"] in {"AIHordePayloadValidationError", "RuntimeError"}
    assert "Input payload validation failed" in answer["text"]
