"""Nobody is recognisable from a release."""

import hmac
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import IdentityKind
from exports.privacy import RaterBook, client_name, make_pseudonymiser, make_treatments, uuid_text
from exports.schema import TABLES, Treatment
from ratings.models import Image
from tests.exports.made import PATHS, build, folder_of, make_rater, make_rating, rows_of
from tests.factories import DatasetFactory, UserFactory, make_images

KEY = "a key of the tests, longer than forty characters"
COUNTS = ("images_generated", "kudos", "ratings_given")
SEED = uuid.UUID(int=7).bytes


def test_pseudonym_is_the_same_for_one_rater_and_dataset():
    dataset_id = uuid.uuid4()
    one, two = (make_pseudonymiser(key=KEY, dataset_id=dataset_id)(SEED) for _ in range(2))
    assert one == two
    assert len(one) == 16


@pytest.mark.parametrize(
    "other",
    [
        {"key": KEY + "!", "dataset_id": uuid.UUID(int=1), "schema_version": "1.0"},
        {"key": KEY, "dataset_id": uuid.UUID(int=2), "schema_version": "1.0"},
        {"key": KEY, "dataset_id": uuid.UUID(int=1), "schema_version": "2.0"},
    ],
)
def test_pseudonym_is_unlinkable_across_keys_datasets_and_major_versions(other):
    here = make_pseudonymiser(key=KEY, dataset_id=uuid.UUID(int=1), schema_version="1.0")
    assert make_pseudonymiser(**other)(SEED) != here(SEED)


def test_pseudonym_survives_a_minor_version():
    one, two = (
        make_pseudonymiser(key=KEY, dataset_id=uuid.UUID(int=1), schema_version=version)(SEED)
        for version in ("1.0", "1.7")
    )
    assert one == two


def make_book(*raters):
    ids, seeds, anonymous = zip(*raters, strict=True)
    batch = pa.record_batch(
        {
            "id": pa.array(ids),
            "seed": pa.array([seed.bytes for seed in seeds], pa.uuid()),
            "anonymous": pa.array(anonymous),
            "challenges_failed": pa.array([0] * len(ids), pa.int32()),
            **{name: pa.array([0] * len(ids)) for name in ("account_age", *COUNTS, "trust")},
            **{name: pa.array([[]] * len(ids), pa.list_(pa.string())) for name in ("countries", "clients")},
        }
    )
    return RaterBook.read([batch.slice(0, 1), batch.slice(1)], key=KEY, dataset_id=uuid.UUID(int=1), smallest=1)


def treat(book, treatment, *rater_ids):
    return make_treatments(book)[treatment](pa.array(rater_ids, pa.int64())).to_pylist()


def test_a_rater_takes_as_much_memory_as_the_documentation_says():
    book = make_book((3, uuid.UUID(int=30), True), (70, uuid.UUID(int=700), False))
    arrays = [value for name in book.__slots__ if isinstance(value := getattr(book, name), np.ndarray)]
    assert sum(array.nbytes for array in (*arrays, *book.bands.values())) == 2 * 64


def test_a_rater_is_looked_up_by_id():
    book = make_book((3, uuid.UUID(int=30), True), (70, uuid.UUID(int=700), False), (2**40, uuid.UUID(int=4), False))
    asked = [2**40, 3, 3, 70]
    expected = [
        hmac.new(
            KEY.encode(), b"rater:2:" + str(uuid.UUID(int=1)).encode() + b":" + uuid.UUID(int=seed).bytes, "sha256"
        ).hexdigest()[:32]
        for seed in (4, 30, 30, 700)
    ]
    assert treat(book, Treatment.PSEUDONYM, *asked) == expected
    assert treat(book, Treatment.ANONYMITY, *asked) == [False, True, True, False]


@pytest.mark.parametrize("unknown", [0, 5, 2**50])
def test_a_rater_who_is_not_there_stops_the_release(unknown):
    book = make_book((3, uuid.UUID(int=30), True), (70, uuid.UUID(int=700), False))
    with pytest.raises(LookupError):
        treat(book, Treatment.PSEUDONYM, 3, unknown)


