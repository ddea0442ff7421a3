"""Rating in a browser: by keys, by thumb, without script, and on a bad day of the network."""

import re

import pytest
from playwright.sync_api import expect

from config.settings.limits import Limit
from ratings.models import Image, ImageStatus, Rating, Skip
from tests.browser.conftest import PHONE, wait_until_awake

pytestmark = pytest.mark.browser


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def chosen(page):
    return page.eval_on_selector_all("#rating input:checked", "all => all.map(one => one.value)")


def shown_id(page):
    return page.locator("[name=image_id]").get_attribute("value")


def status(page):
    return page.locator("#status")


def answers():
    return list(Rating.objects.order_by("id").values_list("aesthetic", "artifacts"))


def test_it_works_by_keys(open_page):
    page = open_page()
    wait_until_awake(page)
    first = shown_id(page)

    press(page, "7", "w", "Enter")

    expect(status(page)).to_have_text("Image 1, rated 7 and 1, saved.")
    assert list(Rating.objects.values_list("aesthetic", "artifacts", "proof")) == [(7, 1, "lease")]
    assert str(Rating.objects.get().image_id) == first
    assert shown_id(page) != first
    assert chosen(page) == []
    assert page.evaluate("document.activeElement.textContent") == "Image 2"


def test_many_in_a_row_are_all_saved(open_page):
    page = open_page()

    for number in range(1, 5):
        expect(page.locator("#heading")).to_have_text(f"Image {number}")
        wait_until_awake(page)
        press(page, str(number), "Enter")

    expect(status(page)).to_have_text("Image 4, rated 4, saved.")
    assert answers() == [(1, None), (2, None), (3, None), (4, None)]


def test_zero_is_ten_and_the_letters_go_by_their_place(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "Digit0", "KeyY", "Enter")

    expect(status(page)).to_contain_text("rated 10 and 5, saved")


@pytest.mark.parametrize("by_script", [True, False])
def test_nothing_is_chosen_and_nothing_is_given_away(open_page, by_script):
    page = open_page(java_script_enabled=by_script)

    assert page.locator("#rating input:checked").count() == 0
    assert "secret" not in page.content()


def test_a_second_press_rates_nothing(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "7", "Enter", "7", "Enter", "Enter")

    expect(status(page)).to_contain_text("Image 1, rated 7, saved")
    page.wait_for_timeout(300)
    assert answers() == [(7, None)]


def test_a_double_click_saves_one(open_page):
    page = open_page()
    wait_until_awake(page)
    page.get_by_label("8", exact=True).check()

    page.get_by_role("button", name="Submit").dblclick()

    expect(page.locator("#heading")).to_have_text("Image 2")
    page.wait_for_timeout(300)
    assert answers() == [(8, None)]


def test_enter_asks_for_the_first_question(open_page):
    page = open_page()
    wait_until_awake(page)

    press(page, "q", "Enter")

    expect(status(page)).to_have_text("Choose 1 to 10 first.")
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

    press(page, "7", "ArrowRight")

    assert chosen(page) == ["8"]


def test_keys_sleep_until_the_image_can_be_seen(open_page):
    page = open_page("/datasets/")
    page.route(re.compile(r"/images/"), lambda route: page.wait_for_timeout(0))
    page.goto("/rate/", wait_until="domcontentloaded")
    page.wait_for_timeout(300)

    press(page, "7", "Enter")

    assert chosen(page) == []
    assert answers() == []


def test_an_image_that_cannot_be_shown_can_only_be_skipped(open_page):
    page = open_page("/datasets/", allow=["Failed to load resource"])
    page.route(re.compile(r"/images/"), lambda route: route.abort())
    page.goto("/rate/")
    expect(page.locator("#alert")).to_contain_text("cannot be shown")
    page.unroute(re.compile(r"/images/"))
    page.wait_for_timeout(200)

    press(page, "7", "Enter")
    assert answers() == []
    press(page, "s")

    expect(status(page)).to_have_text("Image 1 skipped.")


