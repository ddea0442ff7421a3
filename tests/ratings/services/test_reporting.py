"""Skips and reports: out of one's sight for a while, and out of everybody's when it has to be."""

import uuid
from datetime import timedelta

import pytest

from accounts.access import browser_caller
from accounts.valkey import get_client
from ratings.models import Image, ModerationAction, Rater, Report, Skip
from ratings.selection import NoImageLeft
from ratings.services.moderation import restore_images
from ratings.services.reporting import report_image
from ratings.services.skipping import ENOUGH_SKIPS, skip_image
from tests.accounts.staff import make_moderator
from tests.factories import make_images
from tests.people import make_person, make_stranger, now
from tests.ratings.services.test_concurrency import at_once
from tests.ratings.services.test_rating import submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(dataset):
    """The only image that is handed out."""
    kept = dataset.images.order_by("id").first()
    dataset.images.exclude(pk=kept.pk).update(is_open=False, status="withdrawn")
    return kept


def visitor(address="c"):
    return browser_caller(uuid.uuid4().hex, address * 32)


def skip(caller, leased, reason=""):
    skip_image(caller=caller, image_id=leased.image_id, lease=leased.lease, reason=reason, now=now())


def report(caller, leased, reason="illegal", note=""):
    report_image(caller=caller, image_id=leased.image_id, lease=leased.lease, reason=reason, note=note, now=now())


def status_of(image):
    image.refresh_from_db()
    return image.status, image.is_open


class TestSkips:
    def test_an_image_comes_back_after_a_month(self, rater, lease, image):
        skip(rater.caller, lease(rater.caller))
        with pytest.raises(NoImageLeft):
            lease(rater.caller)
        Skip.objects.update(created_at=now() - timedelta(days=31))
        get_client().flushdb()
        again = lease(rater.caller)
        assert again.image_id == image.pk
        skip(rater.caller, again)
        assert Skip.objects.get().created_at > now() - timedelta(minutes=5)

    def test_what_many_skip_for_one_reason_is_reported_once(self, image, lease):
        Image.objects.filter(pk=image.pk).update(wanted_count=100)
        for number in range(ENOUGH_SKIPS + 2):
            assert Report.objects.count() == (1 if number >= ENOUGH_SKIPS else 0)
            caller = make_person().caller
            skip(caller, lease(caller), reason="text_only")
        made = Report.objects.get()
        assert (made.image, made.rater, made.reason, made.state) == (image, None, "text_only", "open")
        assert status_of(image) == ("active", True)

    def test_different_reasons_quarantined_raters_and_repeats_are_not_many(self, image, lease):
        Image.objects.filter(pk=image.pk).update(wanted_count=100)
        callers = [make_person().caller for _ in range(ENOUGH_SKIPS + 1)]
        for number, caller in enumerate(callers):
            leased = lease(caller)
            reason = "personal" if number == 0 else "broken"
            skip(caller, leased, reason=reason)
            skip(caller, leased, reason=reason)
            if number == 1:
                Rater.objects.filter(identity_id=caller.identity_id).update(state="quarantined")
        assert Report.objects.count() == 0


class TestReports:
    def test_illegal_of_one_hides_nothing_and_of_two_hides(self, image, lease, adds_up):
        one, other = make_person().caller, make_person().caller
        leased = lease(other)
        report(one, lease(one))
        assert status_of(image) == ("active", True)
        report(other, leased, note="seen in the news")
        assert status_of(image) == ("hidden", False)
        action = ModerationAction.objects.get()
        assert (action.kind, action.taken_by, action.target) == ("hide_image", None, str(image.pk))
        assert Report.objects.filter(state="open").count() == 2
        adds_up()

    def test_who_is_trusted_needs_no_other(self, image, lease, rater):
        Rater.objects.filter(identity_id=rater.identity_id).update(state="trusted")
        report(rater.caller, lease(rater.caller))
        assert status_of(image) == ("hidden", False)

    def test_it_can_be_taken_back(self, image, lease, rater, adds_up):
        Rater.objects.filter(identity_id=rater.identity_id).update(is_trusted=True)
        report(rater.caller, lease(rater.caller))
        restore_images(image_ids=[image.pk], by=make_moderator().user, reason="it is a drawing", now=now())
        assert status_of(image) == ("active", True)
        adds_up()

    def test_restoring_settles_what_was_reported(self, image, lease, adds_up):
        """The next who says so is the first again; what was said before is kept, and other images have their own."""
        Image.objects.filter(pk=image.pk).update(wanted_count=100)
        *before, one, other = [make_person().caller for _ in range(4)]
        leases = {caller: lease(caller) for caller in (*before, one, other)}
        for caller in before:
            report(caller, leases[caller])
        elsewhere = make_images(image.dataset, 1)[0]
        Report.objects.create(image=elsewhere, reason="text_only")
        moderator = make_moderator().user
        restore_images(image_ids=[image.pk, elsewhere.pk], by=moderator, reason="it is a drawing", now=now())
        assert list(image.reports.values_list("state", flat=True)) == ["dismissed"] * 2
        assert elsewhere.reports.get().state == "open"

        report(before[0], leases[before[0]], note="I insist")
        report(one, leases[one])
        assert status_of(image) == ("active", True)
        report(other, leases[other])

        assert status_of(image) == ("hidden", False)
        assert Report.objects.filter(image=image, state="dismissed").count() == 2
        adds_up()

    @pytest.mark.parametrize("reason", ["sexual", "gore", "private_person", "copyright", "broken", "duplicate"])
    def test_other_reasons_wait_for_a_moderator(self, image, lease, reason):
        for _ in range(3):
            caller = make_person().caller
            Rater.objects.update(is_trusted=True)
            report(caller, lease(caller), reason=reason)
        assert status_of(image)[0] == "active"

    def test_two_cookies_of_one_address_are_one(self, image, lease):
        for caller in (visitor(), visitor(), make_stranger("c")):
            report(caller, lease(caller))
        assert status_of(image) == ("active", True)
        elsewhere = visitor("d")
        report(elsewhere, lease(elsewhere))
        assert status_of(image) == ("hidden", False)

    def test_who_is_in_quarantine_does_not_count(self, image, lease):
        for _ in range(2):
            caller = make_person().caller
            leased = lease(caller)
            Rater.objects.filter(identity_id=caller.identity_id).update(state="quarantined")
            report(caller, leased)
        assert status_of(image) == ("active", True)

    def test_a_report_keeps_the_rating_and_earns_nothing(self, rater, image, lease, adds_up):
        leased = lease(rater.caller)
        assert submit(rater.caller, leased).reward == 7
        report(rater.caller, leased, reason="gore")
        image.refresh_from_db()
        assert image.rating_count == 1
        adds_up()

    @pytest.mark.slow
    @pytest.mark.django_db(transaction=True)
    def test_two_at_the_same_time_see_each_other(self, image, lease, adds_up):
        callers = [make_person().caller for _ in range(2)]
        held = [(caller, lease(caller)) for caller in callers]
        assert at_once([lambda one=one: report(*one) for one in held]) == [None, None]
        assert status_of(image) == ("hidden", False)
        assert ModerationAction.objects.count() == 1
        adds_up()
