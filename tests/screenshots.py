"""Pictures of every page, at 1280 and 360 pixels, light and dark: `make screenshots`, or `python -m tests.screenshots`.

They go to var/screenshots/, in the language that SCREENSHOT_LANGUAGE names, English otherwise. With BASE_URL that site is photographed, as nobody or as SCREENSHOT_USER with
SCREENSHOT_PASSWORD; nothing is started then. Without it a site is filled with the demo pictures and a few ratings, on the
servers that DATABASE_URL and REDIS_URL name.
"""

import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "var" / "screenshots"
SIZES = {1280: {"width": 1280, "height": 800}, 360: {"width": 360, "height": 640}}
PUBLIC = {
    "home": "/",
    "welcome": "/rate/",
    "rate": "/rate/",
    "compare": "/compare/",
    "datasets": "/datasets/",
    "dataset": "/datasets/demo/",
    "downloads": "/downloads/",
    "api": "/api/",
    "login": "/accounts/login/",
    "signup": "/accounts/signup/",
    "password-reset": "/accounts/password/reset/",
    "not-found": "/there-is-nothing-here/",
}
OWN = {
    "profile": "/profile/",
    "new-key": "/profile/keys/",
    "kudos": "/kudos/",
    "email": "/accounts/email/",
    "password-change": "/accounts/password/change/",
    "logout": "/accounts/logout/",
}
# A page for the thumb is photographed as it stands, without what a scroll would show.
AS_SEEN = {"compare", "rate", "welcome"}


def main() -> None:
    """Photograph the site that BASE_URL names, or one made for the purpose."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if base_url := os.environ.get("BASE_URL"):
        take_all(base_url, os.environ.get("SCREENSHOT_USER", ""), os.environ.get("SCREENSHOT_PASSWORD", ""))
        return
    with furnished_site() as (base_url, user, password):
        take_all(base_url, user, password)


def take_all(base_url: str, user: str, password: str) -> None:
    from tests.chromium import find_chromium, launch_chromium

    if find_chromium() is None:
        sys.exit("No Chromium was found: install Debian's package `chromium`, or name one in CHROMIUM.")
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright.chromium)
        for width in SIZES:
            for scheme in ("light", "dark"):
                take(browser, base_url, width, scheme, user, password)
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


def take(browser: Browser, base_url: str, width: int, scheme: str, user: str, password: str) -> None:
    is_phone = width < 500
    options = {"viewport": SIZES[width], "color_scheme": scheme, "is_mobile": is_phone, "has_touch": is_phone}
    language = os.environ.get("SCREENSHOT_LANGUAGE", "en")
    page = browser.new_context(base_url=base_url, locale=language, **options).new_page()
    for name, path in PUBLIC.items():
        photograph(page, name, path, f"{width}-{scheme}")
    photograph_rated(page, f"{width}-{scheme}")
    if user:
        sign_in(page, user, password)
        for name, path in OWN.items():
            photograph(page, name, path, f"{width}-{scheme}")
    page.context.close()


def photograph(page: Page, name: str, path: str, suffix: str) -> None:
    page.goto(path, wait_until="networkidle")
    page.screenshot(path=FOLDER / f"{name}-{suffix}.png", full_page=name not in AS_SEEN)


def photograph_rated(page: Page, suffix: str) -> None:
    """The rating page with both questions answered."""
    page.goto("/rate/", wait_until="networkidle")
    page.get_by_label("8").check()
    page.locator("[name=artifacts][value='1']").check()
    page.screenshot(path=FOLDER / f"rate-answered-{suffix}.png")


def sign_in(page: Page, user: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", user)
    page.fill("[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url("**/rate/**")


@contextmanager
def furnished_site() -> Iterator[tuple[str, str, str]]:
    """Serve a site with demo pictures, a person, and their ratings, some of them settled."""
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        sys.exit("Start this as `make screenshots`, or set BASE_URL.")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.testing"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VAR_DIR"] = folder
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("load_demo", "--count", "40")
        furnish()
        with served() as base_url:
            from tests.factories import PASSWORD

            yield base_url, "ada", PASSWORD


def furnish() -> None:
    """Let a few people rate; those of one of them are settled half-way."""
    from datetime import timedelta

    from tests.factories import DatasetFactory
    from tests.people import make_person, now
    from tests.settling import settle_rewards

    DatasetFactory(slug="portraits", name="Portraits", state="paused", description="Faces that nobody has.")
    dice = random.Random(7)
    for name in ("ben", "cleo", "dan", "ada"):
        person = make_person(name)
        for number in range(24):
            rate_one(person, dice)
            if number == 12:
                settle_rewards(hold=timedelta(0), now=now() + timedelta(seconds=1))


def rate_one(person: object, dice: random.Random) -> None:
    from ratings.queries.datasets import get_dataset_for_rating
    from ratings.rewards import current_prices
    from ratings.selection import lease_images
    from ratings.services.rating import RatingSubmission, submit_rating
    from tests.people import now

    image = lease_images(caller=person.caller, dataset=get_dataset_for_rating("demo"), count=1, now=now(), dice=dice)[0]
    aesthetic = min(10, max(1, round(dice.gauss(6, 2.2))))
    artifacts = dice.choice([None, 0, 0, 1, 2, 3])
    submission = RatingSubmission(image.image_id, aesthetic, artifacts, lease=image.lease)
    submit_rating(caller=person.caller, submission=submission, prices=current_prices(), now=now())


@contextmanager
def served() -> Iterator[str]:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
