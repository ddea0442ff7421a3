"""The page as an installed app: it opens without a network, and keeps nobody's pages."""

import json
import re
from io import BytesIO

import pytest
from PIL import Image as Pillow
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, hang_pictures, wait_until_awake
from tests.browser.rating import answers, outbox_is_empty, rate

pytestmark = pytest.mark.browser
LOST = ["Failed to load resource", "net::ERR"]
CONTROLLED = "navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))"
KEPT = """async () => {
    const kept = [];
    for (const name of await caches.keys())
        for (const request of await (await caches.open(name)).keys()) kept.push(new URL(request.url).pathname);
    return kept;
}"""


def test_it_opens_without_a_network_and_comes_back_with_it(open_page, gallery, ada):
    # A page that is lost gives nothing back for a minute, and three are opened here with four pictures each.
    hang_pictures(gallery, range(8, 16))
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
    page.context.set_offline(False)

    wait_until_awake(page)
    outbox_is_empty(page)
    assert answers() == [(7, None)]


def test_the_way_back_is_taken_once(open_page):
    """Else a page that is slow to come would be started again while it is on its way, and never arrive."""
    page = open_page("/offline/?language=en")
    asked = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(page.url.partition("/offline")[0])))

    with page.expect_navigation():
        page.evaluate("dispatchEvent(new Event('online')); dispatchEvent(new Event('online'))")

    asked = [url for url in asked if not url.startswith("/static/")]
    assert asked[:2] == ["/rate/session/", "/offline/?language=en"]


def test_who_saves_data_gets_few_and_small_pictures_ahead(open_page):
    """Two images ahead, of the size of the page's own pixels; otherwise four, as sharp as the screen."""
    page = open_page("/datasets/", viewport=PHONE, device_scale_factor=3, is_mobile=True)
    session = page.context.new_cdp_session(page)
    for saves, count, size in ((True, 2, 512), (False, 4, 1024)):
        session.send("Emulation.setDataSaverOverride", {"dataSaverEnabled": saves})
        asked = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto("/rate/")
        wait_until_awake(page)
        page.wait_for_load_state("networkidle")

        assert [url for url in asked if "count=" in url] == [f"{page.url}?count={count}"]
        ahead = asked[asked.index(f"{page.url}?count={count}") :]
        sizes = {re.search(r"-(\d+)\.webp", url)[1] for url in ahead if "/images/" in url}
        assert max(sizes, key=int) == str(size)
    depths = page.evaluate(
        "import('/static/js/lib/pictures.js').then(({howManyAhead}) => [{}, {effectiveType: '4g'}, {effectiveType: '3g'},"
        " {effectiveType: 'slow-2g'}, {effectiveType: '3g', saveData: true}].map(howManyAhead))"
    )
    assert depths == [4, 4, 6, 6, 2]


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
        with Pillow.open(BytesIO(page.request.get(icon["src"]).body())) as picture:
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
    workers = page.evaluate("navigator.serviceWorker.ready.then(({active, scope}) => [active.scriptURL, scope])")
    assert [url.removeprefix(page.url.removesuffix("/rate/")) for url in workers] == [
        "/service-worker.js?language=en",
        "/rate/",
    ]
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {problem["errorId"] for problem in problems} <= {"in-incognito"}  # what a test's browser is
