"""What becomes of a comparison: stored once, proven, and refused in plain words."""

import uuid
from datetime import timedelta
from random import Random

import pytest

from ratings.leases.set_token import SetLease, sign_set_lease, verify_set_lease
from ratings.leases.token import LeaseInvalid, new_lease_id
from ratings.models import Comparison, ComparisonRevision, Image, ImageInSet, ImageSet, Rater, Rendition, SetSkip
from ratings.rewards import PriceList
from ratings.services.comparing_again import (
    ComparisonLocked,
    NewAnswer,
    NoSuchComparison,
    return_sets,
    revise_comparison,
    skip_set,
    unskip_set,
)
from ratings.services.comparison import ComparisonSubmission, WrongBytes, submit_comparison
from ratings.services.refusals import (
    AlreadyRated,
    IdempotencyKeyReused,
    ImageUnavailable,
    NotLeased,
    RatingInvalid,
)
from tests.people import make_stranger, now

pytestmark = pytest.mark.django_db
PRICES = PriceList(rating=5, artifacts=2, best_of_set=15)


def submit(caller, leased, *, at=None, **fields):
    best = leased.images[0].image_id if fields.get("outcome", "best") == "best" else None
    values = {"set_id": leased.set_id, "lease": leased.lease, "best_id": best} | fields
    return submit_comparison(caller=caller, submission=ComparisonSubmission(**values), prices=PRICES, now=at or now())


def revise(caller, compared, outcome, best_id=None, *, at=None, key=None):
    answer = NewAnswer(outcome, best_id, key)
    return revise_comparison(caller=caller, compared=compared, answer=answer, prices=PRICES, now=at or now())


def ids_of(leased):
    return [image.image_id for image in leased.images]


def sign_again(leased, holder, *, lease_id=None, **fields):
    lease_id = lease_id or new_lease_id(now_ms=int(now().timestamp() * 1000), dice=Random(1))
    values = {"set_id": leased.set_id, "image_ids": tuple(ids_of(leased)), "scale_version": 1} | fields
    return sign_set_lease(SetLease(lease_id, **values), holder)


def test_it_works(rater, lease_set, adds_up):
    leased = lease_set(rater.caller, size=3)
    submitted = submit(rater.caller, leased, client_agent="ArtBot:v.1:(discord)somebody#1")
    comparison = Comparison.objects.get()
    assert (submitted.comparison_id, submitted.reward, submitted.state) == (comparison.pk, 15, "counted")
    assert (comparison.image_ids, comparison.best_id) == (ids_of(leased), leased.images[0].image_id)
    assert (comparison.outcome, comparison.best_from, comparison.reward, comparison.proof) == (
        "best",
        "given",
        15,
        "lease",
    )
    assert comparison.address_hash == rater.caller.address_hash
    places = ImageInSet.objects.order_by("position").values_list("image_set_id", "image_id")
    assert list(places) == [(leased.set_id, image_id) for image_id in sorted(ids_of(leased))]
    adds_up()


@pytest.mark.parametrize("outcome", ["tie", "all_bad"])
def test_there_need_be_no_best(rater, lease_set, outcome, adds_up):
    assert submit(rater.caller, lease_set(rater.caller), outcome=outcome).outcome == outcome
    assert list(Comparison.objects.values_list("outcome", "best", "is_tied")) == [(outcome, None, False)]
    adds_up()


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "worst"},
        {"outcome": ""},
        {"outcome": "best", "best_id": None},
        {"outcome": "tie", "best_id": uuid.UUID(int=1)},
        {"best_id": uuid.UUID(int=1)},
        {"idempotency_key": "k" * 41},
        {"idempotency_key": "\0"},
        {"hashes": ["12345678"]},
        {"hashes": ["zzzzzzzz", "12345678"]},
        {"hashes": ["123", "12345678"]},
    ],
    ids=str,
)
def test_it_rejects_what_is_no_answer(rater, lease_set, fields):
    leased = lease_set(rater.caller, size=2)
    with pytest.raises(RatingInvalid):
        submit(rater.caller, leased, **fields)
    assert (Comparison.objects.count(), ImageSet.objects.count()) == (0, 0)
    submit(rater.caller, leased)


