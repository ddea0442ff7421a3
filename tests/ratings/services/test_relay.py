"""submit_set: what is stored of a set, what is refused whole, and what happens when several come at once."""

import uuid
from datetime import UTC, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Identity, IdentityKind
from kudos.models import Account, Entry
from ratings.invariants import find_violations
from ratings.models import (
    BestFrom,
    Comparison,
    Dataset,
    DatasetState,
    Image,
    ImageInSet,
    ImageSet,
    ImageStatus,
    Rater,
    RaterState,
    Rating,
)
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import NoImageLeft, lease_images
from ratings.services.moderation import hide_images
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.relay import (
    RelayedRating,
    SetAlreadyRated,
    SetInvalid,
    SetSubmission,
    SetUnavailable,
    best_from,
    submit_set,
)
from ratings.services.settlement import settle_rewards
from ratings.services.voiding import restore_ratings, void_ratings
from tests.factories import DatasetFactory, UserFactory, make_images
from tests.people import make_stranger, now
from tests.ratings.relayed import make_set, make_user, new_ids, relay_set
from tests.ratings.services.test_concurrency import at_once
from tests.ratings.services.test_rating import PRICES

pytestmark = pytest.mark.django_db


def rated(ids, *values):
    return [{"id": str(image_id), "rating": value} for image_id, value in zip(ids, values, strict=False)]


def rater_of(number):
    return Rater.objects.get(identity__kind=IdentityKind.HORDE, identity__external_id=str(number))


@pytest.fixture
def active():
    """Four images of the relays' dataset whose pixels have arrived."""
    return [str(image.pk) for image in make_images(DatasetFactory(slug="stable-horde", target_rating_count=3), 4)]


def test_it_works(adds_up):
    ids = new_ids(2)
    submitted = relay_set(make_set(ids=ids, ratings=rated(ids, 4, 8)))
    assert (submitted.rating_count, submitted.known_count, submitted.message) == (2, 0, "Set submitted")
    assert Rater.objects.get().rating_count == Rater.objects.get().counted_count == 2
    adds_up()


# --- Images ---------------------------------------------------------------------------------------------


def test_an_unknown_image_waits_for_its_pixels_and_is_handed_out_to_nobody(rater):
    body = make_set(3)
    relay_set(body)
    images = Image.objects.all()
    assert {(i.status, i.is_open, i.adult_class, i.sha256, i.mime) for i in images} == {
        ("pending", False, "unknown", "", "")
    }
    assert {str(i.pk) for i in images} == {i.source_id for i in images} == set(body["all_set_ids"])
    assert len({i.sampling_key for i in images}) == 3
    with pytest.raises(NoImageLeft):
        lease_images(caller=rater.caller, dataset=get_dataset_for_rating("stable-horde"), count=1, now=now())


def test_a_picture_of_an_unknown_image_is_not_shown(client):
    relay_set(make_set(1))
    assert client.get(f"/images/{Image.objects.get().pk}.webp").status_code == 404


def test_ratings_of_an_open_image_count_and_close_it(active, adds_up):
    for number in range(1, 4):
        relay_set(make_set(ids=active, ratings=rated(active[:2], 4, 8), user=make_user(number=number)))
    counted = {str(i.pk): (i.rating_count, i.aesthetic_sum, i.is_open) for i in Image.objects.all()}
    assert [counted[image_id] for image_id in active] == [(3, 12, False), (3, 24, False), (0, 0, True), (0, 0, True)]
    assert Dataset.objects.get().image_count == 4
    adds_up()


def test_an_image_that_another_dataset_has_is_rated_there(dataset, adds_up):
    known = Image.objects.filter(dataset=dataset).first()
    ids = [str(known.pk), *new_ids(1)]
    relay_set(make_set(ids=ids, ratings=rated(ids, 3, 4)))
    assert Rating.objects.get(image=known).dataset_id == dataset.pk
    assert Dataset.objects.get(slug="stable-horde").image_count == 1
    adds_up()


