"""The rating page for who hears it, enlarges it, has colours of their own, or wants nothing to move."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import wait_until_awake
from tests.browser.measuring import RULES, axe_findings
from tests.browser.rating import chosen, press, rate, says, shows, status, warns

pytestmark = pytest.mark.browser
LOST = ["Failed to load resource", "net::ERR"]

FORM = """
- heading "Image 1" [level=1]
- paragraph: /By rating you place your ratings under CC0-1.0/
- status
- group "How much do you like this image?":
  - radio /^1 ?, not at all$/
  - radio "2"
  - radio "3"
  - radio "4"
  - radio "5"
  - radio "6"
  - radio "7"
  - radio "8"
  - radio "9"
  - radio /^10 ?, one of the best$/
  - radio "Cannot judge"
- group "How badly is it flawed? (optional)":
  - radio "None"
  - radio "Faint"
  - radio "Slight"
  - radio "Obvious"
  - radio "Harmful"
  - radio "Ruined"
  - radio "Cannot judge"
- button "Submit"
- button "Skip"
- button "Undo" [disabled]
- button "More"
"""


def focused(page):
    return page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


def test_it_works_for_who_hears_it(open_page):
    """Two named groups; after an answer the focus is on the new image's heading and the outcome is said politely."""
    page = open_page()
    wait_until_awake(page)
    expect(page.get_by_role("img", name="The image to rate")).to_be_visible()
    expect(page.locator("#rating")).to_match_aria_snapshot(FORM)
    expect(page.get_by_role("radio", name="Ruined")).to_have_accessible_description("the image is ruined")
    assert live_of(page, "#status") == "polite"
    assert live_of(page, "#alert") == "assertive"

    page.get_by_role("radio", name="7", exact=True).press("Space")
    page.get_by_role("radio", name="Faint").press("Space")
    page.get_by_role("button", name="Submit").press("Enter")

    says(page, "Image 1, rated 7 and 1, saved.")
    expect(page.get_by_role("heading", level=1, name="Image 2")).to_be_focused()
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    wait_until_awake(page)
    page.get_by_role("button", name="Undo").press("Enter")
    says(page, "Image 1 is back, rated 7 and 1.")
    expect(page.get_by_role("heading", level=1, name="Image 1")).to_be_focused()


def live_of(page, selector):
    """Return how Chromium itself tells assistive technology of changes of an element, hidden or not."""
    page.eval_on_selector(selector, "one => { one.dataset.was = one.hidden; one.hidden = false; }")
    session = page.context.new_cdp_session(page)
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    found = session.send("Accessibility.getPartialAXTree", {"nodeId": node, "fetchRelatives": False})["nodes"][0]
    page.eval_on_selector(selector, "one => { one.hidden = one.dataset.was === 'true'; }")
    return next(one["value"]["value"] for one in found["properties"] if one["name"] == "live")