@pytest.mark.parametrize("token", ["x", "", "é" * 66, "A" * 66, "A" * 5000])
def test_it_rejects_a_lease_that_is_made_up(rater, lease_set, token):
    with pytest.raises(NotLeased):
        submit(rater.caller, lease_set(rater.caller), lease=token)


def test_it_rejects_the_lease_of_somebody_else_of_another_set_and_of_an_image(rater, outsider, lease_set, lease):
    leased, other = lease_set(rater.caller), lease_set(rater.caller)
    with pytest.raises(NotLeased):
        submit(outsider.caller, leased)
    for token in (other.lease, lease(rater.caller).lease):
        with pytest.raises(NotLeased):
            submit(rater.caller, leased, lease=token)


def test_a_token_names_two_to_four_images(rater):
    for count, is_whole in ((1, False), (2, True), (4, True), (5, False)):
        lease = SetLease(uuid.uuid4(), uuid.uuid4(), tuple(uuid.uuid4() for _ in range(count)), 1)
        token = sign_set_lease(lease, rater.caller.holder)
        with pytest.raises(LeaseInvalid, match="older" if is_whole else "cannot be read"):
            verify_set_lease(token, holder=rater.caller.holder, now_ms=0)


def test_a_lease_is_good_for_a_week_and_says_that_it_is_late(rater, lease_set):
    in_time, late, too_late = (lease_set(rater.caller) for _ in range(3))
    submit(rater.caller, in_time, at=now() + timedelta(minutes=29))
    submit(rater.caller, late, at=now() + timedelta(days=6, hours=23))
    with pytest.raises(NotLeased):
        submit(rater.caller, too_late, at=now() + timedelta(days=7, minutes=1))
    assert list(Comparison.objects.order_by("id").values_list("is_late", flat=True)) == [False, True]


def test_one_rater_compares_a_set_once(rater, lease_set, adds_up):
    leased = lease_set(rater.caller)
    submit(rater.caller, leased)
    for token in (leased.lease, sign_again(leased, rater.caller.holder)):
        with pytest.raises(AlreadyRated):
            submit(rater.caller, leased, lease=token)
    assert Comparison.objects.count() == 1
    adds_up()


def test_the_same_idempotency_key_gets_the_same_answer_also_when_the_lease_is_over(rater, lease_set, adds_up):
    leased = lease_set(rater.caller)
    first = submit(rater.caller, leased, idempotency_key="once")
    for at in (now(), now() + timedelta(days=9)):
        again = submit(rater.caller, leased, idempotency_key="once", outcome="tie", at=at)
        assert (again.comparison_id, again.outcome, again.is_repeat) == (first.comparison_id, "best", True)
    with pytest.raises(IdempotencyKeyReused):
        submit(rater.caller, lease_set(rater.caller), idempotency_key="once")
    assert ImageSet.objects.count() == 1
    adds_up()


def test_behind_the_shared_key_many_compare_a_set_but_a_lease_is_used_once(lease_set, adds_up):
    one, other = make_stranger("1"), make_stranger("2")
    leased = lease_set(one)
    submit(one, leased, idempotency_key="k")
    with pytest.raises(AlreadyRated):
        submit(one, leased)
    submit(other, leased, lease=sign_again(leased, other.holder), idempotency_key="k")
    assert list(Comparison.objects.values_list("reward", "is_shared")) == [(0, True), (0, True)]
    adds_up()


@pytest.mark.parametrize("status", ["hidden", "withdrawn"])
def test_an_image_taken_down_meanwhile_ends_it(rater, lease_set, status):
    leased = lease_set(rater.caller)
    Image.objects.filter(pk=ids_of(leased)[1]).update(status=status, is_open=False)
    with pytest.raises(ImageUnavailable):
        submit(rater.caller, leased)
    assert not ImageSet.objects.exists()


def test_a_closed_dataset_ends_it_and_a_paused_one_does_not(rater, lease_set, dataset):
    leased = lease_set(rater.caller)
    type(dataset).objects.update(state="closed")
    with pytest.raises(ImageUnavailable):
        submit(rater.caller, leased)
    type(dataset).objects.update(state="paused")
    submit(rater.caller, leased)


