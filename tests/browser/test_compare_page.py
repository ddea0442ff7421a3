"""The page for comparing, in a browser."""

import re

import pytest

from ratings.models import Comparison, SetSkip
from tests.browser.conftest import PHONE
from tests.browser.measuring import axe_findings

pytestmark = pytest.mark.browser

FITS = """() => {
    const seen = one => { const box = one.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; };
    return [...document.querySelectorAll('.choice, .none .cell, .finish button')].every(seen);
}"""


def wait_for_pictures(page):
    page.wait_for_function(
        "[...document.querySelectorAll('.choice img')].every(one => one.complete && one.naturalWidth)"
    )


def test_it_works_without_script(open_page, ada, adds_up):
    page = open_page("/compare/", person=ada, java_script_enabled=False)
    assert page.locator(":checked").count() == 0
    chosen = page.locator(".choice input").nth(1)
    best = chosen.get_attribute("value")
    chosen.check()
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("status").get_by_text("Saved. 15 kudos pending.").wait_for()
    assert str(Comparison.objects.get().best_id) == best
    page.get_by_role("link", name="Change it").click()
    assert page.locator(f".choice input[value='{best}']").is_checked()
    page.get_by_role("radio", name=re.compile("All of them are bad")).check()
    page.get_by_role("button", name="Change").click()
    page.get_by_role("status").get_by_text("Changed.").wait_for()
    assert list(Comparison.objects.values_list("outcome", "revision_count")) == [("all_bad", 1)]
    page.get_by_role("button", name="Skip").click()
    page.get_by_role("status").get_by_text("Skipped.").wait_for()
    assert SetSkip.objects.count() == 1
    adds_up()


def test_an_image_is_reported_without_script(open_page, ada):
    page = open_page("/compare/", person=ada, java_script_enabled=False)
    page.get_by_text("Report an image").click()
    page.locator(".report").get_by_role("radio", name="Image 2").check()
    page.locator(".report").get_by_role("radio", name="gore").check()
    page.locator(".report").get_by_role("button", name="Report").click()
    page.get_by_role("status").get_by_text("A moderator will look at this image.").wait_for()
    assert not Comparison.objects.exists()


def test_at_phone_width_nothing_scrolls_for_an_answer(open_page, ada):
    for _ in range(3):
        page = open_page("/compare/", person=ada, viewport=PHONE, has_touch=True)
        wait_for_pictures(page)
        assert page.evaluate(FITS)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        page.locator(".choice").first.tap()
        page.get_by_role("button", name="Submit").tap()
        page.get_by_role("status").get_by_text("saved").or_(page.get_by_text("Saved.")).first.wait_for()
    assert Comparison.objects.count() == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, ada, scheme):
    page = open_page("/compare/", person=ada, color_scheme=scheme)
    page.locator(".choice input").first.check()
    assert axe_findings(page) == []


def wait_until_awake(page):
    page.wait_for_function("() => document.querySelector('[name=sha256]')?.value")
    page.wait_for_timeout(200)  # the moment in which keys are dead


def press_and_wait(page, *keys):
    """Press keys, and wait for the page that the last one leads to."""
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press(keys[-1])


def test_by_keys_alone_with_undo_and_proof(open_page, ada, adds_up):
    page = open_page("/compare/", person=ada)
    wait_until_awake(page)
    best = page.locator(".choice input").nth(1).get_attribute("value")
    press_and_wait(page, "1", "Numpad2", "Enter")
    comparison = Comparison.objects.get()
    assert (str(comparison.best_id), comparison.proof) == (best, "hash")
    wait_until_awake(page)
    press_and_wait(page, "z")
    wait_until_awake(page)
    assert page.locator(":checked").get_attribute("value") == best
    press_and_wait(page, "b", "Enter")
    assert list(Comparison.objects.values_list("outcome", "revision_count")) == [("all_bad", 1)]
    wait_until_awake(page)
    press_and_wait(page, "t", "Enter")
    assert Comparison.objects.order_by("id").last().outcome == "tie"
    wait_until_awake(page)
    press_and_wait(page, "s")
    assert SetSkip.objects.count() == 1
    adds_up()


def test_enter_without_a_choice_and_other_keys_do_nothing(open_page, ada):
    page = open_page("/compare/", person=ada)
    wait_until_awake(page)
    address = page.url
    for key in ("Backspace", "Delete", "9", "x", "Control+1", "Shift+T", "Enter"):
        page.keyboard.press(key)
    assert page.locator(":checked").count() == 0
    assert page.url == address
    assert not Comparison.objects.exists()
