"""`manage.py replay_ratings`: anybody's file in, two files out, and plain words for what is wrong with a file."""

import csv
import gzip
import os
import subprocess
import sys
from io import StringIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command

from config.embedded import CHECKOUT
from ratings.stats.ranks import rank_correlation
from tests.quality.measure import auc
from tests.quality.real import load
from tests.quality.scenes import make_scene

RATERS = [
    "rater_id",
    "n",
    "bias",
    "noise",
    "reliability",
    "reliability_low",
    "reliability_high",
    "p_honest",
    "state",
    "decided_at_n",
    "reason",
]
SCORES = ["item_id", "n", "n_counted", "mean", "score", "ci_low", "ci_high", "effective_n"]


@pytest.fixture(scope="module")
def scene():
    return make_scene(load("made"), "mix", 0.2, seed=11, raters=150, each=60)


def replay(path, out, *arguments):
    told = StringIO()
    call_command("replay_ratings", str(path), "--out", str(out), *map(str, arguments), stdout=told, stderr=told)
    return told.getvalue(), *(
        list(csv.DictReader(StringIO((out / name).read_text(encoding="utf-8"))))
        for name in ("raters.csv", "scores.csv")
    )


def write(path, scene, *, value=None, **more):
    columns = {
        "rater_id": [f"r{rater}" for rater in scene.rater],
        "item_id": [f"i{image}" for image in scene.image],
        "rating": scene.value if value is None else value,
        **more,
    }
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def figures(scene, raters, scores):
    truth = {f"i{image}": truth for image, truth in enumerate(scene.truth)}
    spam = {f"r{rater}": is_spam for rater, is_spam in enumerate(scene.is_spam)}
    score = np.array([float(row["score"]) for row in scores])
    is_spam = np.array([spam[row["rater_id"]] for row in raters])
    suspicion = -np.array([float(row["p_honest"]) for row in raters])
    held = np.array([row["state"] == "quarantined" for row in raters])
    return (
        rank_correlation(score, np.array([truth[row["item_id"]] for row in scores])),
        auc(is_spam, suspicion),
        held[~is_spam].mean(),
        held[is_spam].mean(),
    )


def test_it_works(scene, tmp_path):
    told, raters, scores = replay(write(tmp_path / "ratings.csv.gz", scene), tmp_path / "out")
    assert list(raters[0]) == RATERS
    assert list(scores[0]) == SCORES
    assert (len(raters), len(scores)) == (len(scene.is_spam), len(scene.truth))
    assert "on a scale from 1 to 7 in steps of 1" in told
    assert "no column timestamp" in told
    correlation, separation, honest_held, spam_held = figures(scene, raters, scores)
    assert correlation > 0.75
    assert separation > 0.85
    assert honest_held <= 0.015
    assert spam_held >= 0.5
    for row in raters:
        assert 0 <= float(row["reliability_low"]) <= float(row["reliability"]) <= float(row["reliability_high"]) <= 1
        assert (row["reason"] != "") == (row["state"] in {"watched", "quarantined"} or float(row["p_honest"]) < 0.5)
        if row["state"] == "quarantined":
            assert 1 <= int(row["decided_at_n"]) <= int(row["n"])
    assert sum(int(row["n"]) for row in scores) == len(scene.rater)
    assert sum(int(row["n_counted"]) for row in scores) < len(scene.rater)
    for row in scores:
        assert 1 <= float(row["ci_low"]) <= float(row["score"]) <= float(row["ci_high"]) <= 7
        assert float(row["effective_n"]) <= int(row["n"]) + 1e-3