@pytest.mark.parametrize("status", ["hidden", "withdrawn"])
@pytest.mark.parametrize("says", ["rated", "best", "neither"])
def test_a_set_with_an_image_that_was_taken_away_is_refused_whole(active, status, says, adds_up):
    Image.objects.filter(pk=active[0]).update(status=status, is_open=False)
    ids = [active[0], active[1], *new_ids(1)]
    which = {"rated": rated(ids, 3), "best": [], "neither": rated(ids[1:], 3)}[says]
    body = make_set(ids=ids, ratings=which, best=ids[0] if says == "best" else ids[1])
    with pytest.raises(SetUnavailable):
        relay_set(body)
    assert not any(kind.objects.exists() for kind in (ImageSet, ImageInSet, Comparison, Rating, Rater, Identity))
    assert Image.objects.count() == 4
    Image.objects.update(status="active", is_open=True)
    relay_set(body)
    adds_up()


def test_a_closed_dataset_takes_no_sets_and_a_paused_one_does(active):
    Dataset.objects.update(state=DatasetState.CLOSED)
    with pytest.raises(SetUnavailable):
        relay_set()
    assert Image.objects.count() == 4
    Dataset.objects.update(state=DatasetState.PAUSED)
    relay_set()


def test_the_dataset_is_made_once_and_kept_as_it_is():
    relay_set()
    Dataset.objects.update(name="Renamed", licence="CC0-1.0")
    relay_set()
    assert list(Dataset.objects.values_list("slug", "name", "licence", "image_count")) == [
        ("stable-horde", "Renamed", "CC0-1.0", 4)
    ]


# --- Raters and their evidence --------------------------------------------------------------------------


def test_the_rater_is_kept_as_they_were_and_refreshed_by_what_comes():
    relay_set(make_set(user=make_user(kudos=10.4, trusted=False, usage_requests=7, account_age=86400 * 10)))
    relay_set(make_set(user=make_user(kudos=-25.5, trusted=True, account_age=86400 * 10 + 1)))
    rater = Rater.objects.get()
    assert (rater.external_kudos, rater.is_trusted_elsewhere, rater.images_generated) == (-26, True, 7)
    assert not rater.is_trusted, "Only a moderator says so."
    assert rater.external_created_at.astimezone(UTC) == pytest.approx(
        now() - timedelta(days=10), abs=timedelta(minutes=1)
    )
    first, second = Comparison.objects.order_by("id")
    evidence = [
        (c.rater_kudos, c.rater_is_trusted_elsewhere, c.rater_images_generated, c.rater_is_trusted)
        for c in (first, second)
    ]
    assert evidence == [(10, False, 7, False), (-26, True, 7, False)]
    assert first.rater_account_age == second.rater_account_age - 1 == 864000


def test_what_is_not_sent_leaves_what_is_known():
    relay_set(make_set(user=make_user(usage_requests=7)))
    relay_set(make_set(user={"username": "somebody#42"}))
    rater = Rater.objects.get()
    assert (rater.external_kudos, rater.is_trusted_elsewhere, rater.images_generated) == (1234, False, 7)
    assert Comparison.objects.latest("id").rater_kudos == 1234
    assert Comparison.objects.latest("id").rater_account_age == pytest.approx(40 * 86400, abs=60)


def test_a_moderators_trust_is_not_the_relays_to_take_away():
    relay_set()
    Rater.objects.update(is_trusted=True, challenges_failed=-3)
    relay_set(make_set(user=make_user(trusted=False)))
    assert Rater.objects.get().is_trusted
    last = Comparison.objects.latest("id")
    assert (last.rater_is_trusted, last.rater_challenges_failed) == (True, -3)


def test_an_age_without_its_days_makes_nobody_younger():
    relay_set(make_set(user=make_user(account_age=86400 * 40 + 80737)))
    relay_set(make_set(user=make_user(account_age=80737)))
    known, last = Rater.objects.get().external_created_at, Comparison.objects.latest("id")
    assert now() - known > timedelta(days=40)
    assert last.rater_account_age >= 86400 * 40 + 80737


def test_how_much_they_had_rated_is_how_much_before_the_set():
    for _ in range(2):
        ids = new_ids(2)
        relay_set(make_set(ids=ids, ratings=rated(ids, 5, 6)))
    assert list(Rating.objects.order_by("id").values_list("rater_rating_count", flat=True)) == [0, 0, 2, 2]
    assert Comparison.objects.latest("id").rater_rating_count == 2


