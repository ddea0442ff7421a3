"""How a person wants the rating page follows them: from browser to browser, and from before they signed up."""

import pytest
from playwright.sync_api import expect

from ratings.models import PagePreferences
from tests.browser.conftest import session_cookie, wait_until_awake
from tests.browser.rating import press, says
from tests.people import make_person

pytestmark = pytest.mark.browser


def move_skip_to(page, key):
    wait_until_awake(page)
    press(page, "?")
    page.get_by_role("button", name="S Skip").click()
    press(page, key)
    expect(page.get_by_role("button", name=f"{key.upper()} Skip")).to_be_visible()
    press(page, "Escape")


def is_kept(response):
    return response.request.method == "POST" and "/settings/" in response.url


def test_it_works(open_page, ada):
    """A key is moved in one browser; in another, signed in as well, there it is."""
    page = open_page(person=ada)
    wait_until_awake(page)
    page.wait_for_load_state("networkidle")
    with page.expect_response(is_kept):
        move_skip_to(page, "b")

    other = open_page(person=ada)

    wait_until_awake(other)
    press(other, "?")
    expect(other.get_by_role("button", name="B Skip")).to_be_visible()
    press(other, "Escape")
    press(other, "b")
    says(other, "Image 1 skipped.")
    assert PagePreferences.objects.get().keys == {"skip": "KeyB", "all_bad": "KeyS"}


def test_what_a_visitor_set_moves_to_their_account(open_page, ada, live_server):
    """Once; who signs in next at this browser finds it as it usually is, and so does the next visitor."""
    page = open_page()
    move_skip_to(page, "b")
    page.context.add_cookies([session_cookie(ada, live_server.url)])

    with page.expect_response(is_kept):
        page.reload()

    press(page, "?")
    expect(page.get_by_role("button", name="B Skip")).to_be_visible()
    assert PagePreferences.objects.get().keys == {"skip": "KeyB", "all_bad": "KeyS"}
    press(page, "Escape")
    page.goto("/datasets/")
    page.context.add_cookies([session_cookie(make_person("bob"), live_server.url)])
    page.goto("/rate/")
    page.wait_for_load_state("networkidle")
    press(page, "?")
    expect(page.get_by_role("button", name="S Skip")).to_be_visible()
    assert PagePreferences.objects.count() == 1


def test_an_account_that_has_settings_keeps_them(open_page, ada, live_server):
    ada.web().post("/rate/settings/", {"keys": '{"skip": "KeyG"}'}, headers={"accept": "application/json"})
    page = open_page()
    move_skip_to(page, "b")
    page.context.add_cookies([session_cookie(ada, live_server.url)])

    page.reload()

    press(page, "?")
    expect(page.get_by_role("button", name="G Skip")).to_be_visible()
    assert PagePreferences.objects.get().keys == {"skip": "KeyG"}