def test_skip(open_page):
    page = open_page()
    wait_until_awake(page)
    first = shown_id(page)

    press(page, "3", "s")

    expect(status(page)).to_have_text("Image 1 skipped.")
    assert [str(skip.image_id) for skip in Skip.objects.all()] == [first]
    assert answers() == []
    assert chosen(page) == []


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


def test_a_broken_network_keeps_the_answers(open_page):
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)
    first = shown_id(page)
    page.route("**/rate/", lambda route: route.abort())

    press(page, "7", "w", "Enter")

    expect(page.locator("#alert")).to_contain_text("Not saved: the server cannot be reached. Your answers are kept.")
    assert shown_id(page) == first
    assert chosen(page) == ["7", "1"]
    assert answers() == []
    page.unroute("**/rate/")
    page.get_by_role("button", name="Retry").click()
    expect(status(page)).to_contain_text("Image 1, rated 7 and 1, saved")
    expect(page.locator("#alert")).to_be_hidden()
    assert answers() == [(7, 1)]


def test_an_answer_whose_receipt_was_lost_is_saved_once(open_page):
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)

    def save_and_lose(route):
        route.fetch()
        route.abort()

    page.route("**/rate/", save_and_lose)
    press(page, "7", "Enter")
    expect(page.locator("#alert")).to_contain_text("Not saved")
    page.unroute("**/rate/")
    page.get_by_role("button", name="Retry").click()

    expect(status(page)).to_contain_text("Image 1, rated 7, saved")
    assert answers() == [(7, None)]


def test_what_was_chosen_meanwhile_waits_its_turn(open_page):
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)

    def fail_late(route):
        page.wait_for_timeout(600)
        route.abort()

    page.route("**/rate/", fail_late)
    press(page, "7", "Enter")
    expect(page.locator("#heading")).to_have_text("Image 2")
    page.wait_for_timeout(250)
    press(page, "3")
    expect(page.locator("#alert")).to_be_visible()
    assert chosen(page) == ["7"]
    page.unroute("**/rate/")
    page.get_by_role("button", name="Retry").click()

    expect(page.locator("#heading")).to_have_text("Image 2")
    assert chosen(page) == ["3"]


def test_a_fast_rater_on_a_slow_line_loses_nothing(open_page):
    page = open_page()
    wait_until_awake(page)
    held = []
    page.route("**/rate/", lambda route: held.append(route), times=1)  # noqa: PLW0108 - Playwright wants a function

    press(page, "7", "Enter")
    expect(page.locator("#heading")).to_have_text("Image 2")
    page.wait_for_timeout(250)
    press(page, "3", "Enter")
    expect(status(page)).to_have_text("Saving the image before this one …")
    held.pop().continue_()

    expect(page.locator("#heading")).to_have_text("Image 3")
    expect(status(page)).to_contain_text("Image 2, rated 3, saved.")
    assert answers() == [(7, None), (3, None)]


def test_a_server_in_trouble_keeps_the_answers(open_page):
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)
    page.route(
        "**/rate/", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")
    )

    press(page, "7", "Enter")

    expect(page.locator("#alert")).to_contain_text("Not saved: the server had a problem. Your answers are kept.")
    assert chosen(page) == ["7"]


def test_who_is_too_fast_is_told_to_wait_and_loses_nothing(open_page, settings):
    settings.LIMITS = settings.LIMITS | {"rating": Limit(21, 60, 1)}
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)
    press(page, "6", "Enter")
    expect(status(page)).to_contain_text("Image 1, rated 6, saved")
    wait_until_awake(page)

    press(page, "7", "w", "Enter")

    expect(page.locator("#alert")).to_contain_text("Not saved yet: Too many requests. Wait")
    expect(page.locator("#alert")).to_contain_text("then try again. Your answers are kept.")
    assert chosen(page) == ["7", "1"]
    assert answers() == [(6, None)]
    page.wait_for_timeout(3100)
    page.get_by_role("button", name="Retry").click()
    expect(status(page)).to_contain_text("Image 2, rated 7 and 1, saved")
    assert answers() == [(6, None), (7, 1)]