@pytest.mark.parametrize("name", ["Anonymous#0", "anonymous#0", "#0", "Anonymous#00"])
def test_the_anonymous_account_is_many_people_and_nobody_else(name, adds_up):
    relay_set(make_set(user=make_user(number=1)))
    ids = new_ids(2)
    for _ in range(3):
        body = make_set(ids=ids, ratings=rated(ids, 5, 6), user=make_user(kudos=-50, trusted=True) | {"username": name})
        relay_set(body)
    rater = rater_of(0)
    assert (rater.is_shared, rater.rating_count, rater.external_kudos, rater.external_created_at) == (
        True,
        0,
        None,
        None,
    )
    assert Rating.objects.filter(rater=rater, is_shared=True, rater_kudos=None, rater_account_age=None).count() == 6
    assert Comparison.objects.filter(rater=rater, is_shared=True).count() == 3
    assert Image.objects.get(pk=ids[0]).rating_count == 3
    assert rater_of(1).rating_count == 0
    assert not Account.objects.filter(identity=rater.identity).exists()
    adds_up()


def test_whom_the_relay_does_not_name_is_neither_anonymous_nor_anybody(adds_up):
    relay_set(make_set(user=make_user("Anonymous", number=0)))
    relay_set(make_set(user=...))
    relay_set(make_set(user=None))
    kinds = Rater.objects.values_list("identity__kind", "identity__external_id", "is_shared")
    assert sorted(kinds) == [("horde", "0", True), ("relay", "unnamed", True)]
    adds_up()


def test_a_user_of_ours_is_never_a_user_of_the_relay(rater):
    relay_set(make_set(user=make_user("rater", number=rater.user.pk)))
    assert rater_of(rater.user.pk).identity_id != rater.identity_id


@pytest.mark.parametrize("state", [RaterState.QUARANTINED, RaterState.VOIDED])
def test_the_ratings_of_a_rater_in_quarantine_are_kept_and_do_not_count(active, state, adds_up):
    relay_set()
    Rater.objects.update(state=state)
    Comparison.objects.update(state="quarantined")
    relay_set(make_set(ids=active, ratings=rated(active, 5, 6)))
    assert list(Comparison.objects.values_list("state", flat=True)) == ["quarantined"] * 2
    assert set(Rating.objects.values_list("state", flat=True)) == {"quarantined"}
    assert set(Image.objects.values_list("rating_count", flat=True)) == {0}
    assert (Rater.objects.get().rating_count, Rater.objects.get().counted_count) == (2, 0)
    adds_up()


def test_nothing_is_earned_and_nothing_is_settled():
    ids = new_ids(2)
    relay_set(make_set(ids=ids, ratings=rated(ids, 5, 6)))
    assert settle_rewards(hold=timedelta(0), now=now() + timedelta(days=9)).amount == 0
    assert not Entry.objects.exists()


def test_a_moderator_voids_and_restores_what_a_relay_sent(active, adds_up):
    relay_set(make_set(ids=active, ratings=rated(active, 5, 6)))
    ids, moderator = list(Rating.objects.values_list("id", flat=True)), UserFactory()
    void_ratings(rating_ids=ids, by=moderator, reason="spam", now=now())
    assert Image.objects.get(pk=active[0]).rating_count == 0
    adds_up()
    restore_ratings(rating_ids=ids, by=moderator, reason="a mistake", now=now())
    assert Image.objects.get(pk=active[0]).rating_count == 1
    adds_up()


# --- An image that the same person has rated before -----------------------------------------------------


def test_an_earlier_rating_stays_and_the_rest_of_the_set_lands(active, adds_up):
    relay_set(make_set(ids=active[:2], ratings=rated(active, 2)))
    submitted = relay_set(make_set(ids=active, ratings=rated(active, 9, 8, 7), best=active[3]))
    assert (submitted.rating_count, submitted.known_count) == (2, 1)
    assert submitted.message.endswith("left out: 1")
    values = dict(Rating.objects.values_list("image_id", "aesthetic"))
    assert values == {uuid.UUID(active[0]): 2, uuid.UUID(active[1]): 8, uuid.UUID(active[2]): 7}
    assert ImageInSet.objects.count() == 6
    assert Comparison.objects.count() == 2
    adds_up()