def test_the_bytes_shown_are_proven_or_refused(rater, lease_set):
    for image in Image.objects.all():
        sizes = {"size": 512, "width": 512, "height": 512, "byte_count": 1, "file": "f"}
        Rendition.objects.create(image=image, sha256=image.sha256, **sizes)
    leased = lease_set(rater.caller, size=2)
    right = [Image.objects.get(pk=image_id).sha256[:8] for image_id in ids_of(leased)]
    with pytest.raises(WrongBytes):
        submit(rater.caller, leased, hashes=right[::-1])
    assert not Comparison.objects.exists()
    submit(rater.caller, leased, hashes=right)
    assert Comparison.objects.get().proof == "hash"


def test_without_valkey_the_signed_lease_is_enough(rater, lease_set, settings, adds_up):
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    submit(rater.caller, lease_set(rater.caller))
    assert Comparison.objects.get().proof == "lease"
    adds_up()


def test_what_a_rater_in_quarantine_gives_does_not_count(rater, lease_set, adds_up):
    Rater.objects.filter(identity_id=rater.identity_id).update(state="quarantined", state_before="new")
    assert submit(rater.caller, lease_set(rater.caller)).state == "quarantined"
    adds_up()


def test_a_comparison_is_revised_for_a_day_and_its_history_kept(rater, lease_set, adds_up):
    leased = lease_set(rater.caller, size=3)
    first, second, _ = ids_of(leased)
    given = submit(rater.caller, leased)
    assert revise(rater.caller, given.comparison_id, "best", first).is_repeat
    assert revise(rater.caller, leased.set_id, "best", second, key="a").best_id == second
    assert revise(rater.caller, given.comparison_id, "all_bad", key="b").outcome == "all_bad"
    # Sent once more, late: what came after it stands.
    assert revise(rater.caller, given.comparison_id, "best", second, key="a").outcome == "all_bad"
    history = ComparisonRevision.objects.order_by("number").values_list("number", "outcome", "best_id")
    assert list(history) == [(1, "best", first), (2, "best", second)]
    with pytest.raises(ComparisonLocked):
        revise(rater.caller, given.comparison_id, "tie", at=now() + timedelta(hours=24, minutes=1))
    with pytest.raises(RatingInvalid):
        revise(rater.caller, given.comparison_id, "best", uuid.uuid4())
    assert Comparison.objects.get().outcome == "all_bad"
    adds_up()


def test_nobody_revises_what_is_not_theirs(rater, outsider, lease_set):
    stranger = make_stranger("1")
    given, shared = submit(rater.caller, lease_set(rater.caller)), submit(stranger, lease_set(stranger))
    for caller, compared in (
        (outsider.caller, given.comparison_id),
        (make_stranger("2"), given.comparison_id),
        (stranger, shared.comparison_id),
        (rater.caller, 0),
        (rater.caller, uuid.uuid4()),
    ):
        with pytest.raises(NoSuchComparison):
            revise(caller, compared, "tie")


def test_a_voided_comparison_is_not_revised(rater, lease_set):
    given = submit(rater.caller, lease_set(rater.caller))
    Comparison.objects.update(state="superseded")
    with pytest.raises(ComparisonLocked):
        revise(rater.caller, given.comparison_id, "tie")


def test_a_skipped_set_is_remembered_and_taken_back(rater, lease_set):
    leased = lease_set(rater.caller)
    for reason, kept in (("", ""), ("personal", "personal"), ("", "personal")):
        skip_set(caller=rater.caller, set_id=leased.set_id, token=leased.lease, reason=reason, now=now())
        assert list(SetSkip.objects.values_list("reason", flat=True)) == [kept]
    with pytest.raises(RatingInvalid):
        skip_set(caller=rater.caller, set_id=leased.set_id, token=leased.lease, reason="bored", now=now())
    with pytest.raises(NotLeased):
        skip_set(caller=rater.caller, set_id=uuid.uuid4(), token=leased.lease, now=now())
    unskip_set(caller=rater.caller, set_id=leased.set_id, token=leased.lease, now=now())
    assert not SetSkip.objects.exists()


def test_leases_are_given_back_as_far_as_they_are_ones_own(rater, outsider, lease_set):
    mine, theirs = lease_set(rater.caller), lease_set(outsider.caller)
    assert return_sets(caller=rater.caller, tokens=[mine.lease, theirs.lease, "x"], now=now()) == 1
