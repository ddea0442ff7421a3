"""Images that are not for everybody, in a browser: asked for by class, blurred until revealed, rated as they were revealed."""

import hashlib
import re

import pytest
from playwright.sync_api import expect

from ratings.models import Image, Rating, Rendition
from tests.browser.conftest import wait_until_awake
from tests.browser.rating import answers, chosen, outbox_is_empty, press, rate, says, shown_id, shows

pytestmark = pytest.mark.browser
PICTURE = re.compile(r"/images/[0-9a-f-]+\.webp$")


@pytest.fixture
def asked(gallery, ada):
    """All images are for adults, and ada asked for them."""
    Image.objects.update(adult_class="adult")
    ask(ada, "adult")
    return ada


def ask(person, *classes):
    sent = {"adult_classes": classes, "birth_year": "1980"}
    assert person.web().post("/rate/settings/", sent, headers={"accept": "application/json"}).status_code == 200


def open_watched(open_page, person):
    """Open the page, and write down which pictures it fetches."""
    page = open_page("/datasets/", person=person)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url) if PICTURE.search(request.url) else None)
    page.goto("/rate/")
    page.locator(".stage.is-veiled.is-awake").wait_for()
    return page, fetched


def sharp_ones(fetched):
    return [url for url in fetched if not url.endswith("-32.webp")]


def test_it_works(open_page, asked):
    """Nothing sharp is fetched and nothing can be answered before; what is stored is about the bytes revealed."""
    page, fetched = open_watched(open_page, asked)
    page.wait_for_load_state("networkidle")
    image_id = shown_id(page)
    assert fetched
    assert sharp_ones(fetched) == []

    press(page, "7", "q", "ArrowRight", "Enter")
    says(page, "This image is blurred. Show it first.")
    assert chosen(page) == []
    expect(page.get_by_label("7", exact=True)).to_be_disabled()
    press(page, "v")
    page.locator(".stage:not(.is-veiled).is-awake").wait_for()
    rate(page, "7", "1")

    says(page, "Image 1, rated 7 and 1, saved.")
    assert {url.split("/images/")[1][:36] for url in sharp_ones(fetched)} == {image_id}
    rating = Rating.objects.get()
    assert (str(rating.image_id), rating.proof) == (image_id, "hash")
    expect(page.locator(".stage")).to_have_class(re.compile("is-veiled"))
    assert page.locator("#picture").get_attribute("alt") == "A blurred image"


def test_the_hash_that_is_sent_is_of_what_was_revealed(open_page, asked):
    page, _ = open_watched(open_page, asked)
    sent = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    image_id = shown_id(page)
    press(page, "v")
    page.locator(".stage:not(.is-veiled).is-awake").wait_for()

    rate(page, "4")

    says(page, "rated 4, saved")
    blurred = page.request.get(f"/images/{image_id}-32.webp").body()
    [said] = [re.search(r"sha256=([0-9a-f]{8})", body)[1] for body in sent if "action=submit" in body]
    assert any(
        one.startswith(said) for one in Rendition.objects.filter(image=image_id).values_list("sha256", flat=True)
    )
    assert said != hashlib.sha256(blurred).hexdigest()[:8]


def test_one_is_revealed_and_the_next_is_blurred_again(open_page, asked):
    page, _ = open_watched(open_page, asked)
    page.get_by_label("Show this image").check()
    page.locator(".stage:not(.is-veiled).is-awake").wait_for()
    press(page, "v")
    page.locator(".stage.is-veiled.is-awake").wait_for()
    press(page, "v")
    page.locator(".stage:not(.is-veiled).is-awake").wait_for()
    rate(page, "5")

    page.locator(".stage.is-veiled.is-awake").wait_for()

    press(page, "z")
    shows(page, "Image 1")
    expect(page.get_by_label("Show this image")).to_be_checked()


def test_it_can_be_skipped_unseen(open_page, asked):
    page, fetched = open_watched(open_page, asked)
    press(page, "s")
    says(page, "Image 1 skipped.")
    assert sharp_ones(fetched) == []
    assert answers() == []


def test_they_can_stay_revealed_for_the_session(open_page, asked):
    """Through a reload, until one is blurred again; another tab begins blurred."""
    page, _ = open_watched(open_page, asked)
    page.get_by_label("Keep such images shown in this session").check()
    for score in ("5", "6"):
        page.locator(".stage:not(.is-veiled).is-awake").wait_for()
        rate(page, score)
    page.reload()
    page.locator(".stage:not(.is-veiled).is-awake").wait_for()
    outbox_is_empty(page)
    assert answers() == [(5, None), (6, None)]
    other = page.context.new_page()
    other.goto("/rate/")
    other.locator(".stage.is-veiled.is-awake").wait_for()

    press(page, "v")

    page.locator(".stage.is-veiled.is-awake").wait_for()
    press(page, "s")
    says(page, "Image 3 skipped.")
    page.locator(".stage.is-veiled.is-awake").wait_for()


def test_changing_a_rating_later_begins_blurred(open_page, asked):
    page, fetched = open_watched(open_page, asked)
    press(page, "v")
    page.locator(".stage:not(.is-veiled).is-awake").wait_for()
    rate(page, "5")
    says(page, "rated 5, saved")
    rating = Rating.objects.get()
    fetched.clear()

    page.goto(f"/rate/?revise={rating.pk}")

    page.locator(".stage.is-veiled.is-awake").wait_for()
    assert sharp_ones(fetched) == []
    press(page, "v")
    page.locator(".stage:not(.is-veiled).is-awake").wait_for()
    page.get_by_label("8", exact=True).check()
    press(page, "Enter")
    says(page, "now rated 8, saved")


@pytest.mark.parametrize("who", ["a visitor", "who did not ask", "who asked for another class"])
def test_nobody_else_meets_one(open_page, gallery, ada, who):
    Image.objects.update(adult_class="adult")
    if who == "who asked for another class":
        ask(ada, "suggestive")
    page = open_page(person=None if who == "a visitor" else ada)
    expect(page.get_by_role("heading", name="Nothing to rate here just now")).to_be_visible()


def test_they_are_asked_for_by_class_with_an_age(open_page, asked, ada):
    """Without an account there is nothing to ask with; too young is refused in words; each class by itself."""
    visitor = open_page("/rate/settings/")
    expect(visitor.get_by_role("group", name="Images that are not safe for everybody")).to_have_count(0)
    page = open_page("/rate/settings/", person=ada, allow=["400 (Bad Request)"])
    year = page.get_by_label("Year of birth")
    page.get_by_label("Suggestive").check()
    page.get_by_label("Adult", exact=True).uncheck()
    year.fill("2020")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("for people of 18 and over")
    year.fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("for people of 18 and over")

    year.fill("1980")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved.")).to_be_visible()
    Image.objects.filter(pk__in=list(Image.objects.values_list("pk", flat=True)[:2])).update(adult_class="suggestive")
    page.goto("/rate/")
    for number in (1, 2):
        wait_until_awake(page)
        expect(page.locator(".stage.is-veiled")).to_be_visible()
        press(page, "s")
        says(page, f"Image {number} skipped.")
    expect(page.get_by_role("heading", name="Nothing to rate here just now")).to_be_visible()
