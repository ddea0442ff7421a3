"""Quarantine takes everything out of the count and puts everything back; a moderator's word for a rater."""

import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from kudos.queries import balance_of
from ratings.models import Dataset, Image, ModerationAction, Rater, Rating
from ratings.queries.raters import NoSuchRater
from ratings.services.quarantine import (
    RaterIsShared,
    align_ratings,
    end_quarantine,
    end_validation,
    modify_rater,
    quarantine_rater,
    validate_rater,
)
from ratings.services.rater import ensure_rater
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.voiding import restore_ratings, void_ratings
from tests.factories import make_images
from tests.people import make_person, make_stranger, now
from tests.ratings.services.test_rating import PRICES
from tests.settling import settle_rewards

pytestmark = pytest.mark.django_db


@pytest.fixture
def by():
    return {"by": make_person("moderator").user, "reason": "a script", "now": now()}


@pytest.fixture
def rate(lease):
    def give(person, count=1, **fields):
        for _ in range(count):
            leased = lease(person.caller)
            values = {"aesthetic": 6, "artifacts": 2} | fields
            submission = RatingSubmission(image_id=leased.image_id, lease=leased.lease, **values)
            submit_rating(caller=person.caller, submission=submission, prices=PRICES, now=now())

    return give


def rater_of(person):
    return Rater.objects.get(identity_id=person.identity_id)


def states_of(person):
    return sorted(Rating.objects.filter(rater=rater_of(person)).values_list("state", flat=True))


def counters():
    fields = ("pk", "rating_count", "aesthetic_sum", "artifacts_count", "artifacts_sum", "is_open")
    return list(Image.objects.order_by("pk").values_list(*fields))


def settle():
    return settle_rewards(hold=timedelta(0), now=now() + timedelta(seconds=1))


def test_it_works(rater, outsider, rate, by, adds_up):
    rate(rater, 3)
    rate(outsider, 2)
    before = counters()
    action = quarantine_rater(rater_id=rater_of(rater).pk, **by)
    assert (action.kind, action.target, action.affected_count, action.reason, action.taken_by) == (
        "quarantine_rater",
        f"rater {rater_of(rater).pk}",
        3,
        "a script",
        by["by"],
    )
    assert (rater_of(rater).state, rater_of(rater).counted_count, rater_of(rater).rating_count) == ("quarantined", 0, 3)
    assert (states_of(rater), states_of(outsider)) == (["quarantined"] * 3, ["counted"] * 2)
    assert Image.objects.filter(rating_count__gt=0).count() == 2
    adds_up()
    assert end_quarantine(rater_id=rater_of(rater).pk, **by).affected_count == 3
    assert (rater_of(rater).state, rater_of(rater).state_before) == ("new", "")
    assert (counters(), states_of(rater)) == (before, ["counted"] * 3)
    adds_up()


@pytest.mark.parametrize("state", ["new", "calibrated", "trusted", "watched"])
def test_a_rater_goes_back_to_the_state_before(rater, by, state):
    Rater.objects.update(state=state)
    pk = rater_of(rater).pk
    for _ in range(2):
        quarantine_rater(rater_id=pk, **by)
        assert (rater_of(rater).state, rater_of(rater).state_before) == ("quarantined", state)
    for _ in range(2):
        end_quarantine(rater_id=pk, **by)
        assert (rater_of(rater).state, rater_of(rater).state_before) == (state, "")


@pytest.mark.parametrize(("is_trusted", "state"), [(False, "new"), (True, "trusted")])
def test_who_was_put_there_by_other_means_begins_anew(rater, by, is_trusted, state):
    Rater.objects.update(state="voided", is_trusted=is_trusted)
    end_quarantine(rater_id=rater_of(rater).pk, **by)
    assert rater_of(rater).state == state


