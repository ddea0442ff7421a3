"""What happens to sets when many come at once: real threads, real connections, real commits."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from django.conf import settings

from ratings.leases.set_token import SetLease, sign_set_lease
from ratings.leases.token import new_lease_id
from ratings.models import Comparison, ComparisonRevision, ImageSet, SetSkip
from ratings.queries.datasets import get_dataset_for_rating
from ratings.services.comparing_again import NewAnswer, return_sets, revise_comparison, skip_set
from ratings.services.comparison import ComparisonSubmission, SubmittedComparison, submit_comparison
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.refusals import AlreadyRated
from ratings.set_selection import lease_sets
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now
from tests.ratings.services.test_concurrency import at_once
from tests.ratings.services.test_rating import PRICES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def dataset():
    made = DatasetFactory(slug=settings.DEFAULT_DATASET)
    make_images(made, 20)
    return made


@pytest.fixture
def person(dataset):
    return make_person()


def take(person, count=1):
    return lease_sets(caller=person.caller, dataset=get_dataset_for_rating("demo"), count=count, now=now())


def compare(person, leased, outcome="tie", **fields):
    submission = ComparisonSubmission(set_id=leased.set_id, lease=leased.lease, outcome=outcome, **fields)
    return submit_comparison(caller=person.caller, submission=submission, prices=PRICES, now=now())


def kinds(results):
    return Counter(type(result) for result in results)


def test_one_set_is_answered_once_by_eight_at_a_time(person, adds_up):
    [leased] = take(person)
    results = at_once([lambda: compare(person, leased)] * 8)
    assert kinds(results) == {SubmittedComparison: 1, AlreadyRated: 7}
    assert (Comparison.objects.count(), ImageSet.objects.count()) == (1, 1)
    adds_up()


def test_one_idempotency_key_gets_one_answer_for_eight_at_a_time(person, adds_up):
    [leased] = take(person)
    results = at_once([lambda: compare(person, leased, idempotency_key="k")] * 8)
    assert {result.comparison_id for result in results} == {Comparison.objects.get().pk}
    assert Counter(result.is_repeat for result in results) == {True: 7, False: 1}
    adds_up()


def test_a_set_drawn_for_several_is_made_once(dataset, adds_up):
    """Whoever answers second finds the row of the set: here they are all first."""
    people = [make_person() for _ in range(6)]
    first = take(people[0])[0]
    others = [signed_for(person, first) for person in people]
    results = at_once([lambda pair=pair: compare(*pair) for pair in zip(people, others, strict=True)])
    assert kinds(results) == {SubmittedComparison: 6}
    assert (Comparison.objects.count(), ImageSet.objects.count()) == (6, 1)
    adds_up()


def signed_for(person, leased):
    """The same images, handed out to somebody else."""
    lease_id = new_lease_id(now_ms=int(now().timestamp() * 1000), dice=Random())
    lease = SetLease(lease_id, leased.set_id, tuple(image.image_id for image in leased.images), 1)
    return replace(leased, lease=sign_set_lease(lease, person.caller.holder))


def test_answering_giving_back_and_skipping_at_once_lose_nothing(person, adds_up):
    [leased] = take(person)
    calls = [
        lambda: compare(person, leased),
        lambda: return_sets(caller=person.caller, tokens=[leased.lease], now=now()),
        lambda: skip_set(caller=person.caller, set_id=leased.set_id, token=leased.lease, now=now()),
    ]
    results = at_once(calls)
    assert isinstance(results[0], SubmittedComparison)
    assert results[1:] == [1, None]
    assert (Comparison.objects.count(), SetSkip.objects.count()) == (1, 1)
    assert leased.set_id not in {one.set_id for one in take(person, 4)}
    adds_up()


def test_revisions_at_once_keep_every_answer(person, adds_up):
    """Each revision keeps what it replaced: the answers are a chain, whoever was first."""
    [leased] = take(person)
    given = compare(person, leased)
    answers = [("best", leased.images[0].image_id), ("best", leased.images[1].image_id), ("all_bad", None)]
    results = at_once([lambda answer=answer: revise(person, given, answer) for answer in answers])
    assert kinds(results) == {SubmittedComparison: 3}
    row = Comparison.objects.get()
    kept = list(ComparisonRevision.objects.order_by("number").values_list("number", "outcome", "best_id"))
    assert [number for number, *_ in kept] == [1, 2, 3]
    assert kept[0][1:] == ("tie", None)
    assert {*answers, ("tie", None)} == {(row.outcome, row.best_id), *(tuple(one[1:]) for one in kept)}
    assert row.revision_count == 3
    adds_up()


def revise(person, given, answer):
    return revise_comparison(
        caller=person.caller, compared=given.comparison_id, answer=NewAnswer(*answer), prices=PRICES, now=now()
    )


def test_quarantine_in_the_middle_takes_every_comparison_along(person, adds_up):
    """Whether a comparison comes before, during or after the decision, it ends as its rater stands."""
    first, *rest = take(person, 4)
    compare(person, first)
    rater_id = Comparison.objects.get().rater_id
    decision = {"rater_id": rater_id, "by": make_person("moderator").user, "reason": "a test", "now": now()}
    results = at_once([lambda: quarantine_rater(**decision), *[lambda one=one: compare(person, one) for one in rest]])
    assert kinds(results)[SubmittedComparison] == len(rest)
    assert set(Comparison.objects.values_list("state", flat=True)) == {"quarantined"}
    end_quarantine(**decision)
    assert set(Comparison.objects.values_list("state", flat=True)) == {"counted"}
    adds_up()