def test_when_no_more_images_may_be_taken_just_now_the_page_says_for_how_long(open_page, settings):
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)
    settings.LIMITS = settings.LIMITS | {"rating_new": Limit(2, 60, 1)}

    page.reload()
    page.reload()

    expect(page.locator("h1")).to_have_text("Too many requests")
    expect(page.locator("main")).to_contain_text("seconds, then try again.")
    expect(page.locator("main")).to_contain_text("Nothing that was saved is lost.")


def test_without_script_who_is_too_fast_keeps_the_answers(open_page, settings):
    settings.LIMITS = settings.LIMITS | {"rating": Limit(21, 60, 1)}
    page = open_page(java_script_enabled=False, allow=["Failed to load resource"])
    page.locator("[name=aesthetic][value='6']").check()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#heading")).to_have_text("Image 2")
    page.locator("[name=aesthetic][value='7']").check()

    page.get_by_role("button", name="Submit").click()

    expect(page.locator("#alert")).to_contain_text("Too many requests. Wait")
    expect(page.locator("[name=aesthetic][value='7']")).to_be_checked()
    page.wait_for_timeout(3100)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#heading")).to_have_text("Image 3")
    assert answers() == [(6, None), (7, None)]


def test_a_refusal_says_why_and_goes_on(open_page):
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)
    Image.objects.filter(pk=shown_id(page)).update(status=ImageStatus.WITHDRAWN, is_open=False)

    press(page, "7", "Enter")

    expect(page.locator("#alert")).to_contain_text("Image 1 was not saved. This image is no longer there to be rated.")
    expect(page.locator("#heading")).to_have_text("Image 2")
    wait_until_awake(page)
    press(page, "6", "Enter")
    expect(status(page)).to_contain_text("Image 2, rated 6, saved")


def test_a_page_that_is_too_old_says_so(open_page):
    page = open_page(allow=["Failed to load resource"])
    wait_until_awake(page)
    page.eval_on_selector("[name=csrfmiddlewaretoken]", "input => input.value = 'x'.repeat(64)")

    press(page, "7", "Enter")

    expect(page.locator("#alert")).to_contain_text("this page has become too old")
    assert chosen(page) == ["7"]


def test_the_end_is_said_in_words(open_page):
    page = open_page()
    for number in range(1, 9):
        expect(page.locator("#heading")).to_have_text(f"Image {number}")
        wait_until_awake(page)
        press(page, "5", "Enter")

    expect(page.get_by_role("heading", name="Nothing to rate here just now")).to_be_focused()
    expect(page.get_by_role("link", name="All datasets")).to_be_visible()
    assert len(answers()) == 8


def test_by_thumb_without_scrolling(open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    wait_until_awake(page)

    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.locator("#picture").bounding_box()["height"] > 150
    page.get_by_label("9").tap()
    page.get_by_label("Slight").tap()
    page.get_by_role("button", name="Submit").tap()

    expect(status(page)).to_contain_text("rated 9 and 2, saved")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_without_script(open_page):
    page = open_page(java_script_enabled=False)
    first = shown_id(page)

    page.get_by_label("7").check()
    page.get_by_label("Faint").check()
    page.get_by_role("button", name="Submit").click()

    expect(status(page)).to_have_text("Saved: 7 and 1.")
    assert shown_id(page) != first
    page.get_by_role("button", name="Skip").click()
    expect(status(page)).to_contain_text("Skipped.")
    assert answers() == [(7, 1)]
    assert Skip.objects.count() == 1


def test_the_licence_is_named_until_the_first_rating(open_page):
    page = open_page()
    wait_until_awake(page)
    expect(page.get_by_text("By rating you place your ratings under CC0-1.0.")).to_be_visible()

    press(page, "7", "Enter")

    expect(page.get_by_text("By rating you place")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("By rating you place")).to_have_count(0)
