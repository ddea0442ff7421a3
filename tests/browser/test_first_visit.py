"""Who comes for the first time: three cards, left with one key and never shown again, and ten images to practise on."""

import re

import pytest
from playwright.sync_api import expect

from ratings.importers.demo.practice import PRACTICE_LEVELS
from ratings.models import PagePreferences, PracticeImage, Rating
from tests.browser.conftest import wait_until_awake
from tests.browser.rating import press, rate, says, shows
from tests.ratings.views.test_practice import picture_of

pytestmark = pytest.mark.browser


@pytest.fixture
def drawn(gallery):
    """Ten images to practise on, as small as can be."""
    PracticeImage.objects.bulk_create(
        PracticeImage(number=number, planted_artifacts=level, width=96, height=96, webp=picture_of(number))
        for number, level in enumerate(PRACTICE_LEVELS)
    )


def cards(page):
    return page.get_by_role("dialog", name="Two questions about each image")


def test_it_works(open_page, drawn):
    """One key, and the first image is there; keys are dead before. It is not shown again, nor after a reload."""
    page = open_page(is_first_visit=True)
    expect(cards(page)).to_be_visible()
    expect(cards(page).get_by_role("listitem")).to_have_count(3)
    page.locator(".stage.is-awake").wait_for()
    press(page, "7")
    assert page.locator("#rating input:checked").count() == 0

    press(page, "Escape")

    expect(cards(page)).to_be_hidden()
    expect(page.locator("#heading")).to_be_focused()
    rate(page, "7", "1")
    says(page, "Image 1, rated 7 and 1, saved.")
    assert Rating.objects.get().is_before_training
    page.reload()
    shows(page, "Image 2")
    expect(cards(page)).to_have_count(0)


def test_who_left_without_a_word_is_not_asked_again(open_page, drawn):
    page = open_page(is_first_visit=True)
    expect(cards(page)).to_be_visible()
    page.reload()
    wait_until_awake(page)
    expect(cards(page)).to_have_count(0)


def test_who_has_rated_is_not_told_on_another_device(open_page, drawn, ada):
    page = open_page(person=ada)
    rate(page, "6")
    says(page, "saved")

    other = open_page(person=ada, is_first_visit=True)

    wait_until_awake(other)
    expect(cards(other)).to_have_count(0)


def test_practice_by_keys_alone(open_page, drawn):
    """From the cards, with a word about each answer; what is rated afterwards is marked as made by who practised."""
    page = open_page(is_first_visit=True)
    page.get_by_role("link", name="Practise on ten images first").focus()
    press(page, "Enter")
    for number, level in enumerate(PRACTICE_LEVELS):
        expect(page.locator("#heading")).to_have_text(f"Image {number + 1} of 10")
        said = page.locator("#feedback")
        expect(said).to_be_hidden()
        press(page, str(level) if number % 2 else "QWERTY"[level])
        expect(said).to_contain_text("Just so.")
        expect(page.locator(".is-planted")).to_have_text(re.compile(rf"^\s*{level} ·"))
        if number < 9:
            expect(page.get_by_role("button", name="Next image")).to_be_focused()
            press(page, "Enter")
    expect(page.get_by_role("link", name="Start rating")).to_be_focused()
    press(page, "Enter")

    rate(page, "8")
    says(page, "Image 1, rated 8, saved.")
    assert PagePreferences.objects.get().trained_at
    assert Rating.objects.get().is_before_training is False


def test_an_answer_that_is_faster_than_the_list_is_followed_by_the_next(open_page, drawn):
    page = open_page("/datasets/")
    held = []
    page.route("**/rate/practice/", lambda route: held.append(route) if is_json(route) else route.continue_())
    page.goto("/rate/practice/")
    page.wait_for_load_state("domcontentloaded")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        press(page, "0")

    held[0].continue_()

    expect(page.get_by_role("button", name="Next image")).to_be_focused()


def is_json(route):
    return route.request.method == "GET" and "json" in route.request.headers.get("accept", "")


def test_practice_is_left_with_one_key_and_by_hand(open_page, drawn):
    page = open_page("/rate/practice/")
    page.get_by_label("5 ·").check()
    expect(page.locator("#feedback")).to_contain_text("less here than it seems")
    page.get_by_role("button", name="Next image").click()
    expect(page.locator("#heading")).to_have_text("Image 2 of 10")

    press(page, "Escape")

    page.wait_for_url("**/rate/")
    wait_until_awake(page)


def test_without_script(open_page, drawn):
    """The cards lie over the page, a link leaves them, and practice is a form."""
    page = open_page(is_first_visit=True, java_script_enabled=False)
    expect(cards(page)).to_be_visible()
    page.get_by_role("link", name="Start rating").click()
    expect(cards(page)).to_have_count(0)
    page.get_by_role("link", name="Practise first").click()
    page.get_by_label("0 ·").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#feedback")).to_contain_text("Just so.")
    page.get_by_role("link", name="Next image").click()
    expect(page.locator("#heading")).to_have_text("Image 2 of 10")
    page.get_by_role("link", name="Skip the practice").click()
    expect(page.locator("#heading")).to_have_text("Image 1")


def test_where_nothing_is_drawn_there_are_the_cards_alone(open_page):
    page = open_page(is_first_visit=True)
    expect(cards(page)).to_be_visible()
    expect(page.get_by_role("link", name="Practise on ten images first")).to_have_count(0)
    page.get_by_role("link", name="Start rating").click()
    expect(page.locator("#heading")).to_be_focused()
    shows(page, "Image 1")
