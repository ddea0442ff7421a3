"""Chromium, driven by Playwright, against a live server with a few real pictures.

Every page that a test opens is watched: a console error, an exception or a breach of the content security policy fails
the test, whatever else it was about.
"""

import os
import shutil

import pytest
from django.conf import settings
from playwright.sync_api import sync_playwright

from ratings.importers.sources import SourceImage
from ratings.models import Image
from ratings.services.importing import import_image
from tests.factories import DatasetFactory
from tests.people import make_person
from tests.ratings.pictures import picture_bytes

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 640}


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


@pytest.fixture
def gallery(transactional_db, settings, tmp_path):
    """The default dataset with eight pictures, upright and across."""
    settings.MEDIA_ROOT = tmp_path / "media"
    dataset = DatasetFactory(slug=settings.DEFAULT_DATASET, name="Demo pictures")
    for seed in range(8):
        width, height = ((640, 480), (480, 640), (512, 512))[seed % 3]
        content = picture_bytes(width, height, seed=seed)
        import_image(dataset=dataset, source=SourceImage(name="a", source_id=f"{seed}.png", content=content))
    Image.objects.update(prompt="a secret prompt", model_name="a secret model")
    return dataset


@pytest.fixture
def open_page(chromium, live_server, gallery):
    """Open pages in fresh browsers; each may be signed in, have no script, or the size of a phone."""
    contexts, complaints = [], []

    def open_one(path="/rate/", *, person=None, allow=(), **options):
        context = chromium.new_context(**{"base_url": live_server.url, "viewport": DESK, **options})
        context.set_default_timeout(5000)
        contexts.append(context)
        if person is not None:
            context.add_cookies([session_cookie(person, live_server.url)])
        page = context.new_page()
        page.on("console", lambda message: note(message.text, allow) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: note(str(error), allow))
        page.goto(path)
        return page

    def note(text, allow):
        if not any(part in text for part in allow):
            complaints.append(text)

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def ada(gallery):
    return make_person("ada")


def session_cookie(person, url):
    return {"name": settings.SESSION_COOKIE_NAME, "value": person.web().cookies["sessionid"].value, "url": url}


def wait_until_awake(page):
    """Wait until the image can be seen and keys are heard."""
    page.wait_for_function(
        "document.querySelector('#picture')?.complete && document.querySelector('#picture').naturalWidth"
    )
    page.wait_for_timeout(250)
