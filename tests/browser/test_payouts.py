"""Payouts in a browser: as their owner sees them, and as a moderator decides about one."""

import pytest

from kudos.award import HordeAward
from kudos.models import Payout
from tests.accounts.staff import make_moderator
from tests.browser.conftest import DESK, PHONE
from tests.browser.measuring import axe_findings
from tests.horde_award import KEY, FakeAward
from tests.kudos.conftest import collect, make_horde_identity
from tests.kudos.test_payouts import send

pytestmark = pytest.mark.browser
ENLARGED = {"width": 320, "height": 256}


@pytest.fixture
def outbox(gallery, ada, settings):
    """Payouts of Ada's in every state that an answer leads to; one user name is as long as AI Horde allows."""
    long_name = f"{'w' * 100}#4"
    manners = {"a#1": "awards", "b#2": "refuses", "c#3": "drops", long_name: "is_busy"}
    with FakeAward(manners=manners) as horde:
        settings.HORDE_URL, settings.HORDE_AWARD_KEY = horde.url, KEY
        for name in manners:
            make_horde_identity(name.rpartition("#")[2], 1_234_567, name=name, user=ada.user)
        award = HordeAward(url=horde.url, key=KEY, allow_private=True)
        collect(award)
        send(award)
        yield Payout.objects.get(state="ambiguous")


@pytest.mark.parametrize("size", [DESK, PHONE, ENLARGED], ids=lambda size: f"{size['width']}x{size['height']}")
def test_the_owners_page_fits_and_axe_finds_nothing(open_page, outbox, ada, size):
    page = open_page("/kudos/", person=ada, viewport=size)
    assert page.get_by_text("a moderator is finding out").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert axe_findings(page) == []


def test_a_moderator_decides_with_the_keyboard(open_page, outbox, live_server):
    moderator = make_moderator()
    page = open_page("/")
    session = moderator.web.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"/admin/kudos/payout/{outbox.pk}/change/")
    page.get_by_role("link", name="Decide").press("Enter")
    back = page.get_by_role("button", name="give it back")
    back.press("Enter")
    assert page.get_by_label("Reason").evaluate("one => !one.validity.valid"), "not without a reason"
    page.get_by_label("Reason").fill("The user has not got it.")
    back.press("Enter")
    page.get_by_text("On record").wait_for()
    outbox.refresh_from_db()
    assert (outbox.state, outbox.decision_note) == ("returned", "The user has not got it.")
