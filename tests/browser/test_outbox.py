"""The outbox: what was rated arrives, later and exactly once, whatever happens to the network, the server and the page."""

import itertools
import re
from contextlib import contextmanager

import pytest
from django.conf import settings
from playwright.sync_api import expect

from config.settings.limits import Limit
from ratings.models import Rating
from tests.browser.conftest import session_cookie, wait_until_awake
from tests.browser.rating import answers, chosen, outbox_is_empty, press, rate, says, shown_id, shows, warns
from tests.flows.conftest import answers as answers_http
from tests.flows.conftest import free_port, running, wait_until
from tests.people import make_person

pytestmark = pytest.mark.browser
LOST = ["Failed to load resource", "net::ERR"]


def waiting(page):
    return page.locator("#waiting")


def posts_only(handle):
    return lambda route: handle(route) if route.request.method == "POST" else route.fallback()


def test_it_works_while_the_server_thinks(open_page):
    """The next image is there before the answer: what a press costs is the page's own work."""
    page = open_page()
    wait_until_awake(page)
    held = []
    page.route("**/rate/", posts_only(held.append))

    press(page, "7", "Enter")
    shows(page, "Image 2")
    wait_until_awake(page)
    press(page, "3", "Enter")
    shows(page, "Image 3")

    expect(waiting(page)).to_have_text("2 waiting")
    assert len(held) == 1
    assert answers() == []
    assert page.evaluate("performance.getEntriesByName('press-to-next').length") == 2
    held.pop().continue_()
    page.unroute("**/rate/")
    says(page, "Image 2, rated 3, saved")
    expect(waiting(page)).to_be_hidden()
    assert answers() == [(7, None), (3, None)]


def test_offline_until_the_buffer_is_empty_and_back(open_page):
    page = open_page(allow=LOST)
    wait_until_awake(page)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)

    for score in range(1, 6):
        rate(page, str(score), "0")
    expect(page.get_by_role("heading", name="A short wait")).to_be_visible()
    expect(page.locator("#ended-reason")).to_have_text("The server cannot be reached.")
    expect(waiting(page)).to_have_text("5 waiting")
    assert answers() == []
    page.context.set_offline(False)

    shows(page, "Image 6")
    outbox_is_empty(page)
    assert answers() == [(score, 0) for score in range(1, 6)]
    expect(waiting(page)).to_be_hidden()


def test_what_waits_survives_a_reload(open_page):
    page = open_page(allow=LOST)
    wait_until_awake(page)
    page.route("**/rate/", posts_only(lambda route: route.abort()))
    press(page, "7", "Enter")
    says(page, "Image 1 is kept in this browser and will be sent by itself.")
    page.reload()
    expect(waiting(page)).to_have_text("1 waiting")
    page.unroute("**/rate/")

    page.reload()

    outbox_is_empty(page)
    assert answers() == [(7, None)]


def test_an_answer_whose_receipt_was_lost_is_saved_once(open_page):
    page = open_page(allow=LOST)
    wait_until_awake(page)

    def save_and_lose(route):
        route.fetch()
        route.abort()

    page.route("**/rate/", posts_only(save_and_lose))
    press(page, "7", "Enter")
    says(page, "kept in this browser")
    page.unroute("**/rate/")
    page.reload()

    outbox_is_empty(page)
    assert answers() == [(7, None)]


def test_a_proxy_in_trouble_loses_nothing(open_page):
    page = open_page(allow=LOST)
    wait_until_awake(page)
    bad = {"status": 502, "content_type": "text/html", "body": "<h1>Bad gateway</h1>"}
    page.route("**/rate/", posts_only(lambda route: route.fulfill(**bad)))

    press(page, "7", "Enter")

    says(page, "kept in this browser and will be sent by itself. The server has a problem.")
    page.unroute("**/rate/")
    says(page, "Image 1, rated 7, saved")
    assert answers() == [(7, None)]


