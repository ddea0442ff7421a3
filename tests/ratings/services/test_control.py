"""Controls are handed out and answered as images as any other are."""

import threading
from collections import Counter
from dataclasses import asdict
from datetime import timedelta

import pytest
from django.db import connections

from ratings.models import ControlAnswer, GoldImage, Image, Rater, RaterTransition, Rating
from ratings.selection import NoImageLeft
from ratings.services.proving import return_leases
from ratings.services.rating import SubmittedRating
from ratings.services.refusals import AlreadyRated, IdempotencyKeyReused, ImageUnavailable, NotLeased, WrongBytes
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, make_stranger, now
from tests.ratings.controlled import (
    ALL_GOLD,
    NO_GOLD,
    answer,
    count_rows,
    counts,
    kind_of,
    make_gold,
    take,
    take_kind,
    valkey_forget,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def golden(db):
    """A dataset of 300 images and 30 of gold."""
    dataset = DatasetFactory(target_rating_count=1000)
    make_images(dataset, 300)
    make_gold(dataset)
    return dataset


def test_it_works(golden, settings, adds_up):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    leased = take_kind(person.caller, golden, "gold")
    before = counts()
    submitted = answer(person.caller, leased, aesthetic=9, artifacts=0)
    assert counts() == (before[0], before[1] + 1)
    stored = ControlAnswer.objects.get(pk=submitted.rating_id)
    gold = GoldImage.objects.get(pk=leased.image_id)
    assert (stored.kind, stored.aesthetic, stored.known_aesthetic) == ("gold", 9, gold.aesthetic)
    assert (stored.aesthetic_share, stored.artifacts_share) == (gold.aesthetic_share, gold.artifacts_share)
    assert Image.objects.get(pk=leased.image_id).rating_count == 0
    adds_up()


def test_a_control_answers_as_a_rating_does(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    person, fields = make_person(), {}
    numbers = []
    for kind in ("rating", "gold", "rating", "gold"):
        leased = take_kind(person.caller, golden, kind)
        given = answer(person.caller, leased, idempotency_key=f"{kind}{len(numbers)}", at=now())
        again = answer(person.caller, leased, idempotency_key=f"{kind}{len(numbers)}")
        numbers.append(given.rating_id)
        assert isinstance(given, SubmittedRating)
        assert asdict(again) == asdict(given) | {"is_repeat": True}
        fields.setdefault(kind, {name: type(value) for name, value in asdict(given).items()})
        assert (given.reward, given.state, given.is_repeat) == (7, "counted", False)
    assert fields["rating"] == fields["gold"]
    assert numbers == sorted(numbers)
    rater = Rater.objects.get(identity_id=person.identity_id)
    assert rater.rating_count == rater.counted_count == sum(counts())


REFUSED = {
    "sent twice": ({}, AlreadyRated),
    "another lease": ({"lease": "x"}, NotLeased),
    "another key": ({"idempotency_key": "other"}, AlreadyRated),
}


@pytest.mark.parametrize(("fields", "refusal"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("kind", ["rating", "gold"])
def test_a_control_is_refused_as_a_rating_is(golden, settings, kind, fields, refusal):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    leased = take_kind(person.caller, golden, kind)
    answer(person.caller, leased)
    with pytest.raises(refusal) as refused:
        answer(person.caller, leased, **fields)
    assert "gold" not in str(refused.value)
    assert sum(counts()) == Rater.objects.get(identity_id=person.identity_id).rating_count


@pytest.mark.parametrize("kind", ["rating", "gold"])
def test_other_bytes_and_hidden_images_are_refused_alike(golden, settings, kind):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    leased = take_kind(person.caller, golden, kind)
    with pytest.raises(WrongBytes):
        answer(person.caller, leased, sha256="0" * 8)
    Image.objects.filter(pk=leased.image_id).update(status="hidden", is_open=False)
    with pytest.raises(ImageUnavailable):
        answer(person.caller, leased)


@pytest.mark.parametrize(("first", "second"), [("rating", "gold"), ("gold", "rating"), ("gold", "gold")])
def test_one_idempotency_key_is_for_one_image_whatever_it_is(golden, settings, first, second):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    one, other = take_kind(person.caller, golden, first), take_kind(person.caller, golden, second)
    answer(person.caller, one, idempotency_key="k")
    with pytest.raises(IdempotencyKeyReused):
        answer(person.caller, other, idempotency_key="k")


def test_gold_comes_at_its_rates(golden, settings):
    settings.CONTROL_POLICY = {"repeat_share": 0}
    kinds = Counter()
    for seed in range(12):
        person = make_person()
        for place in range(20):
            [leased] = take(person.caller, golden, seed=100 * seed + place)
            kinds[kind_of(person.caller, leased)] += 1
            answer(person.caller, leased)
    assert kinds["gold"] == pytest.approx(12 * 8, abs=6)
    Rater.objects.update(rating_count=5000, counted_count=5000)
    assert 0.02 < share_of_gold(person, golden) < 0.09
    Rater.objects.update(state="trusted")
    assert share_of_gold(person, golden) < 0.05
    Rater.objects.update(state="watched")
    rater = Rater.objects.get(identity_id=person.identity_id)
    RaterTransition.objects.create(rater=rater, from_state="new", to_state="watched", reason="test", taken_at=now())
    assert share_of_gold(person, golden, of=60) > 0.6


def share_of_gold(person, dataset, of=400):
    """Return the share of gold among leases that are given back at once."""
    found = 0
    for seed in range(of):
        [leased] = take(person.caller, dataset, seed=seed)
        found += kind_of(person.caller, leased) == "gold"
        return_leases(caller=person.caller, tokens=[leased.lease], now=now())
        valkey_forget(person.caller)
    return found / of


def test_gold_comes_once_and_never_what_the_person_has_rated(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    seen = []
    rated = GoldImage.objects.order_by("pk").first()
    Rating.objects.create(
        dataset=golden,
        image_id=rated.pk,
        rater=Rater.objects.get(identity_id=person.identity_id),
        aesthetic=5,
        client_agent="t",
        proof="lease",
        scale_version=1,
    )
    for _ in range(60):
        [leased] = take(person.caller, golden)
        seen.append(leased.image_id)
        answer(person.caller, leased)
    assert len(set(seen)) == 60
    assert rated.pk not in seen
    assert ControlAnswer.objects.count() == 29


def test_several_at_once_hold_controls_at_any_place(golden, settings):
    settings.CONTROL_POLICY = {"repeat_share": 0}
    places = Counter()
    for seed in range(20):
        person = make_person()
        leased = take(person.caller, golden, count=8, seed=seed)
        assert len({one.image_id for one in leased}) == 8
        places.update(place for place, one in enumerate(leased) if kind_of(person.caller, one) == "gold")
    assert places.total() == pytest.approx(20 * 8 * 0.4, abs=25)
    assert set(places) == set(range(8))


def test_who_has_nothing_left_gets_no_control_either(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    Image.objects.filter(is_open=True).update(status="hidden", is_open=False)
    with pytest.raises(NoImageLeft):
        take(make_person().caller, golden)


def test_images_of_a_model_hold_gold_of_that_model(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    painted = Image.objects.filter(sampling_key__gt=0)
    painted.update(model_name="painter")
    person = make_person()
    leased = take(person.caller, golden, count=10, model_name="painter", seed=1)
    assert {one.image_id for one in leased} <= set(painted.values_list("pk", flat=True))
    assert {kind_of(person.caller, one) for one in leased} == {"rating", "gold"}


def test_behind_the_shared_key_each_address_is_somebody(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    for address in "bc":
        stranger = make_stranger(address)
        leased = take_kind(stranger, golden, "gold")
        answer(stranger, leased)
        stored = ControlAnswer.objects.latest("id")
        assert (stored.is_shared, stored.address_hash) == (True, address * 32)
    stranger = make_stranger("b")
    seen = [one.image_id for one in take(stranger, golden, count=10)]
    assert not ControlAnswer.objects.filter(address_hash="b" * 32, image__in=seen).exists()


def test_what_is_handed_out_again_is_handed_out_again_also_when_it_is_gold(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    held = [take(person.caller, golden, seed=seed)[0] for seed in range(20)]
    again = [take(person.caller, golden)[0] for _ in range(20)]
    assert {one.image_id for one in again} == {one.image_id for one in held}
    assert "gold" in {kind_of(person.caller, one) for one in again}


def rated_long_ago(person, dataset, count=130, days=2):
    """Let a person have rated images, one after the other."""
    rater = Rater.objects.get(identity_id=person.identity_id)
    images = list(Image.objects.filter(dataset=dataset, gold=None).order_by("sampling_key")[:count])
    moment = now() - timedelta(days=days)
    Rating.objects.bulk_create(
        Rating(
            dataset=dataset,
            image=image,
            rater=rater,
            aesthetic=1 + place % 10,
            artifacts=place % 6,
            client_agent="t",
            proof="lease",
            scale_version=1,
            created_at=moment + timedelta(seconds=place),
        )
        for place, image in enumerate(images)
    )
    count_rows()
    return [image.pk for image in images]


def test_a_repeat_is_a_new_answer_to_an_old_image(golden, settings, adds_up):
    settings.CONTROL_POLICY = NO_GOLD | {"repeat_share": 1}
    person = make_person()
    rated = rated_long_ago(person, golden)
    leased = take_kind(person.caller, golden, "repeat")
    assert leased.image_id in rated[:30]
    earlier = Rating.objects.get(image=leased.image_id)
    submitted = answer(person.caller, leased, aesthetic=3)
    stored = ControlAnswer.objects.get(pk=submitted.rating_id)
    assert (stored.kind, stored.known_aesthetic, stored.aesthetic) == ("repeat", earlier.aesthetic, 3)
    assert Rating.objects.get(image=leased.image_id).aesthetic == earlier.aesthetic
    with pytest.raises(AlreadyRated):
        answer(person.caller, leased)
    assert leased.image_id not in {one.image_id for one in take(person.caller, golden, count=10)}
    adds_up()


def test_no_repeat_before_a_day_and_a_hundred_others(golden, settings):
    settings.CONTROL_POLICY = NO_GOLD | {"repeat_share": 1}
    for count, days in ((90, 2), (130, 0)):
        person = make_person()
        rated_long_ago(person, golden, count, days)
        kinds = {kind_of(person.caller, one) for one in take(person.caller, golden, count=10)}
        assert kinds == {"rating"}


@pytest.mark.django_db(transaction=True)
def test_one_lease_of_gold_answered_at_once_counts_once(settings, adds_up):
    settings.CONTROL_POLICY = ALL_GOLD
    dataset = DatasetFactory(target_rating_count=1000)
    make_images(dataset, 40)
    make_gold(dataset)
    person = make_person()
    leased = take_kind(person.caller, dataset, "gold")
    before = sum(counts())
    barrier, outcomes = threading.Barrier(4), []

    def send():
        try:
            barrier.wait(30)
            answer(person.caller, leased)
            outcomes.append("stored")
        except AlreadyRated:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["refused"] * 3 + ["stored"]
    assert sum(counts()) == before + 1
    adds_up()