def test_what_went_wrong_is_said(open_page):
    page = open_page(allow=LOST)
    wait_until_awake(page)
    press(page, "Enter")
    says(page, "Answer the first question: 1 to 10, or “Cannot judge”.")

    page.route("**/rate/", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    press(page, "7", "Enter")
    says(page, "Image 1 is kept in this browser and will be sent by itself. The server cannot be reached.")
    expect(page.get_by_role("link", name="1 waiting")).to_be_visible()


def test_a_refusal_is_an_alert(open_page):
    page = open_page(allow=LOST)
    wait_until_awake(page)
    no = {"status": 403, "content_type": "application/json", "body": '{"message": "Not yours.", "code": "not_leased"}'}
    page.route("**/rate/", lambda route: route.fulfill(**no) if route.request.method == "POST" else route.fallback())

    press(page, "7", "Enter")

    warns(page, "Image 1 was not saved. Not yours.")
    expect(page.get_by_role("alert")).to_have_text("Image 1 was not saved. Not yours.")
    expect(status(page)).to_be_empty()
    shows(page, "Image 2")


# How each dialog is opened by keys, and its name.
DIALOGS = {"keys": "?", "report": "x", "full-size": "f", "details": "i"}


def test_dialogs_keep_the_focus_and_give_it_back(open_page):
    page = open_page()
    rate(page, "7")
    says(page, "saved")
    for name, key in DIALOGS.items():
        wait_until_awake(page)
        page.get_by_role("button", name="Skip").focus()
        press(page, key)
        expect(page.locator(f"#{name}")).to_be_visible()
        for _ in range(len(DIALOGS) * 8):
            press(page, "Tab")
            # Between its last and its first element the browser's own bar has the focus, and the page none.
            assert page.evaluate(f"document.activeElement.matches('#{name} *, #{name}, body')"), (name, focused(page))
        press(page, "Escape")
        expect(page.locator(f"#{name}")).to_be_hidden()
        expect(page.get_by_role("button", name="Skip")).to_be_focused()
    assert chosen(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens(open_page, scheme):
    """Every dialog, the menu of what else there is, the reasons after a skip, the alert, and the end."""
    page = open_page(color_scheme=scheme, allow=LOST)
    wait_until_awake(page)
    page.evaluate("sessionStorage.setItem('kudoscope-rest', JSON.stringify({ms: 0, ratings: 149}))")
    page.reload()
    rate_and_rest(page)
    for name, key in DIALOGS.items():
        wait_until_awake(page)
        press(page, key)
        expect(page.locator(f"#{name}")).to_be_visible()
        assert axe_findings(page, RULES) == [], name
        press(page, "Escape")
        expect(page.locator(f"#{name}")).to_be_hidden()
    page.get_by_role("button", name="More").click()
    assert axe_findings(page, RULES) == []
    press(page, "Escape")
    press(page, "s")
    page.get_by_role("button", name="Only text").focus()
    page.evaluate("document.getElementById('alert').hidden = false")
    page.evaluate("document.getElementById('alert-text').textContent = 'Image 1 was not saved.'")
    assert axe_findings(page, RULES) == []


def rate_and_rest(page):
    wait_until_awake(page)
    press(page, "7", "Enter")
    expect(page.get_by_role("dialog", name="A short break?")).to_be_visible()
    assert axe_findings(page, RULES) == []
    press(page, "Enter")
    shows(page, "Image 2")


OVERFLOWING = """() => [document.documentElement, ...document.querySelectorAll('dialog[open], .more:popover-open')]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => `${one.id || one.tagName} ${one.scrollWidth}`)"""


def test_at_four_hundred_percent_nothing_scrolls_sideways(open_page):
    """1280 x 1024 enlarged: 320 x 256."""
    page = open_page(viewport={"width": 320, "height": 256})
    rate(page, "7", "1")
    says(page, "Image 1, rated 7 and 1, saved.")
    for name, key in DIALOGS.items():
        wait_until_awake(page)
        press(page, key)
        expect(page.locator(f"#{name}")).to_be_visible()
        assert page.evaluate(OVERFLOWING) == [], name
        page.locator(f"#{name}").get_by_role("button", name=re.compile("Close|Cancel")).click()
        expect(page.locator(f"#{name}")).to_be_hidden()
    page.get_by_role("button", name="More").click()
    assert page.evaluate(OVERFLOWING) == []
    page.get_by_role("button", name="Keys").click()
    press(page, "Escape")
    page.get_by_role("button", name="Skip").click()
    expect(page.locator("#reasons")).to_be_visible()
    assert page.evaluate(OVERFLOWING) == []


STYLES = """() => {
    const style = (selector) => getComputedStyle(document.querySelector(selector));
    const faces = [...document.querySelectorAll('.scale-aesthetic .face')].map(one => getComputedStyle(one).backgroundColor);
    return {
        chosen: faces.indexOf(faces.find(one => faces.filter(other => other === one).length === 1)) + 1,
        is_focus_drawn: style('.cell input:focus-visible + .face').outlineStyle === 'solid',
        is_framed: style('.stage').backgroundColor !== style('body').backgroundColor,
        active: style('.is-active legend').textDecorationLine,
    };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_forced_colours_one_sees_what_is_chosen_where_one_is_and_where_the_picture_ends(open_page, scheme):
    page = open_page(forced_colors="active", color_scheme=scheme)
    wait_until_awake(page)

    press(page, "7")

    assert page.evaluate(STYLES) == {"chosen": 7, "is_focus_drawn": True, "is_framed": True, "active": "underline"}


def test_nothing_moves_on_the_page_where_no_motion_is_wanted(open_page):
    page = open_page(reduced_motion="reduce")
    page.evaluate("window.moved = 0; document.addEventListener('animationstart', () => window.moved++)")
    rate(page, "7")
    says(page, "saved")
    assert page.evaluate("window.moved") == 0

    page.emulate_media(reduced_motion="no-preference")
    rate(page, "6")
    says(page, "Image 2, rated 6, saved")
    page.wait_for_function("window.moved")
