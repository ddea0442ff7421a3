"""Chromium, driven by Playwright, against a live server with a few real pictures.

Every page that a test opens is watched: a console error, an exception or a breach of the content security policy fails
the test, whatever else it was about.
"""

import time

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import expect

from ratings.importers.sources import SourceImage
from ratings.models import Image
from ratings.services.importing import import_image
from ratings.views.rate import WELCOMED_COOKIE
from tests.factories import DatasetFactory
from tests.people import make_person
from tests.ratings.pictures import picture_bytes

# Other people's work shares the cores: what a page does is waited for, however long it takes.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 640}


@pytest.fixture
def gallery(transactional_db, settings, tmp_path):
    """The default dataset with eight pictures, upright and across."""
    settings.MEDIA_ROOT = tmp_path / "media"
    dataset = DatasetFactory(slug=settings.DEFAULT_DATASET, name="Demo pictures")
    hang_pictures(dataset, range(8))
    return dataset


def hang_pictures(dataset, seeds):
    """Import a picture for each seed."""
    for seed in seeds:
        width, height = ((640, 480), (480, 640), (512, 512))[seed % 3]
        content = picture_bytes(width, height, seed=seed)
        import_image(dataset=dataset, source=SourceImage(name="a", source_id=f"{seed}.png", content=content))
    Image.objects.update(prompt="a secret prompt", model_name="a secret model")


@pytest.fixture
def open_page(chromium, live_server, gallery):
    """Open pages in fresh browsers; each may be signed in, have no script, or the size of a phone."""
    contexts, complaints = [], []

    def open_one(path="/rate/", *, person=None, allow=(), is_first_visit=False, **options):
        # A service worker would answer before a test's own routes do; the tests about it let it in.
        usual = {"base_url": live_server.url, "viewport": DESK, "service_workers": "block"}
        context = chromium.new_context(**{**usual, **options})
        context.set_default_timeout(PATIENCE_MS)
        if not is_first_visit:
            hosts = ("localhost", "127.0.0.1")
            context.add_cookies(
                [{"name": WELCOMED_COOKIE, "value": "1", "domain": host, "path": "/"} for host in hosts]
            )
        contexts.append(context)
        if person is not None:
            context.add_cookies([session_cookie(person, live_server.url)])
        page = context.new_page()
        page.on("console", lambda message: note(message.text, allow) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: note(str(error), allow))
        page.goto(path)
        return page

    def note(text, allow):
        if not any(part in text for part in (*allow, "Service Worker registration blocked")):
            complaints.append(text)

    yield open_one
    for context in contexts:
        context.close()
    wait_for_the_last_request()
    assert complaints == []


@pytest.fixture
def ada(gallery):
    return make_person("ada")


def session_cookie(person, url):
    return {"name": settings.SESSION_COOKIE_NAME, "value": person.web().cookies["sessionid"].value, "url": url}


def wait_until_awake(page):
    """Wait until the image can be seen and keys are heard."""
    page.locator(".stage.is-awake").wait_for(timeout=PATIENCE_MS)


def wait_for_the_last_request():
    """Let the server finish what a closed page had asked for: emptying the tables under it would deadlock."""
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.05)