def test_a_book_without_raters_answers_for_nobody():
    book = RaterBook.read([], key=KEY, dataset_id=uuid.UUID(int=1), smallest=5)
    assert treat(book, Treatment.PSEUDONYM) == []
    assert treat(book, Treatment.ACCOUNT_AGE_BAND) == []
    with pytest.raises(LookupError):
        treat(book, Treatment.ANONYMITY, 1)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("ArtBot:1.0:https://github.com/dave", "ArtBot"),
        ("stable ui", "stable ui"),
        ("  spaced   out  :1", "spaced out"),
        ("絵の評価:2:誰か", "絵の評価"),
        ("Größe & Schönheit:3", "Größe & Schönheit"),
        ("", None),
        (":1.0:someone", None),
        ("someone@example.org:1", None),
        ("https://example.org/me:1", "https"),
        ("www.example.org", None),
        ("+49 1701234567:1", None),
        ("<b>bold</b>:1", None),
        ("line\nbreak:1", "line break"),
        ("bell\x07:1", None),
        ("tricky\u202ename:1", None),
        ("x" * 41, None),
    ],
)
def test_client_name_keeps_names_and_drops_contacts(agent, name):
    assert client_name(agent) == name


@given(st.text(max_size=200))
def test_client_name_never_has_what_followed_the_colon(agent):
    name = client_name(agent)
    assert name is None or (":" not in name and "@" not in name and len(name) <= 40)


@given(st.lists(st.uuids(), max_size=50), st.integers(0, 5))
def test_uuid_text_is_what_python_writes(ids, offset):
    column = pa.array([value.bytes for value in ids], pa.uuid()).slice(offset)
    assert uuid_text(column).to_pylist() == [str(value) for value in ids[offset:]]


@pytest.mark.django_db(transaction=True)
def test_nothing_that_names_a_person_leaves(harbours):
    secrets = make_rating_full_of_secrets(Image.objects.filter(dataset=harbours).first())
    release = build(harbours)
    inside = b"".join(path.read_bytes() for path in folder_of(release).rglob("*") if path.is_file())
    # Compression would hide a text, so the decoded values are searched as well.
    said = repr([rows_of(release, table) for table in PATHS])
    for name, value in secrets.items():
        assert str(value) not in said, name
        assert str(value).encode() not in inside, name


def make_rating_full_of_secrets(image: Image) -> dict[str, object]:
    user = UserFactory(username="unmistakable", email="unmistakable@example.org")
    rater = make_rater(
        IdentityKind.ACCOUNT, external_id="external-4711", user=user, external_kudos=91827364, images_generated=55443322
    )
    secrets = {
        "address_hash": "ad" * 16,
        "idempotency_key": "idempotency-secret",
        "rater_kudos": 918273645,
        "rater_images_generated": 554433221,
        "rater_account_age": 12345678,
        "rater_rating_count": 87654321,
    }
    answered = datetime(2026, 3, 4, 5, 37, 41, 123456, tzinfo=UTC)
    rating = make_rating(
        image, rater, client_agent="Painter:9.9.9:contact-me", created_at=answered, issued_at=answered, **secrets
    )
    Image.objects.filter(pk=image.pk).update(planted_artifacts=5, generation={"secret_seed": 31337})
    return secrets | {
        "user name": "unmistakable",
        "external id": "external-4711",
        "lease": rating.lease_id,
        "seed": rater.pseudonym_seed,
        "contact": "contact-me",
        "minutes": "5, 37",
        "generation": 31337,
    }


@pytest.mark.django_db(transaction=True)
def test_planted_artifacts_and_generation_are_no_columns(harbours):
    names = {column.name for table in TABLES for column in table.columns}
    sources = " ".join(column.sql for table in TABLES for column in table.columns)
    assert not names & {"planted_artifacts", "generation", "address_hash", "lease_id", "rater_id", "reward"}
    for secret in ("planted", "generation", "address", "lease_id", "idempotency", "settlement", "sampling_key"):
        assert secret not in sources


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("seconds", "band"),
    [
        (None, None),
        (0, "under 1 day"),
        (86_399, "under 1 day"),
        (86_400, "under 7 days"),
        (7 * 86_400, "under 30 days"),
        (30 * 86_400, "under 180 days"),
        (180 * 86_400, "over 180 days"),
    ],
)
def test_age_is_told_in_bands(harbours, seconds, band):
    rating = make_rating(Image.objects.filter(dataset=harbours).first(), make_rater(), rater_account_age=seconds)
    assert row_of(build(harbours), rating.pk)["account_age_band"] == band


def bands_of_raters(release):
    """Return the bands that each rater has in either file, for whoever lays the two side by side, row by row."""
    new, old = rows_of(release, "ratings"), rows_of(release, "legacy_export")
    assert [row["image_id"] for row in new] == [row["id"] for row in old]
    bands = defaultdict(set)
    for here, there in zip(new, old, strict=True):
        bands[here["rater"]].add((here["account_age_band"], there["account_age"]))
    return bands