def test_a_set_of_which_every_rating_is_known_lands_all_the_same(active, adds_up):
    relay_set(make_set(ids=active, ratings=rated(active, 2, 3)))
    assert relay_set(make_set(ids=active, ratings=rated(active, 9, 9))).rating_count == 0
    assert ImageSet.objects.count() == 2
    adds_up()


def test_it_is_the_same_person_also_when_they_rated_here(active, adds_up):
    """Somebody who signs in with a key of AI Horde rates under the same identity."""
    relay_set(make_set(user=make_user(number=7)))
    identity = rater_of(7).identity
    caller = make_stranger()
    leased = lease_images(caller=caller, dataset=get_dataset_for_rating("stable-horde"), count=1, now=now())[0]
    submission = RatingSubmission(image_id=leased.image_id, aesthetic=3, lease=leased.lease)
    submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())
    Rating.objects.update(rater=identity.rater, is_shared=False)
    Rater.objects.filter(pk=identity.rater.pk).update(rating_count=1, counted_count=1)
    ids = [str(leased.image_id), *new_ids(1)]
    assert relay_set(make_set(ids=ids, ratings=rated(ids, 9, 9), user=make_user(number=7))).known_count == 1
    assert Rating.objects.get(image_id=leased.image_id).aesthetic == 3
    adds_up()


# --- Best of a set --------------------------------------------------------------------------------------

A, B, C = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
GIVEN, ONLY, HIGHEST = BestFrom.GIVEN, BestFrom.ONLY, BestFrom.HIGHEST


def submission(ratings, best, images=(A, B, C)):
    stored = [RelayedRating(image_id, value, None) for image_id, value in ratings]
    return SetSubmission(set_id=uuid.uuid4(), image_ids=images, ratings=stored, best_id=best)


@pytest.mark.parametrize(
    ("ratings", "best", "images", "expected"),
    [
        ([], A, (A, B, C), (GIVEN, False)),
        ([(A, 6)], A, (A, B, C), (GIVEN, False)),
        ([(A, 6)], B, (A, B, C), (GIVEN, False)),
        ([(A, 7)], A, (A, B, C), (ONLY, False)),
        ([(A, 10)], A, (A, B), (ONLY, False)),
        ([(A, 10)], B, (A, B), (GIVEN, False)),
        ([(A, 10)], A, (A,), (GIVEN, False)),
        ([(A, 5), (B, 6)], B, (A, B, C), (HIGHEST, False)),
        ([(A, 5), (B, 6)], A, (A, B, C), (GIVEN, False)),
        ([(A, 5), (B, 6)], C, (A, B, C), (GIVEN, False)),
        ([(A, 6), (B, 6)], A, (A, B, C), (HIGHEST, True)),
        ([(A, 6), (B, 6)], B, (A, B, C), (GIVEN, False)),
        ([(A, 5), (B, 6), (C, 6)], B, (A, B, C), (HIGHEST, True)),
        ([(C, 1), (A, 1), (B, 1)], C, (A, B, C), (HIGHEST, True)),
        ([(A, 6), (B, 5), (C, 5)], A, (A, B, C), (HIGHEST, False)),
        ([], None, (A,), (GIVEN, False)),
    ],
)
def test_best_from_says_what_the_sender_made_out_of_ratings(ratings, best, images, expected):
    assert best_from(submission(ratings, best, images)) == expected


@given(st.dictionaries(st.sampled_from([A, B, C]), st.integers(1, 10)), st.sampled_from([A, B, C, None]))
def test_a_tie_is_said_of_what_was_derived_and_of_nothing_else(ratings, best):
    source, is_tied = best_from(submission(list(ratings.items()), best))
    highest = [image_id for image_id, value in ratings.items() if value == max(ratings.values())]
    assert is_tied == (source == HIGHEST and len(highest) > 1)
    assert source == GIVEN or best == highest[0]


