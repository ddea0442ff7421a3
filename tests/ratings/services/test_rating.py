import uuid
from datetime import timedelta
from random import Random

import pytest
from django.conf import settings

from accounts.models import Identity, IdentityKind, User
from ratings.leases.token import Lease, new_lease_id, sign_lease
from ratings.models import Dataset, Image, Rater, Rating, Skip
from ratings.rewards import PriceList
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.refusals import AlreadyRated, IdempotencyKeyReused, ImageUnavailable, NotLeased, RatingInvalid
from ratings.services.skipping import skip_image
from tests.people import make_person, make_stranger, now

pytestmark = pytest.mark.django_db
PRICES = PriceList(rating=5, artifacts=2, best_of_set=15)


def submit(caller, leased, *, at=None, **fields):
    values = {"aesthetic": 7, "artifacts": 1, "lease": leased.lease, "image_id": leased.image_id} | fields
    return submit_rating(caller=caller, submission=RatingSubmission(**values), prices=PRICES, now=at or now())


def test_it_works(rater, lease, adds_up):
    leased = lease(rater.caller)
    submitted = submit(rater.caller, leased, client_agent="ArtBot:v.1:(discord)somebody#1")
    rating = Rating.objects.get()
    image = Image.objects.get(pk=leased.image_id)
    assert (submitted.rating_id, submitted.reward, submitted.state) == (rating.pk, 7, "counted")
    assert (rating.aesthetic, rating.artifacts, rating.reward, rating.proof) == (7, 1, 7, "lease")
    assert (rating.client_agent, rating.address_hash) == ("ArtBot:v.1:(discord)somebody#1", rater.caller.address_hash)
    assert (image.rating_count, image.aesthetic_sum, image.artifacts_count, image.artifacts_sum) == (1, 7, 1, 1)
    assert Rater.objects.get(identity_id=rater.identity_id).rating_count == 1
    adds_up()


def test_it_keeps_the_rater_as_they_were(rater, lease):
    Rater.objects.filter(identity_id=rater.identity_id).update(
        images_generated=40, external_kudos=900, is_trusted=True, challenges_failed=-2
    )
    User.objects.filter(pk=rater.user.pk).update(date_joined=now() - timedelta(days=3))
    submit(rater.caller, lease(rater.caller))
    submit(rater.caller, lease(rater.caller))
    first, second = Rating.objects.order_by("id")
    assert (second.rater_images_generated, second.rater_kudos, second.rater_is_trusted) == (40, 900, True)
    assert (second.rater_challenges_failed, first.rater_rating_count, second.rater_rating_count) == (-2, 0, 1)
    assert second.rater_account_age == pytest.approx(3 * 86400, abs=60)


@pytest.mark.parametrize(
    "fields",
    [{"aesthetic": 0}, {"aesthetic": 11}, {"artifacts": -1}, {"artifacts": 6}, {"idempotency_key": "k" * 41}],
    ids=str,
)
def test_it_rejects_values_outside_their_scale(rater, lease, fields):
    leased = lease(rater.caller)
    with pytest.raises(RatingInvalid):
        submit(rater.caller, leased, **fields)
    assert not Rating.objects.exists()
    submit(rater.caller, leased)


def test_it_rejects_an_image_that_was_never_leased(rater, dataset):
    image = Image.objects.first()
    submission = RatingSubmission(image_id=image.pk, aesthetic=7)
    with pytest.raises(NotLeased):
        submit_rating(caller=rater.caller, submission=submission, prices=PRICES, now=now())


def test_it_rejects_the_lease_of_somebody_else(rater, outsider, lease):
    leased = lease(rater.caller)
    with pytest.raises(NotLeased):
        submit(outsider.caller, leased)
    with pytest.raises(NotLeased):
        submit(outsider.caller, leased, lease=None)


@pytest.mark.parametrize("token", ["x", "", "é" * 66, "A" * 66, "A" * 5000])
def test_it_rejects_a_lease_that_is_made_up(rater, lease, token):
    leased = lease(rater.caller)
    with pytest.raises(NotLeased):
        submit(rater.caller, leased, lease=token or "-")


def test_it_rejects_a_lease_for_another_image(rater, lease):
    one, other = lease(rater.caller), lease(rater.caller)
    with pytest.raises(NotLeased):
        submit(rater.caller, one, lease=other.lease)


def test_it_finds_the_live_lease_for_clients_that_send_only_the_image(rater, lease, adds_up):
    leased = lease(rater.caller)
    submit(rater.caller, leased, lease=None)
    assert Rating.objects.get().proof == "lookup"
    with pytest.raises(NotLeased):
        submit(rater.caller, leased, lease=None)
    adds_up()


def test_it_accepts_a_signed_lease_for_a_week_and_says_that_it_is_late(rater, lease):
    in_time, late, too_late = (lease(rater.caller) for _ in range(3))
    submit(rater.caller, in_time, at=now() + timedelta(minutes=29))
    submit(rater.caller, late, at=now() + timedelta(days=6, hours=23))
    with pytest.raises(NotLeased):
        submit(rater.caller, too_late, at=now() + timedelta(days=7, minutes=1))
    assert list(Rating.objects.order_by("id").values_list("is_late", flat=True)) == [False, True]


