"""The pages in German: rated by keys, switched to English and back, no word too long for its place."""

import pytest
from playwright.sync_api import expect

from ratings.models import Rating
from tests.browser.conftest import DESK, PHONE, wait_until_awake
from tests.browser.measuring import SMALL_TARGETS, axe_findings
from tests.browser.rating import answers, outbox_is_empty, rate, says, shows
from tests.browser.test_every_page import OWN, PUBLIC

pytestmark = pytest.mark.browser
GERMAN = {"locale": "de-DE"}
LOST = ["Failed to load resource", "net::ERR"]
CONTROLLED = "navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))"
# Words that are cut off, or hang over the edge of what holds them.
TOO_LONG = """() => [...document.querySelectorAll('a, button, legend, .face, .ends span, dt, th, td, kbd, h1, h2, h3')]
    .filter(one => one.checkVisibility() && !one.closest('.visually-hidden'))
    .filter(one => getComputedStyle(one).display !== 'inline' && one.scrollWidth > one.clientWidth + 1)
    .map(one => `${one.tagName} ${one.textContent.trim().slice(0, 40)}: ${one.scrollWidth} > ${one.clientWidth}`)"""


def language_of(page):
    return page.evaluate("document.documentElement.lang")


def choose(page, name):
    page.get_by_role("contentinfo").get_by_role("button", name=name).click()


def test_it_works(open_page):
    page = open_page("/rate/", **GERMAN)
    assert language_of(page) == "de"
    expect(page.get_by_role("group", name="Wie gut gefällt dir dieses Bild?")).to_be_visible()
    shows(page, "Bild 1")

    rate(page, "7", "2")
    says(page, "Bild 1, bewertet mit 7 und 2, gespeichert.")
    rate(page, "8", "n")
    says(page, "Bild 2, bewertet mit 8 und kein Urteil, gespeichert.")
    outbox_is_empty(page)
    assert answers() == [(7, 2), (8, None)]
    assert set(Rating.objects.values_list("scale_version", "language")) == {(1, "de")}

    page.goto("/datasets/demo/?from=here")
    expect(page.get_by_role("heading", name="Fortschritt")).to_be_visible()
    choose(page, "English")
    expect(page.get_by_role("heading", name="Progress")).to_be_visible()
    assert page.url.endswith("/datasets/demo/?from=here")
    page.goto("/rate/")
    shows(page, "Image 3")
    page.goto("/datasets/demo/")
    choose(page, "Deutsch")
    expect(page.get_by_role("button", name="Deutsch")).to_be_disabled()
    page.goto("/rate/")
    shows(page, "Bild 3")


def test_it_is_chosen_without_script(open_page):
    page = open_page("/rules/", java_script_enabled=False)
    choose(page, "Deutsch")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wie Bewertungen geprüft werden")
    page.goto("/rate/")
    page.get_by_label("Kaum").check()
    page.get_by_role("radio", name="7", exact=True).check()
    page.get_by_role("button", name="Absenden").click()
    expect(page.locator("#status")).to_contain_text("Gespeichert: 7 und 1.")
    assert Rating.objects.get().language == "de"


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("whose", ["public", "own"])
def test_long_words_have_room(open_page, ada, whose, size):
    """Also for axe, which sees whether the language of the page is what it says."""
    page = open_page("/", person=ada if whose == "own" else None, viewport=size, **GERMAN)
    for path in OWN if whose == "own" else PUBLIC:
        page.goto(path)
        assert language_of(page) == "de", path
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        assert page.evaluate(TOO_LONG) == [], path
        assert page.evaluate(SMALL_TARGETS) == [], path
        if size is PHONE:
            assert axe_findings(page) == [], path


def test_without_a_network_it_goes_on_in_german(open_page, ada):
    page = open_page("/rate/", person=ada, allow=LOST, service_workers="allow", **GERMAN)
    wait_until_awake(page)
    page.evaluate(CONTROLLED)
    page.reload()
    wait_until_awake(page)
    page.context.set_offline(True)
    rate(page, "7")
    page.reload()
    expect(page.get_by_role("heading", name="Kein Netz")).to_be_visible()
    expect(page.locator("#waiting")).to_have_text("1 Bewertung wartet in diesem Browser. Sie wird gesendet.")