def test_images_open_below_their_target_and_close_again(rater, outsider, rate, dataset, by, adds_up):
    Dataset.objects.update(target_rating_count=1)
    rate(rater, 2)
    rate(outsider)
    assert Image.objects.filter(is_open=False).count() == 3
    quarantine_rater(rater_id=rater_of(rater).pk, **by)
    assert Image.objects.filter(is_open=False).count() == 1
    adds_up()
    end_quarantine(rater_id=rater_of(rater).pk, **by)
    assert Image.objects.filter(is_open=False).count() == 3
    adds_up()


def test_what_is_settled_stays_and_what_is_pending_waits(rater, rate, by, adds_up):
    rate(rater, 2)
    settle()
    rate(rater, 3)
    quarantine_rater(rater_id=rater_of(rater).pk, **by)
    assert (settle().rating_count, balance_of(rater.identity_id)) == (0, 14)
    adds_up()
    end_quarantine(rater_id=rater_of(rater).pk, **by)
    assert (settle().rating_count, balance_of(rater.identity_id)) == (3, 35)
    adds_up()


def test_what_comes_in_quarantine_counts_when_it_ends(rater, rate, by, adds_up):
    quarantine_rater(rater_id=rater_of(rater).pk, **by)
    rate(rater, 2)
    assert states_of(rater) == ["quarantined"] * 2
    assert end_quarantine(rater_id=rater_of(rater).pk, **by).affected_count == 2
    assert rater_of(rater).counted_count == 2
    adds_up()


def test_held_and_voided_ratings_stay_what_they_are(rater, rate, by, adds_up):
    rate(rater, 3)
    void, held, _ = Rating.objects.order_by("pk").values_list("pk", flat=True)
    void_ratings(rating_ids=[void, held], **by)
    restore_ratings(rating_ids=[held], **by)
    quarantine_rater(rater_id=rater_of(rater).pk, **by)
    assert states_of(rater) == ["quarantined", "quarantined", "voided"]
    restore_ratings(rating_ids=[void], **by)
    assert states_of(rater) == ["quarantined"] * 3
    void_ratings(rating_ids=[held], **by)
    adds_up()
    assert end_quarantine(rater_id=rater_of(rater).pk, **by).affected_count == 2
    assert states_of(rater) == ["counted", "counted", "voided"]
    adds_up()


def test_hidden_images_stay_closed(rater, rate, by, adds_up):
    rate(rater)
    Image.objects.filter(rating_count=1).update(status="hidden", is_open=False)
    quarantine_rater(rater_id=rater_of(rater).pk, **by)
    assert not Image.objects.get(status="hidden").is_open
    adds_up()


def test_repeats_change_nothing_more_and_only_what_changed_something_is_on_record(rater, rate, by, adds_up):
    rate(rater, 2)
    counts = [quarantine_rater(rater_id=rater_of(rater).pk, **by).affected_count for _ in range(3)]
    assert counts == [2, 0, 0]
    counts = [end_quarantine(rater_id=rater_of(rater).pk, **by).affected_count for _ in range(3)]
    assert counts == [2, 0, 0]
    assert ModerationAction.objects.count() == 2
    adds_up()


def test_ratings_out_of_line_are_brought_back(rater, rate, by, adds_up):
    rate(rater, 2)
    Rater.objects.filter(pk=rater_of(rater).pk).update(state="quarantined")
    with pytest.raises(AssertionError, match="is quarantined, and 2 ratings are counted"):
        adds_up()
    assert [align_ratings(rater_id=rater_of(rater).pk) for _ in range(2)] == [2, 0]
    adds_up()


SERVICES = [quarantine_rater, end_quarantine, validate_rater, end_validation]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("rater_id", [0, -1, 10**9, 2**62])
def test_who_does_not_exist_is_refused(by, service, rater_id):
    with pytest.raises(NoSuchRater):
        service(rater_id=rater_id, **by)
    assert not ModerationAction.objects.exists()