@pytest.mark.parametrize(("values", "is_tied"), [((8, 8), True), ((8, 7), False)])
def test_a_tie_is_kept_with_the_comparison(values, is_tied, adds_up):
    ids = new_ids(3)
    relay_set(make_set(ids=ids, ratings=rated(ids, *values), best=ids[0]))
    assert list(Comparison.objects.values_list("best_from", "is_tied")) == [("highest", is_tied)]
    adds_up()


# --- Whole or not at all --------------------------------------------------------------------------------


def test_the_service_itself_refuses_what_contradicts_itself():
    for wrong in (
        submission([], None),
        submission([(A, 5)], None, (B,)),
        submission([(A, 5), (A, 5)], None),
        submission([], A, ()),
        submission([], A, (A, A)),
    ):
        with pytest.raises(SetInvalid):
            submit_set(submission=wrong, max_images=100, now=now())
    assert not ImageSet.objects.exists()


@pytest.mark.parametrize("table", ["imageset", "image", "imageinset", "comparison", "rating", "rater", "dataset"])
def test_whatever_fails_nothing_of_the_set_is_left(table, active):
    """Let the table refuse in the middle of it."""
    relay_set(make_set(user=make_user(number=1)))
    before = {kind: list(kind.objects.order_by("pk").values()) for kind in (Image, Dataset, Rater, Identity)}
    event = "UPDATE" if table in {"rater", "dataset"} else "INSERT"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION fall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fallen'; END $$;
            CREATE TRIGGER fall AFTER {event} ON ratings_{table} EXECUTE FUNCTION fall();
            """
        )
    ids = [active[0], *new_ids(2)]
    with pytest.raises(Exception, match="fallen"):
        relay_set(make_set(ids=ids, ratings=rated(ids, 5, 6), user=make_user(number=1, kudos=9)))
    assert before == {kind: list(kind.objects.order_by("pk").values()) for kind in before}
    assert (ImageSet.objects.count(), Comparison.objects.count(), Rating.objects.count()) == (1, 1, 0)


@pytest.mark.parametrize("image_count", [1, 100])
def test_it_runs_four_statements_however_many_images_there_are(image_count, tmp_path):
    """Counted on the wire, so that prepared statements that Django's own counters do not see count too."""
    for _ in range(7):
        relay_set(make_set(1, ratings=[]))  # beyond the threshold from which statements are prepared
    ids = new_ids(image_count)
    body = make_set(ids=ids, ratings=rated(ids, *[5] * image_count))
    trace = tmp_path / "wire.txt"
    with trace.open("w") as file:
        connection.connection.pgconn.trace(file.fileno())
        relay_set(body)
        connection.connection.pgconn.untrace()
    sent = [line for line in trace.read_text().splitlines() if "\tF\t" in line]
    executed = [line for line in sent if "Execute" in line]
    others = [line for line in sent if "Query" in line and "SAVEPOINT" not in line]
    assert (len(executed), others) == (4, [])


