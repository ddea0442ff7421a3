"""After rating: how others saw the image, what made it, and the picture in full size."""

import pytest
from playwright.sync_api import expect

from ratings.models import Image, Rating
from ratings.queries.datasets import get_dataset_for_rating
from ratings.rewards import current_prices
from ratings.selection import lease_images
from ratings.services.rating import RatingSubmission, submit_rating
from tests.browser.conftest import wait_until_awake
from tests.browser.rating import press, rate, says, shows, warns
from tests.people import make_person, now

pytestmark = pytest.mark.browser


def rate_everything(name, aesthetic, artifacts):
    person = make_person(name)
    for _ in range(Image.objects.count()):
        dataset = get_dataset_for_rating("demo")
        image = lease_images(caller=person.caller, dataset=dataset, count=1, now=now())[0]
        submission = RatingSubmission(image.image_id, aesthetic, artifacts, lease=image.lease)
        submit_rating(caller=person.caller, submission=submission, prices=current_prices(), now=now())


@pytest.fixture
def rated_by_two(gallery):
    """Every image has two ratings of the three that make it complete."""
    gallery.target_rating_count = 3
    gallery.save(update_fields=["target_rating_count"])
    rate_everything("ben", 9, 0)
    rate_everything("cleo", 9, 2)


def opened(page):
    dialog = page.get_by_role("dialog", name="The image you rated last")
    expect(dialog).to_be_visible()
    return dialog


def test_it_works(open_page, ada, rated_by_two):
    """The crowd's answer is asked for, shown, and ends the revising of one's own."""
    page = open_page(person=ada, allow=["Failed to load resource"])
    rate(page, "4", "1")
    says(page, "Image 1, rated 4 and 1, saved.")
    wait_until_awake(page)
    press(page, "i")
    dialog = opened(page)
    expect(dialog).to_contain_text("Your rating can then no longer be changed.")
    assert "secret" not in page.content()

    dialog.get_by_role("button", name="Show").press("Enter")

    expect(dialog).to_contain_text("2 ratings")
    expect(dialog.get_by_role("definition").nth(0)).to_have_text("a secret prompt")
    expect(dialog.get_by_role("definition").nth(1)).to_have_text("a secret model")
    bars = [dialog.get_by_role("list").nth(at).get_by_role("listitem") for at in (0, 1)]
    expect(bars[0]).to_have_text([f"{score}: {2 if score == 9 else 0}" for score in range(1, 11)])
    expect(bars[1]).to_have_text(["0: 1", "1: 0", "2: 1", "3: 0", "4: 0", "5: 0"])
    assert page.evaluate("document.activeElement.closest('dialog').id") == "details"
    dialog.get_by_role("button", name="Close").press("Enter")
    expect(page.get_by_role("heading", name="Image 2")).to_be_focused()
    press(page, "z")
    says(page, "Image 1 is back")
    wait_until_awake(page)
    press(page, "8", "Enter")

    warns(page, "Image 1 was not saved. You have seen what others said of this image, so your rating stays as it is.")
    shows(page, "Image 2")
    assert list(Rating.objects.filter(rater__identity=ada.identity_id).values_list("aesthetic", flat=True)) == [4]


def test_of_an_image_that_is_not_complete_nothing_is_shown_and_nothing_is_locked(open_page, ada):
    page = open_page(person=ada, allow=["Failed to load resource"])
    press(page, "i")
    says(page, "Rate an image first; then you can look at it.")
    rate(page, "4", "1")
    says(page, "Image 1, rated 4 and 1, saved.")
    wait_until_awake(page)

    press(page, "i")
    dialog = opened(page)
    dialog.get_by_role("button", name="Show").click()

    expect(dialog).to_contain_text("What others said is shown when the image has all its ratings.")
    assert page.evaluate("document.activeElement.closest('dialog').id") == "details"
    assert "secret" not in page.content()
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    press(page, "z")
    says(page, "Image 1 is back")
    wait_until_awake(page)
    press(page, "8", "Enter")
    says(page, "Image 1, now rated 8 and 1, saved.")


def test_full_size(open_page, ada):
    """The largest rendition in its own size; Escape closes it, and the rating says that one looked closely."""
    page = open_page(person=ada, viewport={"width": 400, "height": 640})
    wait_until_awake(page)
    page.get_by_role("button", name="Skip").focus()

    press(page, "f")

    dialog = page.get_by_role("dialog", name="Full size")
    picture = dialog.get_by_role("img", name="The image to rate")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('#full-size img').naturalWidth")
    assert picture.evaluate("one => one.getBoundingClientRect().width === one.naturalWidth")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Skip")).to_be_focused()
    press(page, "7", "Enter")
    says(page, "Image 1, rated 7, saved.")
    assert Rating.objects.get().is_zoomed
