"""Controls are handed out and answered as images as any other are."""

import threading
from collections import Counter
from dataclasses import asdict
from datetime import timedelta

import pytest
from django.db import connections

from accounts.access import browser_caller
from kudos.queries import balance_of_person
from ratings.models import ControlAnswer, GoldImage, Image, Rater, RaterTransition, Rating
from ratings.queries.raters import my_rating, my_ratings, my_standing
from ratings.selection import NoImageLeft
from ratings.services.claiming import claim_browser, find_claim
from ratings.services.proving import return_leases
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.rating import SubmittedRating
from ratings.services.refusals import (
    AlreadyRated,
    IdempotencyKeyReused,
    ImageUnavailable,
    NotComplete,
    NotLeased,
    RatingLocked,
    WrongBytes,
)
from ratings.services.revising import RatingRevision, look_at_crowd, revise_rating
from ratings.services.settlement import settle_rewards
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, make_stranger, now
from tests.ratings.controlled import (
    ALL_GOLD,
    NO_GOLD,
    PRICES,
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
    for _ in range(110):
        [leased] = take(person.caller, golden)
        seen.append(leased.image_id)
        answer(person.caller, leased)
    assert len(set(seen)) == 110
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


def pair(person, dataset):
    """Answer a rating and gold, alike; return both."""
    return {
        kind: answer(person.caller, take_kind(person.caller, dataset, kind), aesthetic=4, artifacts=None)
        for kind in ("rating", "gold")
    }


def test_a_control_can_be_revised_and_measures_by_its_first_answer(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    revised, repeated, by_image = {}, {}, {}
    both = pair(person, golden)
    for kind, given in both.items():
        change = RatingRevision(aesthetic=9, artifacts=2, idempotency_key="r")
        options = {"caller": person.caller, "prices": PRICES, "now": now()}
        revised[kind] = revise_rating(rated=given.rating_id, revision=change, **options)
        repeated[kind] = revise_rating(
            rated=given.rating_id, revision=RatingRevision(aesthetic=1, idempotency_key="r"), **options
        )
        mine = my_rating(identity_id=person.identity_id, rating_id=given.rating_id)
        by_image[kind] = revise_rating(rated=mine.image_id, revision=RatingRevision(aesthetic=8), **options)
        with pytest.raises(RatingLocked, match="24 hours"):
            revise_rating(
                caller=person.caller,
                rated=given.rating_id,
                revision=RatingRevision(aesthetic=3),
                prices=PRICES,
                now=now() + timedelta(days=2),
            )
    for found in (revised, repeated, by_image):
        rating, gold = (plain(found[kind]) for kind in ("rating", "gold"))
        assert rating == gold
    stored = ControlAnswer.objects.get(pk=both["gold"].rating_id)
    assert (stored.aesthetic, stored.artifacts, stored.said_aesthetic, stored.revision_count) == (4, None, 8, 2)


def plain(submitted):
    """Return what a client is told, without what is another's in any case."""
    return {name: value for name, value in asdict(submitted).items() if name not in ("rating_id", "created_at")}


def test_gold_never_looks_complete(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    for given in pair(person, golden).values():
        with pytest.raises(NotComplete, match="when the image has all its ratings"):
            look_at_crowd(caller=person.caller, rating_id=given.rating_id, now=now())


def test_one_looks_behind_a_repeat_as_behind_a_rating(golden, settings):
    settings.CONTROL_POLICY = NO_GOLD | {"repeat_share": 1}
    person = make_person()
    rated_long_ago(person, golden)
    leased = take_kind(person.caller, golden, "repeat")
    given = answer(person.caller, leased)
    golden.target_rating_count = 1
    golden.save(update_fields=["target_rating_count"])
    Image.objects.filter(pk=leased.image_id).update(is_open=False)
    crowd = look_at_crowd(caller=person.caller, rating_id=given.rating_id, now=now())
    assert (crowd.rating_count, crowd.score) == (0, None)
    with pytest.raises(RatingLocked):
        revise_rating(
            caller=person.caller,
            rated=given.rating_id,
            revision=RatingRevision(aesthetic=2),
            prices=PRICES,
            now=now(),
        )


def test_ones_own_list_and_counters_hold_controls_as_ratings(golden, settings):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    given = pair(person, golden)
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    mine = my_ratings(identity_id=person.identity_id, today=today)
    assert [one.id for one in mine] == sorted((one.id for one in mine), reverse=True)
    rows = {kind: next(one for one in mine if one.id == given[kind].rating_id) for kind in given}
    other = ("id", "image_id", "lease_id", "created_at")
    rating, gold = ({k: v for k, v in asdict(row).items() if k not in other} for row in rows.values())
    assert rating == gold
    standing = my_standing(identity_id=person.identity_id, today=today)
    assert standing.today_count == standing.rating_count == len(mine) == sum(counts())
    assert standing.pending_kudos == sum(one.reward for one in mine)
    older = my_ratings(identity_id=person.identity_id, today=today, before_id=mine[0].id, limit=50)
    assert [one.id for one in older] == [one.id for one in mine[1:]]


def test_quarantine_covers_controls_and_is_taken_back(golden, settings, adds_up):
    settings.CONTROL_POLICY = ALL_GOLD
    person, moderator = make_person(), make_person(is_staff=True).user
    given = pair(person, golden)
    rater = Rater.objects.get(identity_id=person.identity_id)
    quarantine_rater(rater_id=rater.pk, by=moderator, reason="test", now=now())
    assert set(ControlAnswer.objects.values_list("state", flat=True)) == {"quarantined"}
    rater.refresh_from_db()
    assert (rater.counted_count, rater.rating_count) == (0, sum(counts()))
    later = answer(person.caller, take_kind(person.caller, golden, "gold"))
    assert (later.reward, ControlAnswer.objects.get(pk=later.rating_id).state) == (7, "quarantined")
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert {one.state for one in my_ratings(identity_id=person.identity_id, today=today)} == {"counted"}
    adds_up()
    end_quarantine(rater_id=rater.pk, by=moderator, reason="test", now=now())
    rater.refresh_from_db()
    assert rater.counted_count == rater.rating_count == sum(counts())
    assert given["gold"].rating_id in ControlAnswer.objects.filter(state="counted").values_list("pk", flat=True)
    adds_up()


def test_controls_are_paid_as_ratings(golden, settings, adds_up):
    settings.CONTROL_POLICY = ALL_GOLD
    person = make_person()
    pair(person, golden)
    later = now() + timedelta(days=9)
    assert settle_rewards(hold=timedelta(0), now=later).rating_count == 0
    Rater.objects.update(state="calibrated")
    settled = settle_rewards(hold=timedelta(0), now=later)
    assert (settled.rating_count, settled.amount) == (sum(counts()), balance_of_person(person.identity_id))
    assert not ControlAnswer.objects.filter(settlement=None).exists()
    assert settle_rewards(hold=timedelta(0), now=later).rating_count == 0
    adds_up()


def test_what_a_browser_answered_is_claimed_with_its_controls(golden, settings, adds_up):
    settings.CONTROL_POLICY = ALL_GOLD
    for _ in range(8):
        browser = browser_caller("0" * 32, "b" * 32)
        answer(browser, take(browser, golden)[0])
    assert min(counts()) > 0
    claim = find_claim(browser_id="0" * 32, prices=PRICES, now=now())
    assert (claim.rating_count, claim.kudos) == (8, 8 * 7)
    user = make_person().user
    assert claim_browser(user=user, browser_id="0" * 32, prices=PRICES, now=now()) == claim.kudos
    adds_up()