# --- Many at once ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_one_set_that_comes_eight_times_one_lands(self, adds_up):
        body = make_set(3)
        results = at_once([lambda: relay_set(body)] * 8)
        assert sum(isinstance(result, SetAlreadyRated) for result in results) == 7, results
        assert (ImageSet.objects.count(), Comparison.objects.count(), Image.objects.count()) == (1, 1, 3)
        adds_up()

    def test_the_first_sets_ever_make_one_dataset_and_one_rater(self, adds_up):
        results = at_once([lambda: relay_set(make_set(2))] * 8)
        assert [result for result in results if isinstance(result, Exception)] == []
        assert (Dataset.objects.count(), Rater.objects.count(), ImageSet.objects.count()) == (1, 1, 8)
        assert Dataset.objects.get().image_count == 16
        adds_up()

    def test_sets_that_share_images_are_all_counted(self, adds_up):
        ids = new_ids(12)

        def story(number):
            def run():
                for turn in range(6):
                    own = ids[turn:] + ids[:turn] if number % 2 else ids[::-1]
                    user = make_user(number=number * 10 + turn)
                    relay_set(make_set(ids=own, ratings=rated(own, *[6] * 12), user=user))

            return run

        assert at_once([story(number) for number in range(1, 9)]) == [None] * 8
        assert set(Image.objects.values_list("rating_count", "aesthetic_sum")) == {(48, 288)}
        assert Dataset.objects.get().image_count == 12
        adds_up()

    def test_sets_and_ratings_and_decisions_about_the_same_images_do_not_block_one_another(self, adds_up):
        dataset = DatasetFactory(slug="stable-horde", target_rating_count=1000)
        ids = [str(image.pk) for image in make_images(dataset, 10)]
        moderator = UserFactory()
        relay_set(make_set(ids=ids, ratings=rated(ids, *[5] * 10), user=make_user(number=999)))
        voided = list(Rating.objects.values_list("id", flat=True))

        def relay(number):
            def run():
                for turn in range(8):
                    user = make_user(number=number * 100 + turn)
                    relay_set(make_set(ids=ids, ratings=rated(ids[::-1], *[6] * 10), user=user))

            return run

        def rate():
            for turn in range(8):
                caller = make_stranger("bcdef012"[turn])
                for leased in lease_images(
                    caller=caller, dataset=get_dataset_for_rating("stable-horde"), count=10, now=now()
                ):
                    submission = RatingSubmission(image_id=leased.image_id, aesthetic=6, lease=leased.lease)
                    submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())

        def decide():
            for _ in range(8):
                void_ratings(rating_ids=voided, by=moderator, reason="r", now=now())
                restore_ratings(rating_ids=voided, by=moderator, reason="r", now=now())

        assert at_once([relay(1), relay(2), relay(3), rate, decide]) == [None] * 5
        assert Rating.objects.filter(proof="relay").count() == 250
        adds_up()

    def test_an_image_hidden_meanwhile_refuses_the_set_or_hides_what_it_rated(self, adds_up):
        [image] = make_images(DatasetFactory(slug="stable-horde"), 1)
        moderator, ids = UserFactory(), [str(image.pk)]
        hide = lambda: hide_images(image_ids=[image.pk], by=moderator, reason="r", now=now())  # noqa: E731
        _, relayed = at_once([hide, lambda: relay_set(make_set(ids=ids, ratings=rated(ids, 5)))])
        assert isinstance(relayed, SetUnavailable) or relayed.rating_count == 1
        assert Image.objects.get().status == ImageStatus.HIDDEN
        adds_up()


# --- Invariants -----------------------------------------------------------------------------------------


def test_a_comparison_whose_best_is_in_another_set_is_found():
    relay_set(make_set(2))
    relay_set(make_set(2))
    first, second = Comparison.objects.order_by("id")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ratings_comparison DROP CONSTRAINT comparison_best_is_in_its_set")
    assert list(find_violations()) == []
    Comparison.objects.filter(pk=first.pk).update(best_id=second.best_id, image_ids=[second.best_id])
    assert list(find_violations()) == [
        f"ratings: comparison {first.pk} names {second.best_id} the best of set {first.image_set_id}, which does not hold it",
        f"ratings: comparison {first.pk} showed 1 images, 0 of them different ones of set {first.image_set_id}",
    ]


@pytest.mark.parametrize("change", ["count", "place", "image"])
def test_a_set_whose_images_are_not_what_it_says_is_found(change):
    body = make_set(3)
    relay_set(body | {"best": body["all_set_ids"][2]})
    made = ImageSet.objects.get()
    if change == "count":
        ImageSet.objects.update(image_count=2)
    elif change == "place":
        ImageInSet.objects.filter(position=2).update(position=7)
    else:
        ImageInSet.objects.filter(position=1).delete()  # not the best
        compared = Comparison.objects.get().pk
        missing = f"ratings: comparison {compared} showed 3 images, 2 of them different ones of set {made.pk}"
    *others, sentence = sorted(find_violations())
    assert sentence.startswith(f"ratings: set {made.pk} says ")
    assert others == ([missing] if change == "image" else [])


def test_a_comparison_that_disagrees_with_its_rater_about_being_shared_is_found():
    relay_set()
    Comparison.objects.update(is_shared=True)
    [sentence] = find_violations()
    assert "says it is shared: True" in sentence