@pytest.mark.parametrize("service", SERVICES)
def test_everybody_at_once_is_refused(dataset, by, service):
    shared = Rater.objects.get(identity_id=ensure_rater(make_stranger(), now=now()))
    with pytest.raises(RaterIsShared):
        service(rater_id=shared.pk, **by)
    assert not ModerationAction.objects.exists()


@pytest.mark.parametrize("service", SERVICES)
def test_a_reason_is_required_and_nothing_happens_without(rater, rate, by, service):
    rate(rater)
    before = {end_quarantine: {"state": "quarantined"}, end_validation: {"is_trusted": True}}
    Rater.objects.filter(pk=rater_of(rater).pk).update(**before.get(service, {"is_trusted": False}))
    with pytest.raises(IntegrityError, match="moderation_action_states_a_reason"):
        service(rater_id=rater_of(rater).pk, **by | {"reason": ""})


def test_a_moderator_vouches_for_a_rater_and_for_what_comes_after(rater, rate, by):
    rate(rater)
    action = validate_rater(rater_id=rater_of(rater).pk, **by)
    rate(rater)
    assert (action.kind, action.affected_count, rater_of(rater).is_trusted) == ("validate_rater", 1, True)
    assert list(Rating.objects.order_by("pk").values_list("rater_is_trusted", flat=True)) == [False, True]
    again = validate_rater(rater_id=rater_of(rater).pk, **by)
    assert (again.affected_count, again.pk) == (0, None)
    assert ModerationAction.objects.count() == 1
    assert end_validation(rater_id=rater_of(rater).pk, **by).affected_count == 1
    assert not rater_of(rater).is_trusted


@pytest.mark.parametrize(
    ("validated", "flagged", "kinds"),
    [
        (None, None, []),
        (True, None, ["validate_rater"]),
        (False, True, ["end_validation", "quarantine_rater"]),
        (None, False, ["end_quarantine"]),
    ],
)
def test_modifying_does_what_is_named_and_nothing_else(rater, by, validated, flagged, kinds):
    actions = modify_rater(rater_id=rater_of(rater).pk, is_validated=validated, is_flagged=flagged, **by)
    assert [action.kind for action in actions] == kinds


def test_the_number_of_statements_does_not_depend_on_the_number_of_ratings(rater, rate, by):
    rate(rater, 2)
    pk, costs = rater_of(rater).pk, []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            quarantine_rater(rater_id=pk, **by)
        costs.append(len(captured))
        end_quarantine(rater_id=pk, **by)
        rate(rater, 6)
    assert costs[0] == costs[1]


@pytest.mark.slow
def test_ten_thousand_ratings_in_one_decision(rater, dataset, by, adds_up):
    """Set-based it takes some seconds each way; row by row it would take minutes."""
    make_images(dataset, 10_000)
    give_all(rater_of(rater))
    began = time.monotonic()
    assert quarantine_rater(rater_id=rater_of(rater).pk, **by).affected_count == 10_020
    assert end_quarantine(rater_id=rater_of(rater).pk, **by).affected_count == 10_020
    assert time.monotonic() - began < 60
    adds_up()


def give_all(rater):
    """Let a rater rate every image, in one statement for each table."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ratings_rating (dataset_id, image_id, rater_id, is_shared, aesthetic, state, created_at, reward,
                proof, is_late, client_agent, address_hash, country, scale_version, rater_is_trusted,
                rater_rating_count, rater_challenges_failed)
            SELECT i.dataset_id, i.id, %s, false, 5, 'counted', now(), 5, 'lease', false, 't', '', '', 1, false, 0, 0
            FROM ratings_image i
            """,
            [rater.pk],
        )
        cursor.execute("UPDATE ratings_image SET rating_count = 1, aesthetic_sum = 5")
        cursor.execute(
            "UPDATE ratings_rater SET rating_count = n, counted_count = n FROM (SELECT count(*) n FROM ratings_image) g WHERE id = %s",
            [rater.pk],
        )
