"""Rating in a browser: by keys, without script, what is said, and what never happens by accident."""

import re

import pytest
from playwright.sync_api import expect

from ratings.models import Image, ImageStatus, Rating, Skip
from tests.browser.conftest import wait_until_awake
from tests.browser.rating import (
    answers,
    chosen,
    heading,
    outbox_is_empty,
    press,
    rate,
    says,
    shown_id,
    shows,
    status,
    warns,
)

pytestmark = pytest.mark.browser


def test_it_works_by_keys(open_page):
    page = open_page()
    wait_until_awake(page)
    first = shown_id(page)

    press(page, "7", "1", "Enter")

    says(page, "Image 1, rated 7 and 1, saved.")
    assert list(Rating.objects.values_list("aesthetic", "artifacts")) == [(7, 1)]
    assert str(Rating.objects.get().image_id) == first
    assert shown_id(page) != first
    assert chosen(page) == []
    assert page.evaluate("document.activeElement.textContent") == "Image 2"


def test_the_whole_flow_by_keys_alone(open_page, ada):
    """Rate, take it back and change it, skip and say why, report, look at the keys, and stop at the end."""
    page = open_page(person=ada)
    rate(page, "7", "2")
    says(page, "Image 1, rated 7 and 2, saved.")
    wait_until_awake(page)
    press(page, "z")
    says(page, "Image 1 is back, rated 7 and 2.")
    rate(page, "ArrowRight")
    says(page, "Image 1, now rated 8 and 2, saved.")
    wait_until_awake(page)
    press(page, "s")
    says(page, "Image 2 skipped.")
    page.get_by_role("button", name="Only text").focus()
    press(page, "Enter")
    expect(page.locator("#reasons")).to_be_hidden()
    wait_until_awake(page)
    press(page, "x", "6", "Enter")
    says(page, "Image 3 reported.")
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press(page, "Escape")
    for number in range(4, 9):
        shows(page, f"Image {number}")
        rate(page, "5", "n")

    expect(page.get_by_role("heading", name="Nothing to rate here just now")).to_be_focused()
    expect(page.get_by_role("link", name="All datasets")).to_be_visible()
    outbox_is_empty(page)
    assert answers() == [(8, 2), *[(5, None)] * 5]


def test_digits_answer_the_active_question(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "0", "0", "Enter")

    says(page, "rated 10 and 0, saved")


def test_letters_and_the_number_pad_go_by_their_place(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "KeyY")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {code: 'Numpad9', key: '9'}))")
    press(page, "Enter")

    says(page, "rated 9 and 5, saved")


@pytest.mark.parametrize("by_script", [True, False])
def test_nothing_is_chosen_and_nothing_is_given_away(open_page, by_script):
    page = open_page(java_script_enabled=by_script)

    assert page.locator("#rating input:checked").count() == 0
    assert "secret" not in page.content()


def test_a_second_press_rates_nothing(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "7", "Enter", "7", "Enter", "Enter")

    says(page, "Image 1, rated 7, saved")
    wait_until_awake(page)
    outbox_is_empty(page)
    assert answers() == [(7, None)]
    assert chosen(page) == []


def test_a_double_click_saves_one(open_page):
    page = open_page()
    wait_until_awake(page)
    page.get_by_label("8", exact=True).check()

    page.get_by_role("button", name="Submit").dblclick()

    shows(page, "Image 2")
    wait_until_awake(page)
    outbox_is_empty(page)
    assert answers() == [(8, None)]


def test_enter_asks_for_the_first_question(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "q", "Enter")

    says(page, "Answer the first question")
    assert chosen(page) == ["0"]
    assert answers() == []


def test_keys_that_mean_something_else_are_left_alone(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "7", "Backspace", "Delete", "Control+3", "Alt+4", "Shift+5")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {code: 'Digit2', key: '2', repeat: true}))")

    assert chosen(page) == ["7"]


def test_arrows_move_inside_a_question(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "ArrowDown", "ArrowUp")
    assert chosen(page) == []
    press(page, "7", "ArrowRight")

    assert chosen(page) == ["8"]


def test_keys_sleep_until_the_image_can_be_seen(open_page):
    page = open_page("/datasets/")
    held = []
    page.route(re.compile(r"/images/"), lambda route: held.append(route))  # noqa: PLW0108 - Playwright looks at the signature
    page.goto("/rate/", wait_until="domcontentloaded")
    page.wait_for_function("document.querySelector('#count-today').textContent")

    press(page, "7", "Enter")
    assert chosen(page) == []
    assert heading(page).text_content() == "Image 1"
    for route in held:
        route.continue_()
    page.unroute(re.compile(r"/images/"))

    rate(page, "7")
    says(page, "Image 1, rated 7, saved")


def test_an_image_that_cannot_be_shown_can_only_be_skipped(open_page):
    page = open_page("/datasets/", allow=["Failed to load resource"])
    page.route(re.compile(r"/images/"), lambda route: route.fulfill(status=404))
    page.goto("/rate/")
    warns(page, "cannot be shown")
    page.unroute(re.compile(r"/images/"))
    wait_until_awake(page)

    press(page, "7", "Enter")
    assert answers() == []
    assert heading(page).text_content() == "Image 1"
    press(page, "s")

    says(page, "Image 1 skipped.")


def test_skip(open_page):
    page = open_page()
    wait_until_awake(page)
    first = shown_id(page)

    press(page, "3", "s")

    says(page, "Image 1 skipped.")
    assert [str(skip.image_id) for skip in Skip.objects.all()] == [first]
    assert answers() == []
    assert chosen(page) == []


