"""The page as an installed app: it opens without a network, and keeps nobody's pages."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import wait_until_awake
from tests.browser.rating import answers, rate

pytestmark = pytest.mark.browser
LOST = ["Failed to load resource", "net::ERR"]
CONTROLLED = "navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))"
KEPT = """async () => {
    const kept = [];
    for (const name of await caches.keys())
        for (const request of await (await caches.open(name)).keys()) kept.push(new URL(request.url).pathname);
    return kept;
}"""


def test_it_opens_without_a_network(open_page, ada):
    page = open_page(person=ada, allow=LOST, service_workers="allow")
    wait_until_awake(page)
    page.evaluate(CONTROLLED)
    page.reload()
    wait_until_awake(page)
    page.context.set_offline(True)
    rate(page, "7")

    page.reload()

    expect(page.get_by_role("heading", name="No network")).to_be_visible()
    expect(page.locator("#waiting")).to_have_text("1 rating waits in this browser. It will be sent.")
    assert answers() == []


def test_no_page_of_a_person_is_kept(open_page, ada):
    page = open_page(person=ada, service_workers="allow")
    wait_until_awake(page)
    page.evaluate(CONTROLLED)
    page.reload()
    wait_until_awake(page)

    kept = page.evaluate(KEPT)

    assert {path for path in kept if not path.startswith("/static/")} == {"/offline/"}
    text = page.evaluate("caches.match('/offline/?language=en').then(response => response.text())")
    assert "ada" not in text
    assert "csrf" not in text


def test_it_can_be_installed(open_page):
    page = open_page(service_workers="allow")
    wait_until_awake(page)
    session = page.context.new_cdp_session(page)

    found = session.send("Page.getAppManifest")

    assert found["errors"] == []
    assert json.loads(found["data"])["start_url"] == "/rate/"
    for icon in json.loads(found["data"])["icons"]:
        assert page.request.get(icon["src"]).ok
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {problem["errorId"] for problem in problems} <= {"in-incognito"}  # what a test's browser is
