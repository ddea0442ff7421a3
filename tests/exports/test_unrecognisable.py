"""A site of 5,000 raters, its release, and somebody who knows everything about them that can be known from outside."""

import re
from collections import Counter, defaultdict

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from exports.schema import AGE_BANDS
from tests.exports.made import build, rows_of
from tests.exports.site import create_site
from tests.house.test_permissions import PAGES

pytestmark = pytest.mark.django_db(transaction=True)

SMALLEST = 5
BANDS = ("account_age_band", "images_generated_band", "kudos_band", "ratings_given_band", "is_trusted", "anonymous")


@pytest.fixture
def release(settings, tmp_path):
    settings.RELEASE_SMALLEST_CELL = SMALLEST
    settings.RELEASES_ROOT = tmp_path / "releases"
    return build(create_site(raters=5_000))


@pytest.fixture
def looks(release):
    """Return what the files of the release, laid side by side, say of each pseudonym."""
    rows = {name: rows_of(release, name) for name in ("ratings", "ratings_excluded", "legacy_export", "raters")}
    seen = defaultdict(lambda: defaultdict(set))
    for row in rows["ratings"] + rows["ratings_excluded"]:
        about = seen[row["rater"]]
        about["bands"].add(tuple(row[name] for name in BANDS))
        about["country"] |= {row["country"]} - {None}
        about["client"] |= {row["client_agent"]} - {None}
    for new, old in zip(rows["ratings"], rows["legacy_export"], strict=True):
        assert new["image_id"] == old["id"]
        about = seen[new["rater"]]
        names = ("kudos", "account_age", "usage_requests", "trusted", "validated", "captchas_failed")
        about["legacy"].add(tuple(old[name] for name in names))
        about["legacy country"] |= {old["country"]} - {None}
        about["legacy client"] |= {old["client_agent"]} - {"unknown"}
    for row in rows["raters"]:
        seen[row["rater"]]["bands"].add(tuple(row[name] for name in BANDS))
    return seen


def test_at_least_five_raters_look_alike(looks):
    nameless = looks.pop(None, None)
    for about in looks.values():
        assert len(about["bands"]) == 1, "One rater has one description in a release."
        assert len(about["legacy"]) <= 1
        assert about["country"] >= about["legacy country"]
        assert about["client"] >= about["legacy client"]
    whole = {
        pseudonym: tuple(frozenset(about[name]) for name in ("bands", "country", "client", "legacy"))
        for pseudonym, about in looks.items()
        if about["legacy"]
    }
    new = Counter(tuple(frozenset(about[name]) for name in ("bands", "country", "client")) for about in looks.values())
    assert min(new.values()) >= SMALLEST
    # Whom the old file tells apart, the new one does not join again: it says less of each, never more.
    assert len({look[3] for look in whole.values()}) > 10
    assert nameless is None or len(nameless["bands"]) <= 2


def test_enough_is_left_to_work_with(looks):
    looks.pop(None, None)
    known = Counter()
    for about in looks.values():
        (bands,) = about["bands"]
        known.update(name for name, value in zip(BANDS, bands, strict=True) if value is not None)
        known.update(name for name in ("country", "client") if about[name])
    shares = {name: known[name] / len(looks) for name in (*BANDS, "country", "client")}
    assert shares["anonymous"] == 1
    assert min(shares["is_trusted"], shares["ratings_given_band"]) > 0.9
    assert shares["account_age_band"] > 0.7


def test_who_knows_everybody_from_outside_finds_nobody(release, looks):
    """An attacker has, of every rater, the exact numbers at their first answer, as the AI Horde tells them to all."""
    looks.pop(None, None)
    candidates = defaultdict(list)
    for about in looks.values():
        (bands,) = about["bands"]
        candidates[bands, frozenset(about["country"]), frozenset(about["client"])].append(about)
    for person in everybody():
        matching = sum(len(found) for look, found in candidates.items() if may_be(person, look))
        assert matching == 0 or matching >= SMALLEST, person


def everybody():
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT min(rater_account_age), min(rater_images_generated), min(rater_kudos), min(rater_rating_count),
                bool_or(rater_is_trusted), kind = 'browser', min(country), split_part(min(client_agent), ':', 1)
            FROM ratings_rating JOIN ratings_rater rater ON rater.id = rater_id
            JOIN accounts_identity identity ON identity.id = rater.identity_id GROUP BY rater.id, kind
        """)
        return sorted(set(cursor.fetchall()), key=str)


def may_be(person, look):
    """Return whether what is told could be of this person: a value that is withheld could be any."""
    age, images, kudos, given, is_trusted, is_anonymous, country, client = person
    bands, countries, clients = look
    exact = (age_band(age), power(images), power(kudos), power(given), is_trusted, is_anonymous)
    return (
        all(told is None or told == is_so for told, is_so in zip(bands, exact, strict=True))
        and countries <= {country}
        and clients <= {client}
    )


def age_band(seconds):
    if seconds is None:
        return None
    return [name for days, name in AGE_BANDS.items() if days * 86_400 <= seconds][-1]


def power(number):
    return None if number is None else 0 if number <= 0 else min(10 ** (len(str(number)) - 1), 10**9)


def test_no_public_page_says_anything_of_one_rater(release):
    """There is nothing to join a release with: what strangers get stays the same when everybody is somebody else."""
    client = Client()
    pages = {name: route for name, route in PAGES.items() if "anonymous" in route.who and route.method == "GET"}
    before = {name: read(client, name, route) for name, route in pages.items()}
    # Those that hand out an image at random differ by themselves, and say nothing but which image.
    steady = [name for name, route in pages.items() if read(client, name, route) == before[name]]
    with connection.cursor() as cursor:
        cursor.execute("""
            UPDATE ratings_rating SET country = 'ZZ', client_agent = 'another', rater_kudos = 7,
                rater_images_generated = 7, rater_account_age = 7, rater_rating_count = 7, address_hash = 'another'
        """)
        cursor.execute("UPDATE ratings_rater SET rating_count = 7, counted_count = 7, is_trusted = NOT is_trusted")
        cursor.execute("UPDATE accounts_identity SET external_id = id, name = 'another'")
    assert len(steady) > 20
    assert [name for name in steady if read(client, name, pages[name]) != before[name]] == []


def read(client, name, route):
    """Return an answer without what is new in each: tokens against forged requests."""
    arguments = {key: value.replace("demo", "site") for key, value in route.arguments(None).items()}
    response = client.get(reverse(name, kwargs=arguments))
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, re.sub(rb'(csrfmiddlewaretoken" value|nonce)="[^"]*"', b"", content)