def test_it_stores_one_rating_for_each_rater_and_image(rater, lease, adds_up):
    leased = lease(rater.caller)
    submit(rater.caller, leased)
    second = Lease(new_lease_id(now_ms=int(now().timestamp() * 1000), dice=Random(1)), leased.image_id, 1)
    for token in (leased.lease, sign_lease(second, rater.caller.holder)):
        with pytest.raises(AlreadyRated):
            submit(rater.caller, leased, lease=token)
    assert Rating.objects.count() == 1
    adds_up()


def test_it_gives_the_same_answer_to_the_same_idempotency_key(rater, lease, adds_up):
    leased = lease(rater.caller)
    first = submit(rater.caller, leased, idempotency_key="once")
    again = submit(rater.caller, leased, idempotency_key="once", aesthetic=2)
    assert (again.rating_id, again.reward, again.is_repeat) == (first.rating_id, first.reward, True)
    assert Rating.objects.get().aesthetic == 7
    with pytest.raises(IdempotencyKeyReused):
        submit(rater.caller, lease(rater.caller), idempotency_key="once")
    adds_up()


def test_it_lets_the_shared_key_rate_an_image_often_but_a_lease_once(lease, adds_up):
    one, other = make_stranger("1"), make_stranger("2")
    leased = lease(one)
    assert submit(one, leased, idempotency_key="k").reward == 7
    with pytest.raises(AlreadyRated):
        submit(one, leased)
    second = Lease(new_lease_id(now_ms=int(now().timestamp() * 1000), dice=Random(1)), leased.image_id, 1)
    submit(other, leased, lease=sign_lease(second, other.holder), idempotency_key="k")
    assert list(Rating.objects.values_list("reward", "is_shared")) == [(0, True), (0, True)]
    assert Rater.objects.get().rating_count == 0
    adds_up()


def test_it_makes_identity_and_rater_with_the_first_rating_of_a_browser(lease):
    from accounts.access import browser_caller

    caller = browser_caller(uuid.uuid4().hex, "c" * 32)
    leased = lease(caller)
    assert not Identity.objects.filter(kind=IdentityKind.BROWSER).exists()
    submit(caller, leased)
    assert Rating.objects.get().rater.identity.external_id == caller.external_id


def test_it_closes_an_image_that_has_what_it_needs(dataset, lease, adds_up):
    Dataset.objects.update(target_rating_count=1)
    person = make_person()
    leased = lease(person.caller)
    submit(person.caller, leased)
    assert not Image.objects.get(pk=leased.image_id).is_open
    adds_up()


def test_it_accepts_ratings_of_a_paused_dataset_and_refuses_those_of_a_closed_one(rater, lease):
    one, other = lease(rater.caller), lease(rater.caller)
    Dataset.objects.update(state="paused")
    submit(rater.caller, one)
    Dataset.objects.update(state="closed")
    with pytest.raises(ImageUnavailable):
        submit(rater.caller, other)


def test_it_refuses_an_image_that_was_hidden_meanwhile(rater, lease):
    leased = lease(rater.caller)
    Image.objects.filter(pk=leased.image_id).update(status="hidden", is_open=False)
    with pytest.raises(ImageUnavailable):
        submit(rater.caller, leased)


def test_it_keeps_ratings_of_a_quarantined_rater_out_of_every_count(rater, lease, adds_up):
    leased = lease(rater.caller)
    Rater.objects.filter(identity_id=rater.identity_id).update(state="quarantined")
    assert submit(rater.caller, leased).reward == 7
    assert Rating.objects.get().state == "quarantined"
    assert Image.objects.get(pk=leased.image_id).rating_count == 0
    adds_up()


@pytest.mark.parametrize("agent", ["", "\x00\x01", "x" * 5000, "naïve:1:☃"])
def test_it_stores_whatever_a_client_calls_itself(rater, lease, agent):
    submit(rater.caller, lease(rater.caller), client_agent=agent)
    assert 0 < len(Rating.objects.get().client_agent) <= 200


def test_it_runs_at_most_four_statements(rater, lease, tmp_path):
    """Counted on the wire, so that prepared statements that Django's own counters do not see count too."""
    from django.db import connection

    leases = [lease(rater.caller) for _ in range(7)]
    for leased in leases[:6]:
        submit(rater.caller, leased)  # beyond the threshold from which statements are prepared
    trace = tmp_path / "wire.txt"
    with trace.open("w") as file:
        connection.connection.pgconn.trace(file.fileno())
        submit(rater.caller, leases[6])
        connection.connection.pgconn.untrace()
    sent = [line for line in trace.read_text().splitlines() if "\tF\t" in line]
    statements = [line for line in sent if "Execute" in line or "Query" in line]
    assert 1 <= len(statements) <= 4


def test_skip_image_does_not_offer_the_image_again(rater, lease, dataset):
    Image.objects.exclude(pk__in=Image.objects.values("pk")[:2]).update(is_open=False, status="hidden")
    skipped = lease(rater.caller)
    skip_image(caller=rater.caller, image_id=skipped.image_id, lease=skipped.lease, now=now())
    skip_image(caller=rater.caller, image_id=skipped.image_id, lease=skipped.lease, now=now())
    assert Skip.objects.count() == 1
    assert lease(rater.caller).image_id != skipped.image_id


def test_the_default_dataset_is_the_one_of_the_settings(dataset):
    assert dataset.slug == settings.DEFAULT_DATASET
