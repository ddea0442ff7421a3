"""Every page, in a browser: quiet console, no sideways scrolling, visible focus, large targets, no axe finding."""

import pytest

from tests.browser.conftest import DESK, PHONE
from tests.browser.measuring import COLOURS, SMALL_TARGETS, axe_findings
from tests.chromium import launch_chromium

pytestmark = pytest.mark.browser

PUBLIC = [
    "/",
    "/rate/",
    "/rate/demo/",
    "/rate/settings/",
    "/rate/practice/",
    "/compare/",
    "/compare/demo/",
    "/datasets/",
    "/rules/",
    "/datasets/demo/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/inactive/",
]
OWN = [
    "/rate/",
    "/rate/settings/",
    "/profile/",
    "/profile/keys/",
    "/kudos/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
]
ENLARGED = {"width": 320, "height": 256}  # 1280 x 1024 at 400 %
SIDEWAYS = {"width": 640, "height": 360}
SIZES = [DESK, PHONE, ENLARGED, SIDEWAYS]

FOCUS = """() => {
    const one = document.activeElement;
    const drawn = one.matches('.cell input') ? one.nextElementSibling : one;
    const box = drawn.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const style = getComputedStyle(drawn);
    return {
        name: one.outerHTML.slice(0, 100),
        is_body: one === document.body,
        is_drawn: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        is_uncovered: top === one || one.contains(top) || drawn.contains(top) || top?.contains(one),
    };
}"""


@pytest.fixture
def visit(open_page, ada):
    """Open public pages as nobody and own pages as Ada, all in one browser each."""

    def go(person=None, **options):
        page = open_page("/", person=person, **options)
        for path in OWN if person else PUBLIC:
            page.goto(path)
            yield path, page

    return go


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']}x{size['height']}")
@pytest.mark.parametrize("whose", ["public", "own"])
def test_no_page_scrolls_sideways_and_targets_are_large(visit, ada, whose, size):
    for path, page in visit(ada if whose == "own" else None, viewport=size):
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        assert page.evaluate(SMALL_TARGETS) == [], path


def test_letters_of_twice_the_size_fit_a_phone(chromium, live_server, gallery):
    browser = launch_chromium(chromium.browser_type, "--blink-settings=defaultFontSize=32")
    page = browser.new_page(base_url=live_server.url, viewport=PHONE)

    for path in PUBLIC:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    browser.close()


@pytest.mark.parametrize("whose", ["public", "own"])
def test_focus_is_seen(visit, ada, whose):
    for path, page in visit(ada if whose == "own" else None):
        seen = 0
        for _ in range(30):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            if focus["is_body"]:
                break
            seen += 1
            assert focus["is_drawn"], (path, focus["name"])
            assert focus["is_uncovered"], (path, focus["name"])
        assert seen > 4, path


@pytest.mark.parametrize("whose", ["public", "own"])
def test_axe_finds_nothing(visit, ada, whose):
    """All its rules in light; in dark what depends on colours."""
    for path, page in visit(ada if whose == "own" else None):
        page.emulate_media(color_scheme="light")
        in_light = axe_findings(page)
        page.emulate_media(color_scheme="dark")
        in_dark = axe_findings(page, COLOURS)
        assert in_light + in_dark == [], path


def test_the_skip_link_comes_first_and_leads_to_the_content(open_page):
    page = open_page("/datasets/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


def test_the_menu_of_a_phone_opens_without_script(open_page):
    page = open_page("/", viewport=PHONE, java_script_enabled=False)
    assert not page.get_by_role("link", name="Datasets").is_visible()

    page.get_by_role("button", name="Menu").click()

    page.get_by_role("link", name="Datasets").click()
    assert page.url.endswith("/datasets/")


def test_nothing_moves_where_no_motion_is_wanted(open_page):
    page = open_page("/rate/", reduced_motion="reduce")

    moving = (
        "[...document.querySelectorAll('*')].filter(one => getComputedStyle(one).transitionDuration !== '0s').length"
    )
    assert page.evaluate(moving) == 0
    assert page.evaluate("document.getAnimations().length") == 0


def test_the_choice_is_seen_in_forced_colours(open_page):
    page = open_page("/rate/", forced_colors="active")
    page.get_by_label("7").check()

    face = "[...document.querySelectorAll('.scale-aesthetic .face')].map(one => getComputedStyle(one).backgroundColor)"
    colours = page.evaluate(face)
    assert colours.count(colours[6]) == 1


def test_a_new_key_is_shown_once_and_can_be_copied(open_page, ada):
    page = open_page("/profile/", person=ada)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    page.get_by_label("What the key is for").fill("my script")
    page.get_by_role("button", name="Make a key").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_role("button", name="Copy").click()

    assert len(secret) == 22
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("link", name="Back to my keys").click()
    assert secret not in page.content()
