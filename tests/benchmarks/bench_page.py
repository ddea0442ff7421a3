"""The pages that ask, in a browser: from a press to the next image with a server that answers in 500 ms, and their weight."""

import math
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from ratings.importers.sources import SourceImage
from ratings.services.importing import import_image
from tests.benchmarks.server import granian
from tests.browser.conftest import wait_until_awake
from tests.chromium import launch_chromium
from tests.factories import DatasetFactory
from tests.people import make_person
from tests.ratings.pictures import picture_bytes

PICTURES = 60
PRESSES = 25
SERVER_MS = 500
KEYS = {"/rate/": ("7", "Enter"), "/compare/": ("1", "Enter")}
KILOBYTE = 1000
# Until the press is on the screen: the frame after the one in which the page handled it.
TO_THE_SCREEN = """addEventListener("keydown", ({ code, timeStamp }) => {
    if (code !== "Enter") return;
    requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => performance.measure("press-to-screen", { start: timeStamp, end: performance.now() });
        port2.postMessage("");
    });
}, true)"""
READY = "document.querySelector('.stage.is-awake')"


def run() -> Iterator[str]:
    """Yield two lines for each page: the time from press to next image, and the weight."""
    dataset = DatasetFactory(slug=settings.DEFAULT_DATASET)
    for seed in range(PICTURES):
        source = SourceImage(name="a", source_id=f"{seed}.png", content=picture_bytes(1024, 768, seed=seed))
        import_image(dataset=dataset, source=source)
    # Playwright's synchronous API runs an event loop in this thread, where Django would refuse to query.
    sessions = {path: make_person().web().cookies[settings.SESSION_COOKIE_NAME].value for path in KEYS}
    with granian() as port, sync_playwright() as playwright:
        browser = launch_chromium(playwright.chromium)
        for path, session in sessions.items():
            for measure in (_weigh, _press):
                with _context(browser, port, session) as context:
                    yield measure(context.new_page(), path)
        browser.close()


@contextmanager
def _context(browser: Browser, port: int, session: str) -> Iterator[BrowserContext]:
    """Yield a browser in which somebody is signed in, so that no limit for visitors is met."""
    address = f"http://127.0.0.1:{port}"
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800}, service_workers="block")
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
    yield context
    context.close()


def _weigh(page: Page, path: str) -> str:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright marks what it is given
    page.goto(path, wait_until="networkidle")
    sizes = dict.fromkeys(("document", "script", "stylesheet", "other"), 0)
    for answer in answers:
        if "/images/" in answer.url or answer.url.startswith("blob:"):
            continue
        kind = answer.request.resource_type
        # As sent: the server compresses, and a proxy before it leaves that as it is.
        sizes[kind if kind in sizes else "other"] += answer.request.sizes()["responseBodySize"]
    of_it = ", ".join(f"{kind} {size / KILOBYTE:.1f}" for kind, size in sizes.items())
    return f"{path} first visit without images, as sent: {sum(sizes.values()) / KILOBYTE:.1f} kB (target < 60): {of_it} (script: target < 25)"


def _press(page: Page, path: str) -> str:
    page.add_init_script(TO_THE_SCREEN)
    page.goto(path)
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": SERVER_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", slow)
    for _ in range(PRESSES):
        wait_until_awake(page)
        # The page holds four ahead; who answers once a second never waits for one.
        page.wait_for_timeout(2 * SERVER_MS)
        for key in KEYS[path]:
            page.keyboard.press(key)
    page.wait_for_function(f"performance.getEntriesByName('press-to-screen').length === {PRESSES}")
    parts = [_times(page, "press-to-next"), "on the screen " + _times(page, "press-to-screen")]
    return f"{path} press to next image, server {SERVER_MS} ms away: {', '.join(parts)} (target < 50 ms)"


def _times(page: Page, name: str) -> str:
    times = sorted(page.evaluate(f"performance.getEntriesByName('{name}').map(one => one.duration)"))
    assert len(times) == PRESSES, f"{len(times)} of {PRESSES} presses led to a next image"
    return f"median {statistics.median(times):.1f} ms, p95 {times[math.ceil(0.95 * len(times)) - 1]:.1f} ms"