def test_cannot_judge_is_an_answer_to_each_question(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "6", "n", "Enter")
    says(page, "Image 1, rated 6 and cannot judge, saved")
    wait_until_awake(page)
    press(page, "n", "n", "Enter")

    says(page, "Image 2 skipped.")
    assert answers() == [(6, None)]
    assert Skip.objects.count() == 1


def test_undo_brings_back_the_answers_and_what_was_on_the_stage(open_page):
    page = open_page()
    rate(page, "7", "1")
    wait_until_awake(page)
    second = shown_id(page)
    press(page, "4", "Control+z")

    shows(page, "Image 1")
    assert chosen(page) == ["7", "1"]
    rate(page, "Enter")

    shows(page, "Image 2")
    assert shown_id(page) == second
    assert chosen(page) == ["4"]
    outbox_is_empty(page)
    assert answers() == [(7, 1)]


def test_a_skip_can_be_taken_back(open_page):
    page = open_page()
    wait_until_awake(page)
    press(page, "s")
    says(page, "Image 1 skipped.")
    page.get_by_role("button", name="Undo").click()
    says(page, "no longer skipped")

    rate(page, "5", "0")

    says(page, "Image 1, rated 5 and 0, saved")
    assert Skip.objects.count() == 0
    assert answers() == [(5, 0)]


def test_after_the_first_ten_both_answers_are_enough(open_page):
    page = open_page("/datasets/")
    page.route("**/rate/", with_today(10), times=1)
    page.goto("/rate/")
    wait_until_awake(page)

    press(page, "7", "3")

    says(page, "Image 1, rated 7 and 3, saved")


def with_today(count):
    """Serve the page as it is for somebody who rated that many today."""

    def serve(route):
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace('data-today="0"', f'data-today="{count}"'))

    return serve


def test_the_list_of_keys_and_its_switch(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press(page, "7")
    assert chosen(page) == []
    page.get_by_label("Rate with single keys").uncheck()
    page.get_by_role("button", name="Close").click()
    press(page, "7")

    assert chosen(page) == []
    page.reload()
    wait_until_awake(page)
    press(page, "7")
    assert chosen(page) == []


def test_keys_can_be_moved(open_page):
    page = open_page()
    wait_until_awake(page)
    press(page, "?")
    page.get_by_role("button", name="S Skip").click()
    press(page, "Enter")
    expect(page.locator("#keys-message")).to_contain_text("cannot be used")
    press(page, "b")
    expect(page.get_by_role("button", name="B Skip")).to_be_visible()
    press(page, "Escape")

    press(page, "s")
    assert heading(page).text_content() == "Image 1"
    press(page, "b")

    says(page, "Image 1 skipped.")
    page.reload()
    wait_until_awake(page)
    press(page, "b")
    says(page, "skipped.")
    assert Skip.objects.count() == 2


def test_a_refusal_says_why_and_goes_on(open_page):
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)
    Image.objects.filter(pk=shown_id(page)).update(status=ImageStatus.WITHDRAWN, is_open=False)

    press(page, "7", "Enter")

    warns(page, "Image 1 was not saved. This image is no longer there to be rated.")
    shows(page, "Image 2")
    rate(page, "6")
    says(page, "Image 2, rated 6, saved")


def test_the_break_is_offered_and_one_key_goes_on(open_page):
    page = open_page()
    wait_until_awake(page)
    page.evaluate("sessionStorage.setItem('kudoscope-rest', JSON.stringify({ms: 0, ratings: 149}))")
    page.reload()
    wait_until_awake(page)

    press(page, "7", "Enter")
    expect(page.get_by_role("dialog", name="A short break?")).to_be_visible()
    press(page, "Enter")

    shows(page, "Image 2")
    says(page, "Image 1, rated 7, saved")


def test_without_script(open_page):
    page = open_page(java_script_enabled=False)
    first = shown_id(page)

    page.get_by_label("7").check()
    page.get_by_label("Faint").check()
    page.get_by_role("button", name="Submit").click()

    expect(status(page)).to_contain_text("Saved: 7 and 1.")
    assert shown_id(page) != first
    page.get_by_role("button", name="Skip").click()
    expect(status(page)).to_contain_text("Skipped.")
    assert answers() == [(7, 1)]
    assert Skip.objects.count() == 1


def test_without_script_everything_else_works_too(open_page):
    page = open_page(java_script_enabled=False)
    page.get_by_label("7").check()
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("link", name="Change it").click()
    expect(page.get_by_label("7")).to_be_checked()
    page.get_by_label("9").check()
    page.get_by_role("button", name="Submit").click()
    expect(status(page)).to_contain_text("9")

    page.get_by_label("Cannot judge").nth(1).check()
    page.get_by_label("4").check()
    page.get_by_role("button", name="Submit").click()
    expect(status(page)).to_contain_text("Saved: 4")
    reported = shown_id(page)
    page.locator("summary", has_text="Report this image").click()
    page.get_by_role("radio", name="Broken picture").check()
    page.get_by_role("button", name="Report").click()

    expect(status(page)).to_contain_text("Reported.")
    assert shown_id(page) != reported
    assert answers() == [(9, None), (4, None)]


def test_the_licence_is_named_until_the_first_rating(open_page):
    page = open_page()
    wait_until_awake(page)
    expect(page.get_by_text("By rating you place your ratings under CC0-1.0.")).to_be_visible()

    press(page, "7", "Enter")

    says(page, "saved")
    expect(page.get_by_text("By rating you place")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("By rating you place")).to_have_count(0)
