"""The rating page under a thumb: nothing scrolls, every target is large, and no gesture is the only way."""

import pytest
from playwright.sync_api import expect

from ratings.models import Rating, Report, Skip
from tests.browser.conftest import PHONE, wait_until_awake
from tests.browser.measuring import SMALL_TARGETS
from tests.browser.rating import answers, chosen, outbox_is_empty, press, rate, says, shown_id, shows
from tests.browser.touching import Finger

pytestmark = pytest.mark.browser
SIDEWAYS = {"width": 640, "height": 360}
OUTSIDE = """() => {
    const page = document.documentElement;
    const is_in = ({top, left, bottom, right}) => top >= 0 && left >= 0 && bottom <= innerHeight + .5 && right <= innerWidth + .5;
    const controls = [...document.querySelectorAll('.desk button, .desk .face, .stage img, .site-header a, .menu-button')];
    return [
        ...controls.filter(one => one.checkVisibility() && !is_in(one.getBoundingClientRect())).map(one => one.outerHTML.slice(0, 80)),
        ...[...document.querySelectorAll('.site-header')].filter(one => one.clientHeight > 60).map(one => `header ${one.clientHeight}`),
        ...(page.scrollHeight > innerHeight ? [`${page.scrollHeight} px high`] : []),
        ...(page.scrollWidth > innerWidth ? [`${page.scrollWidth} px wide`] : []),
    ];
}"""


@pytest.fixture
def on_phone(open_page):
    def open_one(viewport=PHONE, **options):
        page = open_page(viewport=viewport, has_touch=True, is_mobile=True, **options)
        wait_until_awake(page)
        return page

    return open_one


@pytest.mark.parametrize("viewport", [PHONE, SIDEWAYS], ids=["upright", "sideways"])
def test_it_works_by_taps_alone_and_nothing_scrolls(on_phone, viewport):
    page = on_phone(viewport)
    first = shown_id(page)
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(SMALL_TARGETS) == []

    page.get_by_role("radio", name="8", exact=True).tap()
    page.get_by_role("radio", name="Faint").tap()
    page.get_by_role("button", name="Submit").tap()

    says(page, "Image 1, rated 8 and 1, saved.")
    rating = Rating.objects.get()
    assert (str(rating.image_id), rating.input_kind) == (first, "touch")
    assert page.evaluate(OUTSIDE) == []
    wait_until_awake(page)
    page.get_by_role("button", name="Undo").tap()
    says(page, "Image 1 is back, rated 8 and 1. Change it, or submit it as it is.")
    assert page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("viewport", [PHONE, SIDEWAYS], ids=["upright", "sideways"])
def test_strokes_skip_and_undo(on_phone, viewport):
    page = on_phone(viewport)
    finger = Finger(page)
    finger.stroke(0, -100)
    says(page, "Image 1 skipped.")
    expect(page.locator("#reasons")).to_be_visible()
    assert page.evaluate(SMALL_TARGETS) == []
    page.get_by_role("button", name="Only text").click()  # a tap just after a stroke only ends it
    expect(page.locator("#reasons")).to_be_hidden()
    wait_until_awake(page)

    finger.stroke(0, 100)

    says(page, "Image 1 is back. It is no longer skipped.")
    outbox_is_empty(page)
    assert not Skip.objects.exists()


def test_what_is_no_clear_stroke_does_nothing(on_phone):
    page = on_phone()
    rate(page, "7")
    says(page, "saved")
    wait_until_awake(page)

    for across, down in ((0, 40), (0, -40), (100, 0), (-100, 100), (90, -100)):
        Finger(page).stroke(across, down)
    press(page, "3")

    assert chosen(page) == ["3"]
    shows(page, "Image 2")


def test_a_long_press_reports_and_so_does_a_button(on_phone):
    page = on_phone()
    dialog = page.get_by_role("dialog", name="Report this image")
    finger = Finger(page)
    finger.put_down()
    expect(dialog).to_be_visible()
    finger.lift()
    assert page.evaluate(SMALL_TARGETS) == []
    dialog.get_by_role("button", name="Cancel").tap()
    expect(dialog).to_be_hidden()
    assert not Report.objects.exists()

    page.get_by_role("button", name="More").tap()
    assert page.evaluate(SMALL_TARGETS) == []
    page.get_by_role("button", name="Report").tap()
    dialog.get_by_role("radio", name="Broken picture").tap()
    dialog.get_by_role("button", name="Report").tap()

    says(page, "Image 1 reported. Thank you.")
    shows(page, "Image 2")
    assert [report.reason for report in Report.objects.all()] == ["broken"]


def test_every_gesture_has_a_button(on_phone):
    """Skip and Undo stand on the bar; what else a finger can do is under More, which makes room for what it opens."""
    page = on_phone()
    page.get_by_role("button", name="Skip").tap()
    says(page, "Image 1 skipped.")
    wait_until_awake(page)
    page.get_by_role("button", name="Undo").tap()
    says(page, "no longer skipped")
    wait_until_awake(page)
    for name, dialog in {"Full size": "Full size", "Keys": "Keys", "Look at the last one": None}.items():
        page.get_by_role("button", name="More").tap()
        page.get_by_role("button", name=name, exact=True).tap()
        expect(page.locator("#more")).to_be_hidden()
        if dialog:
            assert page.evaluate(SMALL_TARGETS) == []
            page.get_by_role("dialog", name=dialog).get_by_role("button", name="Close").tap()
            expect(page.get_by_role("button", name="More")).to_be_focused()
    says(page, "Rate an image first; then you can look at it.")
    assert answers() == []
