"""Old exports: which files are read, and which rows are refused for what."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from pyarrow import parquet

from ratings.importers.legacy import BATCH_ROWS, STORED, LegacyExport, NotALegacyExport, check_rows
from tests.ratings.old_exports import ELEVEN, SCHEMA, THIRTEEN, make_rows, write_export

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ID = "0123abcd-0000-4000-8000-00000000000f"
RIGHT = {
    "id": ID,
    "ratings_count": 1,
    "rating": 7,
    "kudos": 24,
    "account_age": 80_737,
    "usage_requests": 3,
    "created_at": datetime(2023, 1, 11, 12, 30, 1, 5),  # noqa: DTZ001 - as the file has it
    "client_agent": "ArtBot:v.1:(discord)somebody",
    "artifacts": 1.0,
    "user_id": "ab" * 32,
    "trusted": True,
    "validated": False,
    "captchas_failed": -9,
    "country": "DE",
}


def read_all(path, **options):
    checked = list(LegacyExport(path).read(now=NOW, **options))
    rows = [row for part in checked for row in part.accepted.to_pylist()]
    return rows, [refusal for part in checked for refusal in part.refusals]


def check(row, schema=SCHEMA):
    batch = pa.RecordBatch.from_pylist([row], schema=schema)
    return check_rows(batch, first=41, now=NOW)


def test_it_works(tmp_path):
    rows, refusals = read_all(write_export(tmp_path / "old.parquet", [RIGHT]))
    assert not refusals
    assert rows == [
        {
            "place": 1,
            "source": ID,
            "rater_key": f"user:{'ab' * 32}",
            "aesthetic": 7,
            "artifacts": 1,
            "kudos": 24,
            "account_age": 80_737,
            "images_generated": 3,
            "created_at": datetime(2023, 1, 11, 12, 30, 1, 5, tzinfo=UTC),
            "client_agent": "ArtBot:v.1:(discord)somebody",
            "is_trusted": True,
            "is_validated": False,
            "challenges_failed": -9,
            "country": "DE",
        }
    ]


@pytest.mark.parametrize("columns", [ELEVEN, THIRTEEN, SCHEMA.names, SCHEMA.names[::-1]], ids=len)
def test_every_shape_that_there_was_is_read(tmp_path, columns):
    path = write_export(tmp_path / "old.parquet", make_rows(BATCH_ROWS + 100), columns)
    rows, refusals = read_all(path)
    assert (len(rows), refusals) == (BATCH_ROWS + 100, [])
    assert [row["place"] for row in rows] == list(range(1, BATCH_ROWS + 101))
    named = {row["rater_key"] for row in rows} - {"anonymous"}
    assert (named == {"unnamed"}) == (columns == ELEVEN)


OTHER_TYPES = {
    "small numbers": {name: pa.int16() for name in ("rating", "captchas_failed", "ratings_count")},
    "numbers as pandas writes them beside nulls": {
        name: pa.float64() for name in ("rating", "kudos", "account_age", "captchas_failed")
    },
    "unsigned": {"usage_requests": pa.uint64(), "rating": pa.uint8()},
    "single precision": {"artifacts": pa.float32()},
    "whole artifacts": {"artifacts": pa.int64()},
    "large text": {"id": pa.large_string(), "client_agent": pa.large_string()},
    "categories": {name: pa.dictionary(pa.int32(), pa.string()) for name in ("client_agent", "country", "user_id")},
    "nanoseconds": {"created_at": pa.timestamp("ns")},
    "a zone": {"created_at": pa.timestamp("us", tz="UTC")},
    "another zone": {"created_at": pa.timestamp("ms", tz="America/New_York")},
}


@pytest.mark.parametrize("types", OTHER_TYPES.values(), ids=OTHER_TYPES)
def test_other_types_of_the_same_values_are_read(tmp_path, types):
    row = RIGHT | {"created_at": datetime(2023, 1, 11, 12, 30, 1, tzinfo=UTC if "tz" in str(types) else None)}
    (plain,), _ = read_all(
        write_export(tmp_path / "plain.parquet", [row | {"created_at": row["created_at"].replace(tzinfo=None)}])
    )
    (other,), refusals = read_all(write_export(tmp_path / "other.parquet", [row], **types))
    assert not refusals
    assert other == plain


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"id": "no uuid"}, "the id is not the UUID of an image"),
        ({"id": None}, "the id is not the UUID of an image"),
        ({"id": "{0123abcd-0000-4000-8000-00000000000f}"}, "the id is not the UUID of an image"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "the id is not the UUID of an image"),
        ({"rating": 0}, "rating is not a whole number from 1 to 10"),
        ({"rating": 11}, "rating is not a whole number from 1 to 10"),
        ({"rating": None}, "there is no rating"),
        ({"artifacts": 6.0}, "artifacts is not a whole number from 0 to 5"),
        ({"artifacts": -1.0}, "artifacts is not a whole number from 0 to 5"),
        ({"artifacts": 2.5}, "artifacts is not a whole number from 0 to 5"),
        ({"artifacts": float("inf")}, "artifacts is not a whole number from 0 to 5"),
        ({"artifacts": 1e300}, "artifacts is not a whole number from 0 to 5"),
        ({"account_age": -1}, "account_age is not a whole number from 0 to 2147483647"),
        ({"account_age": 2**31}, "account_age is not a whole number from 0 to 2147483647"),
        ({"usage_requests": -1}, f"usage_requests is not a whole number from 0 to {2**63 - 1}"),
        ({"captchas_failed": 2**31}, f"captchas_failed is not a whole number from {-(2**31)} to {2**31 - 1}"),
        ({"created_at": None}, "there is no created_at"),
        ({"created_at": NOW.replace(tzinfo=None) + timedelta(hours=1)}, "created_at is before 2000 or in the future"),
        ({"created_at": datetime(1970, 1, 1)}, "created_at is before 2000 or in the future"),  # noqa: DTZ001
        ({"user_id": "one two"}, "the user_id is not one"),
        ({"user_id": "a" * 129}, "the user_id is not one"),
        ({"country": "Germany"}, "the country is not a code of two letters"),
        ({"country": "D\0"}, "the country is not a code of two letters"),
    ],
    ids=str,
)
def test_a_row_that_cannot_be_so_is_refused_with_its_reason(wrong, reason):
    checked = check(RIGHT | wrong)
    assert checked.accepted.num_rows == 0
    assert [(refusal.name, refusal.reason) for refusal in checked.refusals] == [("row 41", reason)]
    assert checked.seen == 1


@pytest.mark.parametrize(
    ("odd", "stored"),
    [
        ({"artifacts": None}, {"artifacts": None}),
        ({"artifacts": float("nan")}, {"artifacts": None}),
        ({"kudos": None, "account_age": None, "usage_requests": None}, {"kudos": None, "images_generated": None}),
        ({"kudos": -(2**63)}, {"kudos": -(2**63)}),
        ({"kudos": -50, "user_id": "whoever it was!"}, {"rater_key": "anonymous", "kudos": -50}),
        ({"user_id": None}, {"rater_key": "unnamed"}),
        ({"user_id": ""}, {"rater_key": "unnamed"}),
        ({"user_id": "anonymous"}, {"rater_key": "user:anonymous"}),
        ({"captchas_failed": None, "trusted": None}, {"challenges_failed": 0, "is_trusted": False}),
        ({"country": None}, {"country": ""}),
        ({"country": "nl"}, {"country": "NL"}),
        ({"id": ID.upper()}, {"source": ID}),
        ({"client_agent": None}, {"client_agent": "unknown:0:unknown"}),
        ({"client_agent": "a\0b\x1b[31m\u202ec\n"}, {"client_agent": "ab[31mc"}),
        ({"client_agent": "絵" * 300}, {"client_agent": "絵" * 200}),
        ({"ratings_count": -5}, {"aesthetic": 7}),
    ],
    ids=str,
)
def test_what_is_odd_and_can_be_so_is_taken(odd, stored):
    checked = check(RIGHT | odd)
    assert not checked.refusals
    (row,) = checked.accepted.to_pylist()
    assert {name: row[name] for name in stored} == stored


def test_text_that_is_no_text_is_no_danger():
    def broken(text):
        return pa.Array.from_buffers(pa.string(), 1, pa.array([text], pa.binary()).buffers())

    columns = {name: pa.array([value], SCHEMA.field(name).type) for name, value in RIGHT.items()}
    batch = pa.record_batch(columns | {"client_agent": broken(b"Paint\xffer:1")})
    (row,) = check_rows(batch, first=1, now=NOW).accepted.to_pylist()
    assert row["client_agent"] == "Paint\N{REPLACEMENT CHARACTER}er:1"
    batch = pa.record_batch(columns | {"id": broken(b"\xff" * 36)})
    assert check_rows(batch, first=1, now=NOW).refusals


def test_one_reason_a_row_and_the_others_go_on():
    rows = [RIGHT, RIGHT | {"rating": 0, "id": "x"}, RIGHT | {"country": "X"}, RIGHT]
    checked = check_rows(pa.RecordBatch.from_pylist(rows, schema=SCHEMA), first=1, now=NOW)
    assert [refusal.name for refusal in checked.refusals] == ["row 2", "row 3"]
    assert checked.accepted.column("place").to_pylist() == [1, 4]
    assert checked.accepted.schema == STORED


@pytest.mark.parametrize("limit", [1, 7, BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1, 10**9])
def test_a_limit_counts_rows_of_the_file(tmp_path, limit):
    path = tmp_path / "old.parquet"
    table = pa.Table.from_pylist([RIGHT], schema=SCHEMA)
    parquet.write_table(pa.concat_tables([table] * (BATCH_ROWS + 50)), path)
    seen = sum(part.seen for part in LegacyExport(path).read(now=NOW, limit=limit))
    assert seen == min(limit, BATCH_ROWS + 50)


def test_columns_that_are_missing_are_named(tmp_path):
    path = write_export(
        tmp_path / "old.parquet", [RIGHT], [name for name in SCHEMA.names if name not in {"id", "kudos"}]
    )
    with pytest.raises(NotALegacyExport, match=r"It has no column id, kudos\."):
        LegacyExport(path)


def test_columns_that_never_came_together_are_named(tmp_path):
    path = write_export(tmp_path / "old.parquet", [RIGHT], [name for name in SCHEMA.names if name != "user_id"])
    with pytest.raises(NotALegacyExport, match="validated and no user_id"):
        LegacyExport(path)


@pytest.mark.parametrize(
    ("name", "kind", "value", "message"),
    [
        ("rating", pa.string(), "7", "The column rating is string, not a number."),
        ("created_at", pa.string(), "2023", "The column created_at is string, not a time."),
        ("created_at", pa.int64(), 1, "The column created_at is int64, not a time."),
        ("id", pa.int64(), 1, "The column id is int64, not text."),
        ("trusted", pa.int64(), 1, "The column trusted is int64, not true or false."),
        ("artifacts", pa.list_(pa.int8()), [1], "The column artifacts is list"),
        ("kudos", pa.bool_(), True, "The column kudos is bool, not a number."),
    ],
)
def test_columns_of_another_kind_are_named(tmp_path, name, kind, value, message):
    path = write_export(tmp_path / "old.parquet", [RIGHT | {name: value}], **{name: kind})
    with pytest.raises(NotALegacyExport, match=message):
        LegacyExport(path)


def test_a_column_that_is_there_twice_is_named(tmp_path):
    table = pa.Table.from_pylist([RIGHT], schema=SCHEMA)
    parquet.write_table(table.append_column("rating", table["rating"]), tmp_path / "old.parquet")
    with pytest.raises(NotALegacyExport, match="more than one column rating"):
        LegacyExport(tmp_path / "old.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"id,rating\n1,2\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path, content):
    path = tmp_path / "old.parquet"
    path.write_bytes(content)
    with pytest.raises(NotALegacyExport, match="cannot be read as Parquet"):
        LegacyExport(path)


def test_a_folder_or_nothing_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.parquet"):
        with pytest.raises(NotALegacyExport, match="cannot be read"):
            LegacyExport(path)


def test_a_file_that_is_damaged_in_the_middle_is_refused_when_it_is_read(tmp_path):
    path = write_export(tmp_path / "old.parquet", make_rows(3_000))
    content = bytearray(path.read_bytes())
    content[len(content) // 4 : len(content) // 2] = b"\xff" * (len(content) // 2 - len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(NotALegacyExport, match="is damaged after row"):
        read_all(path)


def test_a_file_without_rows_has_none(tmp_path):
    export = LegacyExport(write_export(tmp_path / "old.parquet", []))
    assert export.row_count == 0
    assert list(export.read(now=NOW)) == []
