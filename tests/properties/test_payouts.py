"""Whatever is earned, voided, sent, answered and decided, in whatever order: the books add up, nobody is paid twice.

The fake AI Horde's own books are the truth. Every step commits, because that is what payouts rest on.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from accounts import valkey
from accounts.access import Caller
from accounts.models import Identity, IdentityKind
from config.invariants import find_violations
from kudos.award import HordeAward
from kudos.models import Payout, PayoutDecision
from kudos.queries import balance_of
from kudos.services.payouts import claim_payout, create_payouts, decide_payout, expire_sending, send_payouts
from ratings.leases.token import Lease, new_lease_id, sign_lease
from ratings.models import Rater, Rating
from ratings.queries.payable import payable_identities
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.refusals import RatingRefused
from ratings.services.voiding import restore_ratings, void_ratings
from tests.factories import DatasetFactory, UserFactory, make_images
from tests.horde_award import ANSWERS, KEY, FakeAward
from tests.people import now
from tests.quick_flush import _delete_rows
from tests.ratings.services.test_rating import PRICES
from tests.settling import settle_rewards

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PERSONS = 2
DICE = Random(1)
real_commits = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
MANNERS = ["awards", "drops", "drops_unread", *ANSWERS]
person = st.integers(min_value=0, max_value=PERSONS - 1)
some = st.sets(st.integers(min_value=0, max_value=9), min_size=1, max_size=5)
send = st.tuples(st.just("send"), st.sampled_from(MANNERS))
STEPS = st.one_of(
    st.tuples(st.just("earn"), person, st.integers(min_value=1, max_value=4)),
    st.tuples(st.just("void"), some),
    st.tuples(st.just("restore"), some),
    st.just(("collect",)),
    st.just(("collect",)),
    send,
    send,
    st.tuples(st.just("die"), st.booleans()),
    st.tuples(st.just("decide"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([timedelta(minutes=20), timedelta(hours=7), timedelta(days=31)])),
    st.tuples(st.just("quarantine"), person, st.booleans()),
)


@dataclass
class Story:
    """What happens to two painters, one step after the other, beside a fake AI Horde."""

    horde: FakeAward
    identities: list[Identity]
    images: list[Any]
    moderator: Any
    waited: timedelta = timedelta(0)

    def clock(self) -> datetime:
        return now() + self.waited

    @property
    def award(self):
        return HordeAward(url=self.horde.url, key=KEY, allow_private=True)

    def earn(self, who, count):
        """Let somebody rate pictures that are left; what is settled at once is all that matters here."""
        identity = self.identities[who]
        rated = set(Rating.objects.filter(rater__identity=identity).values_list("image_id", flat=True))
        for image in [image for image in self.images if image.pk not in rated][:count]:
            rate(identity, image.pk)
        settle_rewards(hold=timedelta(0), now=self.clock())

    def void(self, which):
        void_ratings(rating_ids=rating_ids(which), by=self.moderator, reason="a script", now=self.clock())

    def restore(self, which):
        restore_ratings(rating_ids=rating_ids(which), by=self.moderator, reason="a person", now=self.clock())

    def collect(self):
        held = {one.pk: balance_of(one.pk) for one in self.identities if self.is_held(one)}
        create_payouts(payable=payable_identities(), minimum=5, award=self.award, now=self.clock())
        assert held == {pk: balance_of(pk) for pk in held}

    def send(self, manner):
        self.horde.manner = manner
        valkey.get_client().flushdb()
        send_payouts(award=self.award, patience=timedelta(seconds=20), clock=self.clock)

    def die(self, is_sent):
        """A worker is killed after the mark, before or after the request."""
        self.horde.manner = "awards"
        claimed = claim_payout(now=self.clock())
        if claimed and is_sent:
            self.award.give(username=claimed.username, amount=claimed.amount)

    def wait(self, how_long):
        self.waited += how_long
        expire_sending(now=self.clock())

    def decide(self, is_patient):
        """A moderator finds out what is true: whether more has arrived there than all we know of."""
        for payout in Payout.objects.filter(state="ambiguous"):
            known = sum(Payout.objects.filter(username=payout.username, state="paid").values_list("amount", flat=True))
            has_arrived = self.horde.received[payout.username] == known + payout.amount
            event("arrived" if has_arrived else "lost")
            missing = PayoutDecision.SEND_AGAIN if is_patient else PayoutDecision.GIVE_BACK
            decision = PayoutDecision.ARRIVED if has_arrived else missing
            decide_payout(payout_id=payout.pk, decision=decision, by=self.moderator, note="x", now=self.clock())

    def quarantine(self, who, is_held):
        decide = quarantine_rater if is_held else end_quarantine
        rater = Rater.objects.get(identity=self.identities[who])
        decide(rater_id=rater.pk, by=self.moderator, reason="a script", now=self.clock())

    @staticmethod
    def is_held(identity):
        return Rater.objects.get(identity=identity).state == "quarantined"

    def assert_nobody_was_paid_twice(self):
        """What arrived is what is paid, and perhaps what is in doubt, of each user; never more."""
        for identity in self.identities:
            rows = Payout.objects.filter(username=identity.name).values_list("state", "amount")
            paid = sum(amount for state, amount in rows if state == "paid")
            doubt = sum(amount for state, amount in rows if state in {"ambiguous", "sending"})
            assert self.horde.received[identity.name] in {paid, paid + doubt}


def rate(identity, image):
    holder = f"horde:{identity.external_id}"
    caller = Caller(IdentityKind.HORDE, identity.external_id, identity.pk, None, holder, "a" * 32)
    lease_id = new_lease_id(now_ms=int(now().timestamp() * 1000), dice=DICE)
    token = sign_lease(Lease(lease_id, image, 1), holder)
    submission = RatingSubmission(image_id=image, aesthetic=7, artifacts=None, lease=token)
    with suppress(RatingRefused):
        submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())


def rating_ids(which):
    known = list(Rating.objects.order_by("id").values_list("id", flat=True))
    return [known[index] for index in which if index < len(known)]


def begin(horde):
    _delete_rows(None)
    valkey.get_client().flushdb()
    images = make_images(DatasetFactory(slug="demo", target_rating_count=2), 8)
    identities = [
        Identity.objects.create(kind=IdentityKind.HORDE, external_id=str(number), name=f"painter#{number}")
        for number in range(1, PERSONS + 1)
    ]
    for identity in identities:
        Rater.objects.create(identity=identity)
    return Story(horde, identities, images, UserFactory())


@given(steps=st.lists(STEPS, min_size=6, max_size=16))
@real_commits
def test_the_books_add_up_and_nobody_is_paid_twice(steps):
    with FakeAward() as horde:
        story = begin(horde)
        story.earn(0, 3)
        story.earn(1, 2)
        story.collect()
        for name, *arguments in steps:
            getattr(story, name)(*arguments)
            assert list(find_violations()) == [], (name, arguments)
            story.assert_nobody_was_paid_twice()
        # In the end, with everybody patient and AI Horde awake, nothing is left in between.
        for _ in range(2):
            story.wait(timedelta(hours=7))
            story.decide(is_patient=True)
            story.send("awards")
        assert not Payout.objects.filter(state__in=["pending", "sending", "ambiguous"]).exists()
        paid = Counter()
        for username, amount in Payout.objects.filter(state="paid").values_list("username", "amount"):
            paid[username] += amount
        assert paid == horde.received
        assert list(find_violations()) == []