def test_who_is_too_fast_loses_nothing(open_page, settings):
    settings.LIMITS = settings.LIMITS | {"rating": Limit(21, 60, 1)}
    page = open_page(allow=LOST)
    rate(page, "6")
    says(page, "Image 1, rated 6, saved")

    rate(page, "7", "1")

    says(page, "kept in this browser and will be sent by itself. Too many requests. Wait")
    says(page, "Image 2, rated 7 and 1, saved")
    assert answers() == [(6, None), (7, 1)]


def test_a_token_that_is_too_old_is_renewed(open_page):
    page = open_page("/datasets/", allow=LOST)
    page.route("**/rate/", with_an_old_token, times=1)
    page.goto("/rate/")

    rate(page, "7")

    says(page, "Image 1, rated 7, saved")
    assert answers() == [(7, None)]


def with_an_old_token(route):
    response = route.fetch()
    token = r'(name="csrfmiddlewaretoken" value=")[^"]+'
    route.fulfill(response=response, body=re.sub(token, r"\1" + "x" * 64, response.text()))


def test_another_sign_in_does_not_inherit_what_waits(open_page, ada, live_server):
    page = open_page(allow=LOST)
    wait_until_awake(page)
    page.route("**/rate/", posts_only(lambda route: route.abort()))
    rate(page, "7", "1")
    says(page, "kept in this browser")
    page.unroute("**/rate/")
    page.context.add_cookies([session_cookie(ada, live_server.url)])

    page.reload()

    expect(waiting(page)).to_have_text("1 for another sign-in")
    rate(page, "4")
    says(page, "rated 4, saved")
    assert answers() == [(4, None)]
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.reload()
    outbox_is_empty(page)
    assert answers() == [(4, None), (7, 1)]
    assert Rating.objects.latest("id").rater.identity.user is None


def test_what_waits_arrives_under_the_account_that_claimed_it_and_no_other(open_page, ada, live_server):
    """Also in a later session of that account, and never in that of somebody between."""
    page = open_page(allow=LOST)
    rate(page, "6")
    says(page, "rated 6, saved")
    wait_until_awake(page)
    page.route("**/rate/", posts_only(lambda route: route.abort()))
    rate(page, "7", "1")
    rate(page, "8")
    expect(waiting(page)).to_have_text("2 waiting")
    page.goto("/datasets/")
    page.unroute("**/rate/")
    page.context.add_cookies([session_cookie(ada, live_server.url)])
    page.goto("/profile/claim/?next=/datasets/")
    page.get_by_role("button", name="Yes, they are mine").click()
    page.wait_for_url("**/datasets/")
    sign_in_as(page, make_person("bob"), live_server)
    page.goto("/rate/")
    expect(waiting(page)).to_have_text("2 for another sign-in")
    assert answers() == [(6, None)]

    sign_in_as(page, ada, live_server)
    page.goto("/rate/")

    outbox_is_empty(page)
    assert answers() == [(6, None), (7, 1), (8, None)]
    assert set(Rating.objects.values_list("rater__identity__user__username", flat=True)) == {"ada"}


def sign_in_as(page, person, live_server):
    page.goto("/datasets/")
    page.context.add_cookies([session_cookie(person, live_server.url)])


def test_work_is_done_in_the_background_and_nobody_has_to_do_anything(open_page, settings):
    """After so many ratings of a visitor the server asks for work: the page says so, does it and goes on."""
    settings.LIMITS = settings.LIMITS | {"without_proof": Limit(2, 3600, 1)}
    page = open_page(allow=LOST)
    rate(page, "6")
    says(page, "Image 1, rated 6, saved")
    sent = []
    page.on("response", lambda response: sent.append(response.status) if response.request.method == "POST" else None)
    page.evaluate(
        "new MutationObserver(() => (window.said = [...(window.said ?? []), document.getElementById('status').textContent]))"
        ".observe(document.getElementById('status'), {childList: true})"
    )

    rate(page, "7", "1")
    shows(page, "Image 3")

    says(page, "Image 2, rated 7 and 1, saved")
    assert sent == [428, 200]
    assert "A moment: your browser does a little work, because much was rated here." in page.evaluate("window.said")
    assert answers() == [(6, None), (7, 1)]


