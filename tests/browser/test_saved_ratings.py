"""What was saved, on the rating page: brought back, reported, and how it adds up over the day, the week and the dataset."""

import pytest
from playwright.sync_api import expect

from ratings.models import Rating, Report
from ratings.queries.datasets import dataset_overview
from ratings.queries.progress import keep_progress
from tests.browser.conftest import wait_until_awake
from tests.browser.rating import answers, chosen, outbox_is_empty, press, rate, says, shows, status

pytestmark = pytest.mark.browser


def test_what_is_saved_can_be_reported_and_is_not_skipped(open_page):
    """Skip on an image that undo brought back goes on and says that the rating stays; a report is a report."""
    page = open_page()
    rate(page, "7", "1")
    says(page, "saved")
    wait_until_awake(page)
    press(page, "z")
    says(page, "Image 1 is back")
    wait_until_awake(page)
    press(page, "2", "s")
    says(page, "Image 1 stays rated 7 and 1. What is saved can be changed, not skipped.")
    shows(page, "Image 2")
    wait_until_awake(page)
    press(page, "z")
    wait_until_awake(page)
    assert chosen(page) == ["7", "1"]
    page.get_by_label("Cannot judge").first.check()
    page.get_by_label("Cannot judge").nth(1).check()
    press(page, "Enter")
    says(page, "A saved rating keeps at least one answer.")
    press(page, "x", "6", "Enter")

    says(page, "Image 1 reported. Thank you.")
    shows(page, "Image 2")
    outbox_is_empty(page)
    assert answers() == [(7, 1)]
    assert Report.objects.get().image_id == Rating.objects.get().image_id
    wait_until_awake(page)
    press(page, "z")
    shows(page, "Image 1")
    assert chosen(page) == ["7", "1"]


def test_the_page_says_how_far_the_day_the_week_and_the_dataset_are(open_page, ada):
    """In words and a bar; the first rating of a day makes it one of the week's."""
    keep_progress([overview for overview in dataset_overview() if overview.slug == "demo"])
    page = open_page(person=ada)
    bar = page.get_by_role("progressbar", name="0 of 8 images complete")
    expect(bar).to_be_visible()
    expect(page.locator("#count-week")).to_have_text("0 of 3 days this week")

    rate(page, "7", "1")

    says(page, "saved")
    expect(page.locator("#count-week")).to_have_text("1 of 3 days this week")
    expect(page.locator("#count-today")).to_have_text("1 today")
    ada.web().post("/rate/settings/", {"weekly_goal": "1"}, headers={"accept": "application/json"})
    page.reload()
    expect(page.locator("#count-week")).to_contain_text("goal is reached")


def test_without_script_a_saved_rating_can_be_reported_and_is_not_skipped(open_page):
    page = open_page(java_script_enabled=False)
    page.get_by_label("7").check()
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("link", name="Change it").click()
    page.get_by_role("button", name="Skip").click()
    expect(status(page)).to_contain_text("Your rating stays as it was")
    page.goto(f"/rate/?revise={Rating.objects.get().pk}")
    page.locator("summary", has_text="Report this image").click()
    page.get_by_role("radio", name="Broken picture").check()
    page.get_by_role("button", name="Report").click()

    expect(status(page)).to_contain_text("Reported.")
    assert Report.objects.get().image_id == Rating.objects.get().image_id
    assert answers() == [(7, None)]
