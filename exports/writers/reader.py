"""Check this release, and read it. Needs pyarrow or DuckDB, and no network.

    python verify.py                     check every file that is here
    python verify.py --key RW...         check the signature as well; the key is on the site that published the release

    from verify import load
    ratings = load("ratings")            an Arrow table; as_="pandas", "polars" or "duckdb" for others
    scores = load("image_scores", columns=["image_id", "mean_aesthetic"])

`load` checks the files that it reads first, and refuses those that are not as they were published.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class NotAsPublished(Exception):
    """A file is missing, or is not the one that was published."""


def load(table: str, *, as_: str = "arrow", columns: list[str] | None = None, folder: Path = HERE) -> Any:
    """Return a table of the release as Arrow, "pandas", "polars" or "duckdb" (a relation).

    Raises NotAsPublished if a file of it differs, KeyError for a table that the release does not have. Without
    pyarrow, Arrow and the rest are made by DuckDB.
    """
    paths = check_table(table, folder)
    try:
        from pyarrow import parquet
    except ImportError:
        as_, parquet = ("duckdb" if as_ == "arrow" else as_), None
    if parquet is None or as_ == "duckdb":
        import duckdb

        found = duckdb.read_parquet(paths)
        relation = found.select(*columns) if columns else found
        return relation if as_ == "duckdb" else relation.df() if as_ == "pandas" else relation.pl()
    rows = parquet.ParquetDataset(paths).read(columns=columns)
    if as_ == "pandas":
        return rows.to_pandas()
    if as_ == "polars":
        import polars as pl

        return pl.from_arrow(rows)
    return rows


def check_table(table: str, folder: Path = HERE) -> list[str]:
    """Return the paths of a table's files, each as it was published."""
    sums = read_sums(folder)
    names = [name for name in sums if name == f"{table}.parquet" or name.startswith(f"data/{table}/")]
    if not names:
        tables = sorted({name.split("/")[1] for name in sums if name.startswith("data/")})
        raise KeyError(f"There is no table {table!r}; there are {', '.join(tables)}.")
    for name in sorted(names):
        problem = problem_of(folder, name, sums[name])
        if problem:
            raise NotAsPublished(problem)
    return [str(folder / name) for name in sorted(names)]


def read_sums(folder: Path) -> dict[str, str]:
    """Return the checksum of each file, by path."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def problem_of(folder: Path, name: str, digest: str) -> str:
    """Return what is wrong with a file, or nothing."""
    if not (folder / name).is_file():
        return f"{name} is not here."
    with (folder / name).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return "" if found == digest else f"{name} is not as it was published."


# --- Ed25519, as RFC 8032 defines it: only to check, only with numbers that everybody may see --------------------

KEY_BYTES, SIGNATURE_BYTES = 32, 64
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def add(one: Point, two: Point) -> Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def read_point(raw: bytes) -> Point:
    y, sign = int.from_bytes(raw, "little") & (2**255 - 1), raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise NotAsPublished("The signature is damaged.")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


BASE = read_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    number = int.from_bytes(signature[32:], "little")
    digest = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = multiply(number, BASE), add(read_point(signature[:32]), multiply(digest, read_point(key)))
    same_x, same_y = ((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))
    return number < ORDER and same_x and same_y


def check_signature(key: str, folder: Path = HERE) -> str:
    """Return what the signature of SHA256SUMS says of the release. Raises NotAsPublished."""
    _, first, comment, last = (folder / "SHA256SUMS.minisig").read_text(encoding="utf-8").splitlines()
    public, signed, of_all = (base64.b64decode(text) for text in (key, first, last))
    comment = comment.removeprefix("trusted comment: ")
    digest = hashlib.blake2b((folder / "SHA256SUMS").read_bytes()).digest()
    if signed[2:10] != public[2:10]:
        raise NotAsPublished("The signature is of another key.")
    pairs = ((digest, signed[10:]), (signed[10:] + comment.encode(), of_all))
    if not all(is_signed(public[10:], message, signature) for message, signature in pairs):
        raise NotAsPublished("SHA256SUMS is not what was signed.")
    return comment


# --- The command ---------------------------------------------------------------------------------------------------


def count_rows(path: Path) -> int:
    try:
        from pyarrow import parquet
    except ImportError:
        import duckdb

        return int(duckdb.read_parquet(str(path)).count("*").fetchall()[0][0])
    return int(parquet.read_metadata(path).num_rows)


def find_problems(folder: Path) -> list[str]:
    """Return a sentence for each file that is not as it was published; those that are not here are no problem."""
    here = {name: digest for name, digest in read_sums(folder).items() if (folder / name).is_file()}
    problems = [problem for name, digest in here.items() if (problem := problem_of(folder, name, digest))]
    if problems or "manifest.json" not in here:
        return problems
    files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    return [
        f"{file['path']} does not have {file['rows']} rows."
        for file in files
        if file["path"] in here and file["path"].endswith(".parquet")
        and count_rows(folder / file["path"]) != file["rows"]
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the files of this release.")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--key", help="the public key of whoever published it, 56 characters")
    options = parser.parse_args()
    try:
        if options.key:
            print(f"The signature is good: {check_signature(options.key, options.folder)}.")
        problems = find_problems(options.folder)
    except (NotAsPublished, OSError, ValueError) as error:
        problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        names = read_sums(options.folder)
        here = sum((options.folder / name).is_file() for name in names)
        print(f"{here} of {len(names)} files are here, and as they were published.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
