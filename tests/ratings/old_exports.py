"""Old exports as they were, made up: three of those shapes, and everything odd that was seen in them."""

import hashlib
import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("ratings_count", pa.int64()),
        ("rating", pa.int64()),
        ("kudos", pa.int64()),
        ("account_age", pa.int64()),
        ("usage_requests", pa.int64()),
        ("created_at", pa.timestamp("us")),
        ("client_agent", pa.string()),
        ("artifacts", pa.float64()),
        ("user_id", pa.string()),
        ("trusted", pa.bool_()),
        ("validated", pa.bool_()),
        ("captchas_failed", pa.int64()),
        ("country", pa.string()),
    ]
)
ELEVEN = [name for name in SCHEMA.names if name not in {"user_id", "validated", "captchas_failed"}]
THIRTEEN = [name for name in SCHEMA.names if name != "validated"]
AGENTS = (
    "ArtBot:v.202301121847:(discord)rockbandit#4910",
    "StableUI:1.1:(discord)aqualxx#5004",
    "unknown:0:unknown",
    "絵の評価:2:誰か",
    'Größe "&" Schönheit:3:,\n;',
    "🖼️ rater:1:x",
    "",
    "test",
)
DAY = 86_400


def make_rows(count: int, *, seed: int = 1, people: int = 40) -> list[dict[str, Any]]:
    """Return rows as an old export has them: repeated pairs, rows that are equal, nulls, nobody's, debts."""
    dice = random.Random(seed)
    images = [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(max(1, count // 4))]
    users = [_make_user(dice) for _ in range(people)]
    rows = [_make_row(dice, dice.choice(images), dice.choice(users)) for _ in range(count)]
    for place in range(0, count - 1, 50):
        # The same person again of the same image, and now and then the very same row.
        rows[place + 1] = rows[place] | ({} if place % 100 else {"rating": dice.randint(1, 10)})
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["id"]] = counts.get(row["id"], 0) + 1
    return [row | {"ratings_count": counts[row["id"]]} for row in rows]


def _make_user(dice: random.Random) -> dict[str, Any]:
    if dice.random() < 0.1:
        # Everybody without an account was one user there.
        return {
            "user_id": hashlib.sha256(b"anonymous#0").hexdigest(),
            "kudos": -50,
            "account_age": 0,
            "usage_requests": 0,
            "trusted": False,
            "validated": False,
            "captchas_failed": 3,
        }
    return {
        "user_id": hashlib.sha256(dice.randbytes(8)).hexdigest(),
        "kudos": dice.choice([-3, 0, 24, 498, 1_076_359]),
        "account_age": dice.randrange(400 * DAY),
        "usage_requests": dice.choice([0, 7, 12_345]),
        "trusted": dice.random() < 0.5,
        "validated": dice.random() < 0.2,
        "captchas_failed": dice.randint(-9, 1),
    }


def _make_row(dice: random.Random, image: str, user: dict[str, Any]) -> dict[str, Any]:
    moment = datetime(2023, 1, 11, tzinfo=UTC) + timedelta(microseconds=dice.randrange(90 * DAY * 10**6))
    is_anonymous = user["kudos"] == -50
    return user | {
        "id": image,
        "rating": dice.randint(1, 10),
        "kudos": user["kudos"] + (0 if is_anonymous else 5 * dice.randrange(10)),
        "account_age": user["account_age"] + (0 if is_anonymous else dice.randrange(DAY)),
        "created_at": moment.replace(tzinfo=None),
        "client_agent": dice.choice(AGENTS),
        "artifacts": dice.choice([None, 0.0, 1.0, 5.0]),
        "country": dice.choice(["DE", "US", None]),
    }


def write_export(
    path: Path, rows: list[dict[str, Any]], columns: list[str] | None = None, **types: pa.DataType
) -> Path:
    """Write rows as an export with these columns, some of them of other types."""
    fields = [pa.field(name, types.get(name, SCHEMA.field(name).type)) for name in columns or SCHEMA.names]
    parquet.write_table(pa.Table.from_pylist(rows, schema=pa.schema(fields)), path, row_group_size=700)
    return path


def made_coarse(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what a release may say of these rows, sorted; each rater by the least that they ever had.

    Written down once more here, by hand: the test would prove nothing if it asked the code.
    """
    of_user: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of_user.setdefault(row["user_id"], []).append(row)

    def least(row: dict[str, Any], name: str) -> int:
        return min(other[name] for other in of_user[row["user_id"]])

    return sorted(
        (
            row["id"],
            row["ratings_count"],
            row["rating"],
            -50 if row["kudos"] == -50 else _coarse(max(0, least(row, "kudos"))),
            max(floor for floor in (0, DAY, 7 * DAY, 30 * DAY, 180 * DAY) if floor <= least(row, "account_age")),
            _coarse(least(row, "usage_requests")),
            row["created_at"].replace(minute=0, second=0, microsecond=0),
            _named(row["client_agent"]),
            -1.0 if row["artifacts"] is None else row["artifacts"],
            any(other["trusted"] for other in of_user[row["user_id"]]),
            row["validated"],
            _coarse(row["captchas_failed"]),
            row["country"] or "",
        )
        for row in rows
    )


def as_tuples(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the rows of a release's file as `made_coarse` writes them, without the user ids."""
    names = [name for name in SCHEMA.names if name != "user_id"]
    nulls = {"artifacts": -1.0, "country": ""}
    return sorted(tuple(nulls.get(name) if row[name] is None else row[name] for name in names) for row in rows)


def _coarse(number: int) -> int:
    power = 10 ** min(len(str(abs(number))) - 1, 9)
    return 0 if number == 0 else power if number > 0 else -power


def _named(agent: str) -> str:
    return " ".join(agent.split(":", maxsplit=1)[0].split()) or "unknown"
