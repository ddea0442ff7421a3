"""What a release says of raters: who is described, how well they judge, and whose answers nothing connects."""

import pytest

from ratings.models import Image, RaterScore
from tests.exports.made import build, make_rater, make_rating, rows_of
from tests.factories import make_images

pytestmark = pytest.mark.django_db(transaction=True)

MEASURES = {
    "reliability": 0.734,
    "reliability_low": 0.61,
    "reliability_high": 0.819,
    "bias": -0.456,
    "noise": 1.2345,
    "p_honest": 0.987,
}


def raters_by_name(release):
    return {row["rater"]: row for row in rows_of(release, "raters")}


def name_of(release, rating):
    """Return the pseudonym of who gave a rating, wherever it is."""
    rows = rows_of(release, "ratings") + rows_of(release, "ratings_excluded")
    return next(row["rater"] for row in rows if row["rating_id"] == rating.pk)


def measure(rater, dataset, *, rating_count=20, **fields):
    values = MEASURES | {"rating_count": rating_count, "task": "aesthetic"} | fields
    RaterScore.objects.create(rater=rater, dataset=dataset, **values)


def test_every_rater_of_a_release_has_one_row(harbours):
    image = Image.objects.filter(dataset=harbours).first()
    make_rating(image, make_rater(), state="quarantined")
    make_rating(image, make_rater(), state="superseded")
    release = build(harbours)
    named = {row["rater"] for name in ("ratings", "ratings_excluded") for row in rows_of(release, name)}
    assert raters_by_name(release).keys() == named
    assert len(rows_of(release, "raters")) == len(named) == 3


def test_a_row_says_how_well_a_rater_judges_to_a_hundredth(harbours):
    rater = make_rater()
    rating = make_rating(make_images(harbours, 1)[0], rater)
    measure(rater, harbours)
    release = build(harbours)
    row = raters_by_name(release)[name_of(release, rating)]
    found = {name: row[f"{name}_aesthetic"] for name in MEASURES}
    assert found == {name: round(value, 2) for name, value in MEASURES.items()}
    assert {row[f"{name}_artifacts"] for name in MEASURES} == {None}
    assert row["rating_count_band"] == 1


@pytest.mark.parametrize(
    ("rater", "score"),
    [({}, {"rating_count": 19}), ({"is_shared": True}, {}), ({}, {"address_hash": "a" * 32})],
    ids=["too few answers", "many people", "one address of many"],
)
def test_nothing_is_said_of_who_cannot_be_judged(harbours, rater, score):
    rater = make_rater(**rater)
    rating = make_rating(make_images(harbours, 1)[0], rater)
    measure(rater, harbours, **score)
    release = build(harbours)
    row = raters_by_name(release)[name_of(release, rating)]
    assert {row[f"{name}_aesthetic"] for name in MEASURES} == {None}


def test_rows_do_not_stand_in_the_order_of_sign_up(harbours):
    image, raters = make_images(harbours, 1)[0], [make_rater(is_shared=True) for _ in range(30)]
    ratings = [make_rating(image, rater) for rater in raters]
    release = build(harbours)
    names = {row["rating_id"]: row["rater"] for row in rows_of(release, "ratings")}
    signed_up = [names[rating.pk] for rating in ratings]
    found = [row["rater"] for row in rows_of(release, "raters") if row["rater"] in signed_up]
    assert sorted(found) == sorted(signed_up)
    assert found not in (signed_up, signed_up[::-1])
    seeds = [names[rating.pk] for rating in sorted(ratings, key=lambda rating: rating.rater.pseudonym_seed)]
    assert found != seeds


def test_of_fewer_than_five_raters_nothing_connects_the_answers(harbours, settings):
    """Two raters are too few to hide among each other, so they have no pseudonym, and no row."""
    settings.RELEASE_SMALLEST_CELL = 5
    release = build(harbours)
    ratings = rows_of(release, "ratings")
    assert len(ratings) == 3
    assert {row["rater"] for row in ratings} == {None}
    assert {(row["client_agent"], row["country"], row["ratings_given_band"], row["is_trusted"]) for row in ratings} == {
        (None, None, None, None)
    }
    assert rows_of(release, "raters") == []
    old = rows_of(release, "legacy_export")
    assert len({row["user_id"] for row in old}) == 1
    assert {(row["client_agent"], row["trusted"], row["usage_requests"]) for row in old} == {("unknown", False, 0)}


def test_five_who_are_alike_are_told_apart_and_the_odd_one_loses_what_is_odd(harbours, settings):
    settings.RELEASE_SMALLEST_CELL = 5
    images = make_images(harbours, 6)
    alike = [make_rating(images[0], make_rater(), country="DE", rater_kudos=50) for _ in range(10)]
    odd = make_rating(images[0], make_rater(), country="NZ", rater_kudos=50)
    release = build(harbours)
    rows = {row["rating_id"]: row for row in rows_of(release, "ratings")}
    assert {(rows[rating.pk]["country"], rows[rating.pk]["kudos_band"]) for rating in alike} == {("DE", 10)}
    assert len({rows[rating.pk]["rater"] for rating in alike}) == 10
    assert rows[odd.pk]["country"] is None