def test_parquet_times_and_batches_give_the_same(scene, tmp_path):
    _, _, straight = replay(write(tmp_path / "a.csv", scene), tmp_path / "a", "--batch", 300)
    shuffled = np.random.default_rng(3).permutation(len(scene.rater))
    table = pa.table(
        {
            "other": pa.array(["x"] * len(shuffled)),
            "rater_id": pa.array(scene.rater[shuffled]),
            "item_id": pa.array(scene.image[shuffled]),
            "rating": pa.array(scene.value[shuffled].astype(np.int8)),
            "timestamp": pa.array(shuffled.astype("datetime64[s]")),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "b.parquet")
    _, _, other = replay(tmp_path / "b.parquet", tmp_path / "b", "--batch", 300)
    one, two = ({row["item_id"].lstrip("i"): row["score"] for row in rows} for rows in (straight, other))
    assert one == two


@pytest.mark.parametrize("scale", [("0.5", "5"), ("0", "100")])
def test_half_stars_and_sliders(scene, scale, tmp_path):
    low, high = map(float, scale)
    value = low + (scene.value - 1) / 6 * (high - low)
    value = np.round(value * 2) / 2 if high == 5 else np.round(value)
    told, raters, scores = replay(write(tmp_path / "a.csv", scene, value=value), tmp_path / "out", "--scale", *scale)
    assert f"from {scale[0]} to {scale[1]}" in told
    correlation, separation, honest_held, _ = figures(scene, raters, scores)
    assert correlation > 0.72
    assert separation > 0.8
    assert honest_held <= 0.02


def test_a_second_question_tells_more_of_a_rater(scene, tmp_path):
    """A bot whose ratings look human and whose artifacts are always 0."""
    dice = np.random.default_rng(5)
    artifacts = np.where(
        scene.is_spam[scene.rater],
        0,
        np.clip(np.rint(5 - scene.truth[scene.image] + dice.normal(0, 1, len(scene.rater))), 0, 5),
    )
    alone = replay(write(tmp_path / "a.csv", scene), tmp_path / "a")[1:]
    both = replay(write(tmp_path / "b.csv", scene, artifacts=artifacts.astype(int)), tmp_path / "b")[1:]
    assert figures(scene, *both)[1] > max(0.99, figures(scene, *alone)[1])
    some = [str(int(answer)) if row % 3 else "" for row, answer in enumerate(artifacts)]
    assert replay(write(tmp_path / "c.csv", scene, artifacts=some), tmp_path / "c")


def test_seeds_withstand_a_ring(tmp_path):
    scene = make_scene(load("made"), "ring", 0.4, seed=1, raters=150, each=60)
    seeds = tmp_path / "seeds.txt"
    seeds.write_text("".join(f"r{rater}\n" for rater in np.flatnonzero(~scene.is_spam)[::8]) + "nobody\n")
    file = write(tmp_path / "a.csv", scene)
    told, raters, scores = replay(file, tmp_path / "out", "--seeds", seeds)
    assert "ALARM" in told
    assert figures(scene, raters, scores)[0] > 0.6
    assert figures(scene, *replay(file, tmp_path / "out")[1:])[0] < 0.5
    seeds.write_text("nobody\n")
    with pytest.raises(CommandError, match=r"None of the raters named in seeds\.txt"):
        replay(file, tmp_path / "out", "--seeds", seeds)


GOOD = "rater_id,item_id,rating\na,x,1\nb,x,5\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("rater_id,item_id,rating\n", "has no ratings"),
        ("rater_id,rating\na,1\n", "has no column item_id. It has: rater_id, rating."),
        ("rater_id,item_id,rating,rating\na,x,1,1\n", "more than one column rating"),
        (GOOD + "c,x,good\n", "rating in row 3 is no number: 'good'"),
        (GOOD + "c,x,\n", "rating in row 3 is no number"),
        (GOOD + "c,x,nan\n", "rating in row 3 is no number"),
        (GOOD + "c,x,inf\n", "rating in row 3 is no number"),
        (GOOD + ",x,3\n", "rater_id is empty in row 3"),
        (GOOD + "c," + "y" * 2000 + ",3\n", "item_id in row 3 is longer than 1000 characters"),
        (GOOD + "c,x\n", "is broken"),
        ("rater_id,item_id,rating,timestamp\na,x,1,yesterday\n", "timestamp in row 1 is neither a number nor a date"),
        ("rater_id,item_id,rating,artifacts\na,x,1,none\n", "artifacts in row 1 is no number"),
        ("\x00\x01\x02PK", "is neither CSV nor Parquet"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_plain_words(text, told, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    with pytest.raises(CommandError) as refusal:
        replay(path, tmp_path / "out")
    assert told in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_other_refusals(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(GOOD)
    for arguments, told in (
        (("--scale", 1, 4), "1 ratings are not on the scale 1 to 4; the first: 'b' rated 'x' with 5"),
        (("--scale", 5, 1), "the lower end first"),
        (("--batch", 0), "--batch"),
    ):
        with pytest.raises(CommandError, match=told.replace("(", r"\(")):
            replay(path, tmp_path / "out", *arguments)
    with pytest.raises(CommandError, match="There is no file"):
        replay(tmp_path / "nowhere.csv", tmp_path / "out")
    for name in ("a.parquet", "a.csv.gz"):
        (tmp_path / name).write_bytes(b"no such thing" * 10)
        with pytest.raises(CommandError, match=f"{name} (is broken|cannot be read)"):
            replay(tmp_path / name, tmp_path / "out")


@pytest.mark.parametrize(
    "text",
    [
        "rater_id,item_id,rating\na,x,3\n",
        "\ufeffrater_id;item_id;rating\r\na;x;3\r\nb;x;4\r\n",
        "rater_id\titem_id\trating\n99999999999999999999999999\t-1\t3\n1\t1\t2.5\n",
        'rating,item_id,rater_id\n3,"a, b\nc",ä\n4,"a, b\nc",b\n',
        "rater_id,item_id,rating,timestamp\na,x,3,2026-05-01T12:00:00Z\nb,x,4,2026-05-01T11:00:00Z\n",
        "rater_id,item_id,rating\n" + "".join(f"{n},x,3\n" for n in range(50)),
    ],
    ids=["one row", "semicolons and a mark", "huge ids and tabs", "quotes and other letters", "dates", "all the same"],
)
def test_small_and_odd_files_work(text, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(text, encoding="utf-8", newline="")
    _, raters, scores = replay(path, tmp_path / "out", "--batch", 1)
    assert {row["state"] for row in raters} == {"new"}
    assert all(np.isfinite(float(row["score"])) for row in scores)


def test_rating_an_item_again_counts_the_last(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(GOOD + "a,x,5\n")
    told, _, scores = replay(path, tmp_path / "out")
    assert "1 ratings were left out" in told
    assert scores[0]["n"] == "2"
    assert float(scores[0]["mean"]) == 5


def test_it_runs_without_any_server(tmp_path):
    (tmp_path / "ratings.csv").write_text(GOOD)
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {"VAR_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "config.settings.local"}
    done = subprocess.run(
        [sys.executable, "manage.py", "replay_ratings", str(tmp_path / "ratings.csv"), "--out", str(tmp_path / "out")],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 ratings of 1 items by 2 raters" in done.stdout
    assert not (tmp_path / "var" / "postgres").exists()
