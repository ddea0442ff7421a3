"""Settings of the rating page: they follow the account; visitors are told where theirs are."""

import json
import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from ratings.models import PagePreferences
from ratings.queries.preferences import adult_classes_of
from tests.people import now

pytestmark = pytest.mark.django_db
SETTINGS = "/rate/settings/"
JSON = {"accept": "application/json"}


@pytest.fixture
def web(rater):
    return rater.web()


def change(web, **sent):
    return web.post(SETTINGS, sent, headers=JSON)


def is_ticked(response, name):
    return re.search(rf'name="{name}"\s+value="true"\s+checked', response.content.decode()) is not None


def held_by(web):
    return web.get(SETTINGS, headers=JSON).json()


def test_it_works(web, rater):
    before = held_by(web)
    assert (before["signed_in"], before["weekly_goal"], before["daily_goal"], before["keys"]) == (True, 3, 50, {})

    answer = change(web, keys=json.dumps({"skip": "KeyK"}), keys_on="false", daily_goal="20")

    assert answer.status_code == 200
    assert answer.json()["message"] == "Saved."
    other_device = held_by(rater.web())
    assert other_device["keys"] == {"skip": "KeyK"}
    assert (other_device["keys_on"], other_device["daily_goal"], other_device["weekly_goal"]) == (False, 20, 3)
    assert other_device["default_keys"]["skip"] == "KeyS"


def test_the_page_posts_the_same_without_script(web):
    assert is_ticked(web.get(SETTINGS), "keys_on")
    sent = {
        "keys_on": "false",
        "auto_advance": ["false", "true"],
        "reduced_data": "false",
        "daily_goal": "30",
        "weekly_goal": "5",
        "adult_classes": ["", "suggestive"],
        "birth_year": "1980",
    }

    response = web.post(SETTINGS, sent, follow=True)

    assert "Saved." in response.content.decode()
    held = held_by(web)
    assert (held["keys_on"], held["auto_advance"], held["weekly_goal"]) == (False, True, 5)
    assert (held["adult_classes"], held["birth_year"]) == (["suggestive"], 1980)
    web.post(SETTINGS, sent | {"adult_classes": [""]})
    assert held_by(web)["adult_classes"] == []


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        ({"keys": "{"}, "not valid JSON"),
        ({"keys": "[1]"}, "have to be an object"),
        ({"keys": '{"explode": "KeyK"}'}, "no action"),
        ({"keys": '{"skip": "Backspace"}'}, "cannot be used"),
        ({"keys": '{"skip": "Delete"}'}, "cannot be used"),
        ({"keys": '{"skip": "ControlLeft"}'}, "cannot be used"),
        ({"keys": '{"skip": "k"}'}, "cannot be used"),
        ({"keys": '{"skip": 7}'}, "cannot be used"),
        ({"keys": json.dumps({"skip": "K" * 5000})}, "cannot be used"),
        ({"keys": '{"skip": "KeyZ"}'}, "One key for two actions"),
        ({"keys": '{"skip": "KeyK", "undo": "KeyK"}'}, "One key for two actions"),
        ({"daily_goal": "0"}, "Goal: ratings a day"),
        ({"daily_goal": ""}, "Goal: ratings a day"),
        ({"weekly_goal": "8"}, "Goal: active days a week"),
        ({"weekly_goal": "many"}, "Goal: active days a week"),
        ({"adult_classes": "adult"}, "18 and over"),
        ({"adult_classes": "unknown", "birth_year": "1980"}, "unknown"),
        ({"birth_year": "1"}, "Year of birth"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(web, sent, part):
    change(web, daily_goal="20")
    before = held_by(web)

    answer = change(web, **({"reduced_data": "true"} | sent))

    assert answer.status_code == 400
    assert part in answer.json()["message"]
    assert answer.json()["code"] == "invalid"
    assert held_by(web) == before


def test_two_keys_may_change_places(web):
    assert change(web, keys='{"skip": "KeyZ", "undo": "KeyS"}').status_code == 200
    assert change(web, keys="").status_code == 200
    assert held_by(web)["keys"] == {}


def test_a_refused_form_is_shown_again_as_it_was_sent(web):
    response = web.post(SETTINGS, {"daily_goal": "5000", "weekly_goal": "4", "keys_on": "false"})

    page = response.content.decode()
    assert response.status_code == 400
    assert 'value="5000"' in page
    assert 'value="4"' in page
    assert not is_ticked(response, "keys_on")


@pytest.mark.parametrize(("years", "status"), [(17, 400), (18, 400), (19, 200), (70, 200)])
def test_adult_images_need_an_age_that_leaves_no_doubt(web, rater, years, status):
    """Who turns 18 this year may be 17 today, and more than the year is not asked."""
    answer = change(web, adult_classes="adult", birth_year=str(now().year - years))

    assert answer.status_code == status
    assert adult_classes_of(user_id=rater.user.pk) == (("adult",) if status == 200 else ())


def test_taking_back_the_age_takes_back_the_images(web, rater):
    change(web, adult_classes=["adult", "suggestive"], birth_year="1980")
    assert set(adult_classes_of(user_id=rater.user.pk)) == {"adult", "suggestive"}

    change(web, birth_year="")

    assert adult_classes_of(user_id=rater.user.pk) == ()
    assert change(web, adult_classes="adult").status_code == 400


def test_visitors_keep_theirs_in_the_browser():
    browser = Client()
    assert held_by(browser)["signed_in"] is False
    assert "stay in this browser" in browser.get(SETTINGS).content.decode()

    assert change(browser, daily_goal="20").status_code == 403
    assert browser.post(SETTINGS, {"daily_goal": "20"})["Location"].startswith("/accounts/login/")
    assert PagePreferences.objects.count() == 0


def test_nobody_reads_or_writes_anothers(web, outsider):
    change(web, daily_goal="20", birth_year="1980")
    theirs = outsider.web()

    change(theirs, daily_goal="77")

    assert held_by(theirs)["birth_year"] is None
    assert held_by(web)["daily_goal"] == 20


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"adult_classes": ["adult"]}, "page_preferences_adult_images_imply_a_stated_age"),
        ({"adult_classes": ["unknown"], "birth_year": 1980}, "page_preferences_adult_classes_may_be_asked_for"),
        ({"weekly_goal": 8}, "page_preferences_weekly_goal_is_of_a_week"),
        ({"daily_goal": 1001}, "page_preferences_daily_goal_is_of_a_day"),
    ],
)
def test_the_database_refuses(rater, fields, constraint):
    row = PagePreferences.objects.create(identity_id=rater.identity_id)
    with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
        PagePreferences.objects.filter(pk=row.pk).update(**fields)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
