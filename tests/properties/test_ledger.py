"""Whatever is rated, settled, voided, restored and spent, in whatever order: the books add up after every step."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from config.invariants import find_violations
from kudos.models import AccountKind, Entry, Reason
from kudos.queries import balance_of, history_of
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from ratings.leases.token import Lease, new_lease_id, sign_lease
from ratings.models import Image, Rater, Rating
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.refusals import RatingRefused
from ratings.services.voiding import restore_ratings, void_ratings
from tests.factories import DatasetFactory, UserFactory, make_images
from tests.people import Person, make_person, make_stranger, now
from tests.ratings.services.test_rating import PRICES
from tests.settling import settle_rewards

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PERSONS, IMAGES = 2, 6
real_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
some = st.sets(st.integers(min_value=0, max_value=9), min_size=1, max_size=6)
person = st.integers(min_value=0, max_value=PERSONS - 1)
settle = st.just(("settle",))
void = st.tuples(st.just("void"), some)
restore = st.tuples(st.just("restore"), some)
spend = st.tuples(st.just("spend"), person, st.integers(min_value=1, max_value=30))
standing = st.tuples(st.just("standing"), person, st.sampled_from(["new", "trusted", "quarantined"]))
rate = st.tuples(
    st.just("rate"),
    st.integers(min_value=0, max_value=PERSONS),
    st.integers(min_value=0, max_value=IMAGES - 1),
    st.integers(min_value=1, max_value=10),
    st.none() | st.integers(min_value=0, max_value=5),
)
# Most of what can go wrong takes money that was paid, so that steps which lead there come often.
STEPS = st.one_of(settle, settle, void, void, restore, restore, spend, spend, standing, rate, rate)


@dataclass
class Story:
    """What happens, one step after the other, to two people, a stranger and four images."""

    persons: list[Person]
    images: list[Image]
    moderator: Any
    dice: Random = field(default_factory=lambda: Random(1))
    spent: int = 0

    def do(self, name, *arguments):
        getattr(self, name)(*arguments)

    def rate(self, who, which, aesthetic, artifacts):
        caller = self.persons[who].caller if who < len(self.persons) else make_stranger()
        image = self.images[which].pk
        lease_id = new_lease_id(now_ms=int(now().timestamp() * 1000), dice=self.dice)
        token = sign_lease(Lease(lease_id, image, 1), caller.holder)
        submission = RatingSubmission(image_id=image, aesthetic=aesthetic, artifacts=artifacts, lease=token)
        try:
            submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())
        except RatingRefused as refusal:
            event(type(refusal).__name__)

    def settle(self):
        held = Rater.objects.filter(state="quarantined").values_list("identity_id", flat=True)
        before = {identity_id: balance_of(identity_id) for identity_id in held}
        settle_rewards(hold=timedelta(0), now=now())
        assert before == {identity_id: balance_of(identity_id) for identity_id in before}

    def void(self, which):
        void_ratings(rating_ids=self.ratings(which), by=self.moderator, reason="a script", now=now())

    def restore(self, which):
        restore_ratings(rating_ids=self.ratings(which), by=self.moderator, reason="a person", now=now())

    def spend(self, who, amount):
        identity = self.persons[who].identity_id
        account = ensure_user_accounts([identity])[identity]
        self.spent += 1
        legs = ((account, -amount), (system_account_id(AccountKind.PAYOUT), amount))
        can_pay = amount <= balance_of(identity)
        try:
            with transaction.atomic():
                post_transactions(reason=Reason.TRANSFER, postings=[Posting(f"spent:{self.spent}", legs)], now=now())
        except IntegrityError:
            event("overdrawn")
            assert not can_pay
        else:
            assert can_pay

    def standing(self, who, state):
        rater = Rater.objects.get(identity_id=self.persons[who].identity_id)
        decide = quarantine_rater if state == "quarantined" else end_quarantine
        decide(rater_id=rater.pk, by=self.moderator, reason="a script", now=now())
        if state != "quarantined":
            Rater.objects.filter(pk=rater.pk).update(state=state)

    def ratings(self, which):
        known = list(Rating.objects.order_by("id").values_list("id", flat=True))
        return [known[index] for index in which if index < len(known)]

    def balances(self):
        return [balance_of(someone.identity_id) for someone in self.persons]


@pytest.fixture
def story(db):
    """Both have rated four of the images, one of them once in quarantine; two images are left."""
    dataset = DatasetFactory(slug="demo", target_rating_count=2)
    begun = Story([make_person() for _ in range(PERSONS)], make_images(dataset, IMAGES), UserFactory())
    for who in range(PERSONS):
        for which in range(4):
            begun.standing(who, "quarantined" if (who, which) == (1, 3) else "new")
            begun.rate(who, which, 1 + which, which or None)
    begun.standing(1, "new")
    return begun


def told(story, steps):
    """Yield after each step, in a transaction that is taken back at the end."""
    for step in steps:
        story.do(*step)
        with connection.cursor() as cursor:
            # What is checked at the end of a transaction is checked now.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        yield step


@given(steps=st.lists(STEPS, min_size=5, max_size=12))
@real_database
def test_the_books_add_up_after_every_step(story, steps):
    with transaction.atomic():
        for step in told(story, steps):
            assert list(find_violations()) == [], step
            assert min(story.balances()) >= 0
        transaction.set_rollback(True)


@given(steps=st.lists(STEPS, max_size=10), which=some)
@real_database
def test_restoring_gives_back_exactly_what_voiding_took(story, steps, which):
    with transaction.atomic():
        list(told(story, steps))
        story.settle()
        countable = Rating.objects.filter(id__in=story.ratings(which), state="counted")
        ids = list(countable.values_list("id", flat=True))
        before = story.balances(), counters()
        void_ratings(rating_ids=ids, by=story.moderator, reason="a script", now=now())
        restore_ratings(rating_ids=ids, by=story.moderator, reason="a person", now=now())
        assert story.balances() == before[0]
        if not Rater.objects.filter(state="quarantined").exists():
            assert counters() == before[1]
        assert list(find_violations()) == []
        transaction.set_rollback(True)


@given(steps=st.lists(STEPS, max_size=10))
@real_database
def test_nothing_is_paid_twice_and_history_tells_the_balance(story, steps):
    with transaction.atomic():
        list(told(story, steps))
        story.settle()
        settled = story.balances()
        story.settle()
        assert story.balances() == settled
        for someone, balance in zip(story.persons, settled, strict=True):
            lines = history_of(identity_id=someone.identity_id)
            assert sum(line.amount for line in lines) == balance
            assert [line.balance_after for line in lines][:1] == [balance][: len(lines)]
            assert all(line.balance_after >= 0 for line in lines)
        transaction.set_rollback(True)


def counters():
    return list(Image.objects.order_by("id").values_list("rating_count", "aesthetic_sum", "artifacts_count", "is_open"))


amounts = st.lists(st.integers(min_value=-(2**40), max_value=2**40).filter(bool), min_size=1, max_size=5)


@given(given_amounts=amounts, is_balanced=st.booleans())
@real_database
def test_a_transaction_is_posted_when_it_sums_to_zero_and_else_not_at_all(story, given_amounts, is_balanced):
    """Between system accounts, which may go below zero; of accounts there are three, each once in a transaction."""
    kinds = [AccountKind.TREASURY, AccountKind.PAYOUT, AccountKind.LOSS]
    legs = list(zip((system_account_id(kind) for kind in kinds), given_amounts, strict=False))
    if is_balanced:
        legs = legs[:2]
        legs.append((system_account_id(AccountKind.LOSS), -sum(amount for _, amount in legs)))
    total = sum(amount for _, amount in legs)
    with transaction.atomic():
        before = Entry.objects.count()
        try:
            with transaction.atomic():
                post_transactions(reason=Reason.AWARD, postings=[Posting("r", tuple(legs))], now=now())
        except IntegrityError:
            assert total != 0
            assert Entry.objects.count() == before
        else:
            assert total == 0
        assert list(find_violations()) == []
        transaction.set_rollback(True)