def test_a_sign_in_under_the_open_page_is_noticed(open_page, ada, live_server):
    page = open_page(allow=LOST)
    wait_until_awake(page)
    page.context.add_cookies([session_cookie(ada, live_server.url)])

    press(page, "7", "Enter")

    expect(page.locator("#ended-reason")).to_contain_text("Somebody else is signed in now.")
    expect(waiting(page)).to_have_text("1 for another sign-in")
    assert answers() == []


def test_wrong_bytes_bring_the_image_back(open_page):
    """What was shown is not what the server has: nothing is stored, and the right picture is shown."""
    page = open_page("/datasets/", allow=LOST)
    page.route(re.compile("/images/"), one_other_picture())
    page.goto("/rate/")
    wait_until_awake(page)
    first = shown_id(page)

    press(page, "7", "1", "Enter")

    warns(page, "Image 1 is back, because it was not saved.")
    assert answers() == []
    assert shown_id(page) == first
    assert chosen(page) == []
    rate(page, "3")
    says(page, "Image 1, rated 3, saved")
    assert answers() == [(3, None)]


def one_other_picture():
    """The first image of the page, and its bytes fetched for the stage, with one byte more: it decodes all the same."""
    asked = itertools.count()

    # Counted here: a route that is given a number of times is taken away while the last request is still under way.
    def serve(route):
        if next(asked) >= 2:
            return route.continue_()
        response = route.fetch()
        return route.fulfill(response=response, body=response.body() + b"\0")

    return serve


def test_the_hash_of_what_was_shown_is_evidence(open_page):
    page = open_page()

    rate(page, "7")

    says(page, "saved")
    assert Rating.objects.get().proof == "hash"


def test_two_tabs_send_each_answer_once(open_page):
    page = open_page(allow=LOST)
    wait_until_awake(page)
    other = page.context.new_page()
    other.goto("/rate/")
    wait_until_awake(other)
    page.context.set_offline(True)
    rate(page, "2")
    rate(other, "3")
    expect(waiting(page)).to_have_text("2 waiting")

    page.context.set_offline(False)

    outbox_is_empty(page)
    expect(waiting(other)).to_be_hidden()
    assert sorted(answers()) == [(2, None), (3, None)]


def test_a_browser_that_keeps_nothing_says_so(open_page):
    page = open_page("/datasets/", allow=LOST)
    page.add_init_script("Object.defineProperty(window, 'indexedDB', {value: undefined})")
    page.goto("/rate/")
    warns(page, "This browser keeps nothing")

    rate(page, "7")

    says(page, "Image 1, rated 7, saved")
    assert answers() == [(7, None)]


@contextmanager
def web_server(port, folder):
    """A web server of its own process, which can be stopped and started again at the same address."""
    command = ["granian", "--interface", "wsgi", "config.wsgi:application", "--port", str(port), "--no-access-log"]
    with running(command, folder / "web.log", VAR_DIR=str(folder)):
        wait_until(lambda: answers_http(f"http://127.0.0.1:{port}/healthz"), what="the web server answers")
        yield


def test_a_restart_in_the_middle_loses_nothing(open_page, tmp_path):
    port = free_port()
    with web_server(port, tmp_path):
        page = open_page(f"http://127.0.0.1:{port}/rate/", allow=LOST)
        rate(page, "1")
        says(page, "Image 1, rated 1, saved")
        wait_until_awake(page)
        page.wait_for_load_state("networkidle")
    rate(page, "2")
    rate(page, "3")
    expect(waiting(page)).to_have_text("2 waiting")

    with web_server(port, tmp_path):
        outbox_is_empty(page)
        assert answers() == [(1, None), (2, None), (3, None)]
        page.close()