@pytest.mark.django_db(transaction=True)
def test_no_rater_has_two_bands_of_age_in_the_files_of_a_release(harbours):
    """Two bands with the hour of each rating would tell when the account was made, in whichever file they are."""
    first, second, third = Image.objects.filter(dataset=harbours)
    began = datetime(2026, 3, 4, 5, 30, tzinfo=UTC)
    crossing, unsure = make_rater(), make_rater()
    for image, age, minutes in ((first, 86_340, 0), (second, 86_460, 2), (third, 8 * 86_400, 10_140)):
        moment = began + timedelta(minutes=minutes)
        make_rating(image, crossing, rater_account_age=age, created_at=moment)
        make_rating(image, unsure, rater_account_age=age if minutes else None, created_at=moment)
        make_rating(image, make_rater(IdentityKind.BROWSER), rater_account_age=age)
    bands = bands_of_raters(build(harbours))
    assert {len(of_one) for of_one in bands.values()} == {1}
    assert {("under 1 day", 0), ("under 7 days", 86_400), (None, 0)} <= set().union(*bands.values())


@pytest.mark.django_db(transaction=True)
def test_the_band_of_a_rater_survives_the_voiding_of_their_first_rating(harbours):
    """It would tell as much by changing from one release to the next."""
    first, second, _ = Image.objects.filter(dataset=harbours)
    rater = make_rater()
    make_rating(first, rater, rater_account_age=86_340, state="held")
    rating = make_rating(second, rater, rater_account_age=86_460)
    release = build(harbours)
    assert row_of(release, rating.pk)["account_age_band"] == "under 1 day"


@pytest.mark.django_db(transaction=True)
def test_counts_are_told_as_powers_of_ten(harbours):
    image = Image.objects.filter(dataset=harbours).first()
    expected = {
        make_rating(image, make_rater(), rater_kudos=kudos).pk: band
        for kudos, band in (
            (None, None), (-50, 0), (0, 0), (1, 1), (9, 1), (10, 10), (999, 100), (1000, 1000),
            (10**9, 10**9), (10**15 - 1, 10**9),
        )
    }  # fmt: skip
    found = {row["rating_id"]: row["kudos_band"] for row in rows_of(build(harbours), "ratings")}
    assert {key: found[key] for key in expected} == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "anonymous"),
    [(IdentityKind.BROWSER, True), (IdentityKind.SHARED_KEY, True), (IdentityKind.HORDE, False)],
)
def test_anonymous_says_that_there_is_no_account(harbours, kind, anonymous):
    rater = make_rater(kind, is_shared=kind == IdentityKind.SHARED_KEY)
    rating = make_rating(Image.objects.filter(dataset=harbours).first(), rater)
    row = row_of(build(harbours), rating.pk)
    assert row["anonymous"] is anonymous
    assert len(row["rater"]) == 32


@pytest.mark.parametrize("kind", ["horde", "relay"])
def test_anonymous_is_also_whom_many_share_elsewhere(harbours, kind):
    make_rating(make_images(harbours, 1)[0], make_rater(kind, is_shared=True), aesthetic=3)
    [row] = [row for row in rows_of(build(harbours), "ratings") if row["aesthetic"] == 3]
    assert row["anonymous"] is True


@pytest.mark.django_db(transaction=True)
def test_one_rater_has_unrelated_pseudonyms_in_two_datasets(harbours):
    other = DatasetFactory(slug="other")
    rater = make_rater()
    here = make_rating(Image.objects.filter(dataset=harbours).first(), rater)
    there = make_rating(make_images(other, 1)[0], rater)
    assert row_of(build(harbours), here.pk)["rater"] != row_of(build(other), there.pk)["rater"]


@pytest.mark.django_db(transaction=True)
def test_odd_client_agents_do_not_stop_a_release(harbours):
    image = Image.objects.filter(dataset=harbours).first()
    agents = ["", ":::", "\x01\x7f", "🖼️ rater:1", "'; DROP TABLE x; --", '"quoted"', "a" * 200, "tab\there:2"]
    expected = {make_rating(image, make_rater(), client_agent=agent).pk: client_name(agent) for agent in agents}
    found = {row["rating_id"]: row["client_agent"] for row in rows_of(build(harbours), "ratings")}
    assert {key: found[key] for key in expected} == expected


def row_of(release, rating_id):
    return next(row for row in rows_of(release, "ratings") if row["rating_id"] == rating_id)
