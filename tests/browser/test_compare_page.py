"""Comparing in a browser: by keys, by thumb, without script, without a network, and what never happens by accident."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from ratings.models import Comparison, Image, Rating, Report, SetSkip
from tests.browser.conftest import PATIENCE_MS, PHONE, session_cookie, wait_until_awake
from tests.browser.measuring import axe_findings
from tests.browser.rating import outbox_is_empty, press, rate, says, shows, warns
from tests.browser.test_adult_images import ask
from tests.browser.test_outbox import LOST, posts_only, waiting

pytestmark = pytest.mark.browser

# What has to be seen, and how large it is, without the page being moved.
REACHED = """() => [...document.querySelectorAll('.choice, .enlarge, .none .cell, .finish > .button')].map(one => {
    const { top, bottom, width, height } = one.getBoundingClientRect();
    return { is_seen: top >= 0 && bottom <= innerHeight, target: Math.min(width, height) };
})"""


def shown_set(page):
    return page.locator("[name=set_id]").get_attribute("value")


def images(page):
    return page.eval_on_selector_all(".choice input", "all => all.map(one => one.value)")


def chosen(page):
    return page.eval_on_selector_all("[name=choice]:checked", "all => all.map(one => one.value)")


def compare(page, *keys):
    """Answer the set on the stage by keys, and wait for the next one."""
    wait_until_awake(page)
    before = shown_set(page)
    press(page, *keys)
    page.wait_for_function(
        "before => document.querySelector('[name=set_id]').value !== before", arg=before, timeout=PATIENCE_MS
    )


def answers():
    return [str(row.best_id or row.outcome) for row in Comparison.objects.order_by("id")]


def test_it_works_without_script(open_page, ada, adds_up):
    page = open_page("/compare/", person=ada, java_script_enabled=False)
    assert page.locator("[name=choice]:checked").count() == 0
    second = page.locator(".choice input").nth(1)
    best = second.get_attribute("value")
    second.check()
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("status").get_by_text("Saved. 15 kudos pending.").wait_for()
    assert answers() == [best]
    page.get_by_role("link", name="Change it").click()
    assert page.locator(f".choice input[value='{best}']").is_checked()
    page.get_by_role("radio", name=re.compile("All of them are bad")).check()
    page.get_by_role("button", name="Change").click()
    page.get_by_role("status").get_by_text("Changed.").wait_for()
    assert list(Comparison.objects.values_list("outcome", "revision_count")) == [("all_bad", 1)]
    page.get_by_role("button", name="Skip").click()
    page.get_by_role("status").get_by_text("Skipped.").wait_for()
    assert SetSkip.objects.count() == 1
    page.locator("summary", has_text="Report an image").click()
    page.locator(".report-plain").get_by_role("radio", name="Image 2").check()
    page.locator(".report-plain").get_by_role("radio", name="gore").check()
    page.locator(".report-plain").get_by_role("button", name="Report").click()
    page.get_by_role("status").get_by_text("A moderator will look at this image.").wait_for()
    assert Report.objects.get().reason == "gore"
    adds_up()


def test_the_whole_flow_by_keys_alone(open_page, ada, adds_up):
    """Compare, take it back and change it, say that there is no best, skip and say why, report, look at the keys."""
    page = open_page("/compare/", person=ada)
    wait_until_awake(page)
    expect(page.get_by_role("group", name="Which of these images is the best?")).to_be_visible()
    first, second = images(page)[:2]
    compare(page, "1", "2", "Enter")
    says(page, "Set 1, image 2 is the best, saved.")
    assert page.evaluate("document.activeElement.textContent") == "Set 2"
    row = Comparison.objects.get()
    assert (str(row.best_id), row.proof) == (second, "hash")
    assert (row.session_position, row.is_warm_up, row.input_kind, row.is_zoomed) == (1, True, "keyboard", False)
    assert row.answer_ms >= row.first_input_ms >= 0
    assert row.displayed_width > 100

    compare(page, "z")
    says(page, "Set 1 is back, image 2 is the best.")
    assert chosen(page) == [second]
    compare(page, "ArrowLeft", "Enter")
    says(page, "Set 1, now image 1 is the best, saved.")
    compare(page, "b", "Enter")
    says(page, "Set 2, all are bad, saved.")
    compare(page, "t", "Enter")
    says(page, "Set 3, several are equally good, saved.")
    compare(page, "s")
    says(page, "Set 4 skipped.")
    page.get_by_role("button", name="Only text").focus()
    press(page, "Enter")
    compare(page, "x", "2", "3", "Enter")
    says(page, "An image of set 5 reported.")
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press(page, "1", "Escape")
    outbox_is_empty(page)

    assert answers() == [first, "all_bad", "tie"]
    assert list(Comparison.objects.order_by("id").values_list("revision_count", flat=True)) == [1, 0, 0]
    assert [skip.reason for skip in SetSkip.objects.all()] == ["text_only"]
    assert Report.objects.get().reason == "gore"
    adds_up()


def test_nothing_happens_by_accident(open_page, ada):
    """Keys sleep until all pictures can be seen, repeats and other keys do nothing, a double press sends one answer."""
    page = open_page("/datasets/", person=ada)
    held = []
    page.route(re.compile("/images/"), lambda route: held.append(route))  # noqa: PLW0108 - Playwright looks at the signature
    page.goto("/compare/", wait_until="domcontentloaded")
    page.wait_for_function("document.querySelector('#count-today').textContent")
    press(page, "1", "Enter", "s")
    assert chosen(page) == []
    for route in held:
        route.continue_()
    page.unroute(re.compile("/images/"))
    wait_until_awake(page)

    press(page, "Backspace", "Delete", "9", "Control+1", "Shift+T", "Enter")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {code: 'Digit1', key: '1', repeat: true}))")
    says(page, "Choose the best image, or say that there is none.")
    assert chosen(page) == []
    second = images(page)[1]
    press(page, "2", "Enter", "1", "Enter", "Enter")
    says(page, "Set 1, image 2 is the best, saved.")
    wait_until_awake(page)
    outbox_is_empty(page)

    assert answers() == [second]
    assert chosen(page) == []
    assert SetSkip.objects.count() == 0


def test_a_set_with_a_broken_picture_can_only_be_skipped(open_page):
    page = open_page("/datasets/", allow=["Failed to load resource"])
    page.route(re.compile("/images/"), all_but_the_first())
    page.goto("/compare/")
    warns(page, "cannot be shown")
    page.unroute(re.compile("/images/"))
    wait_until_awake(page)

    press(page, "1", "Enter")
    shows(page, "Set 1")
    press(page, "s")

    says(page, "Set 1 skipped.")
    assert answers() == []


def all_but_the_first():
    missing = []

    def serve(route):
        missing[:] = missing or [route.request.url]
        return route.fulfill(status=404) if route.request.url in missing else route.continue_()

    return serve


@pytest.mark.parametrize("count", [2, 3, 4])
def test_by_thumb_nothing_scrolls(open_page, ada, count):
    """The pictures, both other answers and every button are reached, and large enough, whatever was said before."""
    page = open_page("/datasets/", person=ada, viewport=PHONE, has_touch=True, is_mobile=True)
    page.route("**/compare/?count=*", with_so_many_images(count))
    page.goto("/compare/")
    wait_until_awake(page)
    page.locator(".choice").first.tap()
    page.get_by_role("button", name="Submit").tap()
    says(page, "Set 1, image 1 is the best, saved.")
    expect(page.locator(".choice")).to_have_count(count)
    wait_until_awake(page)

    found = page.evaluate(REACHED)
    assert len(found) == 2 * count + 2 + 4
    assert [one for one in found if not one["is_seen"] or one["target"] < 44] == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator(".enlarge").last.tap()
    page.get_by_role("dialog", name="Full size").get_by_role("img", name=f"Image {count}").wait_for()
    page.get_by_role("button", name="Close").tap()
    page.get_by_role("button", name="More").tap()
    page.get_by_role("button", name="Report", exact=True).tap()
    assert page.locator("#report-images label:not([hidden])").count() == count
    page.get_by_role("dialog").get_by_role("button", name="Cancel").tap()
    assert len(answers()) == 1


def with_so_many_images(count):
    """Serve sets with more or fewer images than they have, to be looked at and not answered."""

    def serve(route):
        response = route.fetch()
        answer = response.json()
        for one in answer["sets"]:
            one["images"] = (one["images"] * 2)[:count]
        route.fulfill(response=response, json=answer)

    return serve


def test_a_press_waits_for_nobody_and_offline_nothing_is_lost(open_page):
    page = open_page("/compare/", allow=LOST)
    wait_until_awake(page)
    held, is_held = [], [True]
    page.route("**/compare/", posts_only(lambda route: held.append(route) if is_held else route.continue_()))
    compare(page, "t", "Enter")
    compare(page, "b", "Enter")
    expect(waiting(page)).to_have_text("2 waiting")
    assert page.evaluate("performance.getEntriesByName('press-to-next').length") == 2
    assert answers() == []
    is_held.clear()
    for route in held:
        route.continue_()
    outbox_is_empty(page)
    page.wait_for_load_state("networkidle")

    page.context.set_offline(True)
    for key in "tbt":  # the one shown, and two ahead
        wait_until_awake(page)
        press(page, key, "Enter")
    expect(page.get_by_role("heading", name="A short wait")).to_be_visible()
    expect(page.locator("#ended-reason")).to_have_text("The server cannot be reached.")
    expect(waiting(page)).to_have_text("3 waiting")
    assert answers() == ["tie", "all_bad"]
    page.context.set_offline(False)

    shows(page, "Set 6")
    outbox_is_empty(page)
    assert answers() == ["tie", "all_bad", "tie", "all_bad", "tie"]


def test_what_waits_belongs_to_who_made_it_and_any_page_sends_it(open_page, ada, live_server):
    page = open_page("/compare/", allow=LOST)
    wait_until_awake(page)
    page.route("**/compare/", posts_only(lambda route: route.abort()))
    compare(page, "t", "Enter")
    says(page, "Set 1 is kept in this browser and will be sent by itself.")
    page.unroute("**/compare/")
    page.context.add_cookies([session_cookie(ada, live_server.url)])
    page.reload()
    expect(waiting(page)).to_have_text("1 for another sign-in")
    compare(page, "b", "Enter")
    says(page, "Set 1, all are bad, saved.")
    assert answers() == ["all_bad"]
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)

    page.goto("/rate/")

    outbox_is_empty(page)
    assert answers() == ["all_bad", "tie"]
    assert Comparison.objects.latest("id").rater.identity.user is None
    rate(page, "7")
    says(page, "Image 1, rated 7, saved")
    assert Rating.objects.count() == 1


def test_wrong_bytes_of_one_picture_bring_the_set_back(open_page):
    page = open_page("/datasets/", allow=LOST)
    page.route(re.compile("/images/"), one_other_picture())
    page.goto("/compare/")
    wait_until_awake(page)
    first = shown_set(page)

    press(page, "1", "Enter")

    warns(page, "Set 1 is back, because it was not saved. What was shown to you was not these images.")
    assert (shown_set(page), chosen(page), answers()) == (first, [], [])
    compare(page, "t", "Enter")
    says(page, "Set 1, several are equally good, saved.")
    assert Comparison.objects.get().proof == "hash"


def one_other_picture():
    """One picture of the first set with one byte more, in the page and fetched again: it decodes all the same."""
    spoiled = []

    def serve(route):
        address = re.sub(r"-\d+\.webp", "", route.request.url)
        if spoiled.count(address) >= 2 or (spoiled and address != spoiled[0]):
            return route.continue_()
        spoiled.append(address)
        response = route.fetch()
        return route.fulfill(response=response, body=response.body() + b"\0")

    return serve


def test_keys_are_moved_and_after_ten_one_is_enough(open_page):
    """T is for a tie here and for a flaw on the rating page; a key that both pages know is exchanged on both."""
    page = open_page("/datasets/")
    page.route("**/compare/", with_today(10), times=1)
    page.goto("/compare/")
    compare(page, "t")
    says(page, "several are equally good, saved.")
    wait_until_awake(page)
    press(page, "?")
    page.get_by_role("button", name="S Skip").click()
    press(page, "t")
    expect(page.get_by_role("button", name="T Skip")).to_be_visible()
    expect(page.get_by_role("button", name="S Two or more are equally good")).to_be_visible()
    press(page, "Escape")
    compare(page, "t")
    says(page, "skipped.")

    page.goto("/rate/")
    wait_until_awake(page)
    press(page, "?")
    expect(page.get_by_role("button", name="T Skip")).to_be_visible()
    expect(page.get_by_role("button", name="S Harmful")).to_be_visible()


def with_today(count):
    """Serve the page as it is for somebody who compared that many today."""

    def serve(route):
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace('data-today="0"', f'data-today="{count}"'))

    return serve


def test_leases_are_given_back(open_page):
    page = open_page("/compare/")
    wait_until_awake(page)
    page.wait_for_load_state("networkidle")

    with page.expect_request(lambda request: "action=return" in (request.post_data or "")) as given:
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")

    assert given.value.post_data.count("lease=") == 3  # the one shown, and two ahead


def test_sets_that_are_not_for_everybody_are_blurred_until_revealed(open_page, ada):
    """Only the blurred pictures are fetched, nothing is answered unseen, and the next set is blurred again."""
    Image.objects.update(adult_class="adult")
    ask(ada, "adult")
    page = open_page("/datasets/", person=ada)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url) if "/images/" in request.url else None)
    page.goto("/compare/")
    wait_until_awake(page)
    assert {re.search(r"-(\d+)\.webp", url)[1] for url in fetched} == {"32"}
    press(page, "1", "Enter")
    says(page, "These images are blurred. Show them first.")
    assert chosen(page) == []

    press(page, "v")
    expect(page.locator(".stage.is-veiled")).to_have_count(0)
    second = images(page)[1]
    compare(page, "2", "Enter")
    says(page, "Set 1, image 2 is the best, saved.")
    assert answers() == [second]
    assert Comparison.objects.get().proof == "hash"
    expect(page.locator(".stage.is-veiled")).to_have_count(1)
    compare(page, "s")
    says(page, "Set 2 skipped.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, ada, scheme):
    page = open_page("/compare/", person=ada, color_scheme=scheme)
    wait_until_awake(page)
    press(page, "1")
    assert axe_findings(page) == []
    for key in ("?", "x", "f"):
        press(page, key)
        page.locator("dialog[open]").wait_for()
        assert axe_findings(page) == []
        press(page, "Escape")
    press(page, "s")
    expect(page.locator("#reasons")).to_be_visible()
    assert axe_findings(page) == []
