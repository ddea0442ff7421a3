"""What tests do on the rating page, and how they look at it."""

import time

from playwright.sync_api import expect

from ratings.models import Rating
from tests.browser.conftest import PATIENCE_MS, wait_until_awake


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def rate(page, *keys):
    """Answer the image on the stage by keys, and wait for the next one or for the end."""
    wait_until_awake(page)
    before = shown_id(page)
    press(page, *keys, "Enter")
    page.wait_for_function(
        "before => document.querySelector('[name=image_id]').value !== before || document.querySelector('.desk').hidden",
        arg=before,
        timeout=PATIENCE_MS,
    )


def chosen(page):
    return page.eval_on_selector_all("#rating input:checked", "all => all.map(one => one.value)")


def shown_id(page):
    return page.locator("[name=image_id]").get_attribute("value")


def heading(page):
    return page.locator("#heading")


def status(page):
    return page.locator("#status")


def says(page, text):
    expect(status(page)).to_contain_text(text)


def warns(page, text):
    expect(page.locator("#alert")).to_contain_text(text)


def shows(page, title):
    expect(heading(page)).to_have_text(title)


def answers():
    return list(Rating.objects.order_by("id").values_list("aesthetic", "artifacts"))


COUNT = """() => new Promise((resolve) => {
    const opening = indexedDB.open("kudoscope");
    opening.onsuccess = () => {
        const counting = opening.result.transaction("outbox").objectStore("outbox").count();
        counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
    };
})"""


def outbox_is_empty(page):
    """Wait until everything that was answered has reached the server."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while page.evaluate(COUNT):
        assert time.monotonic() < deadline, "the outbox does not empty itself"
        page.wait_for_timeout(100)
