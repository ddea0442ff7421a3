"""The one Chromium of a test run, for browser tests and flows alike: Playwright starts once in a process."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium():
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def launch_chromium(browser_type, *options):
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return browser_type.launch(executable_path=find_chromium(), args=[*sandbox, *options])


@pytest.fixture(scope="session")
def chromium():
    if find_chromium() is None:
        pytest.fail("No Chromium was found: install Debian's package `chromium`, or name one in CHROMIUM.")
    # Playwright's synchronous API runs an event loop in this thread, where Django would refuse to query.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright.chromium)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
