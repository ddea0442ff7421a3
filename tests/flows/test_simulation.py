"""Honest raters and scripts against the whole service: `make simulate`, in small."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from ratings.models import Rating
from tests.flows.conftest import running
from tests.quality.real import load
from tests.simulation.cast import HONEST, make_players, make_schedule, true_scores
from tests.simulation.crowd import Client, Diary, play
from tests.simulation.report import lines_of
from tests.simulation.simulation import simulate
from tests.simulation.stage import SLUG, set_stage

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scheduled_service(monkeypatch, request, tmp_path):
    """The whole service with its schedule, whose default dataset is the simulation's."""
    monkeypatch.setenv("DEFAULT_DATASET", SLUG)
    base_url = request.getfixturevalue("service")
    beat = ["celery", "-A", "config", "beat", "-l", "warning", "--schedule", str(tmp_path / "schedule")]
    with running(beat, tmp_path / "beat.log"):
        yield base_url


def test_scripts_earn_nothing_and_honest_people_are_paid(scheduled_service, adds_up):
    said = []
    outcome = simulate(
        scheduled_service,
        pool=load("made"),
        honest=20,
        scripts=6,
        ratings=40,
        pace=80,
        seed=3,
        kinds=("lowest", "constant"),
        say=said.append,
    )

    assert outcome.acknowledged == outcome.stored == 26 * 40, outcome.statuses
    assert (outcome.lost, outcome.unexpected, outcome.paid_too_early, outcome.violations) == (0, {}, 0, [])
    honest, *scripts = outcome.kinds
    assert (honest.kind, honest.raters, [script.kind for script in scripts]) == (HONEST, 20, ["lowest", "constant"])
    for script in scripts:
        assert (script.states, script.kudos_paid, script.counted_share) == ({"quarantined": 3}, 0, 0.0), script.kind
        # The e-value of one who always says the same passes a thousand after some two dozen answers.
        assert 10 <= script.answers_until_caught <= 40
    assert outcome.honest_ever_held <= 2
    # Some are still new after forty answers; which of them, is the service's own chance.
    assert honest.kudos_paid > 0.25 * 5 * honest.answers
    correlation = {name: figures.correlation for name, figures in outcome.scores.items()}
    assert correlation["engine"] > correlation["plain mean of all answers"]
    assert any("Every promise" in line or "MISSED" in line for line in lines_of(outcome))
    assert said
    adds_up()


def test_a_client_waits_and_works_as_it_is_told(monkeypatch, request):
    """One answer in two seconds with a key, two without any before work is to be proven: every answer arrives."""
    monkeypatch.setenv("DEFAULT_DATASET", SLUG)
    monkeypatch.setenv("LIMITS", '{"rating": [3, 2, 2], "without_proof_crowd": [3, 36000, 2]}')
    base_url = request.getfixturevalue("service")
    pool = load("made")
    players = make_players(pool, seed=1, honest=4, scripts=1, ratings=5)
    stage = set_stage(true_scores(pool), players, seed=1)
    stage.keys[0] = "0000000000"

    diary = play(base_url, players[:2], stage, make_schedule(players[:2], seed=1), pace=1000, between=print)

    assert [sum(given.player == number for given in diary.given) for number in (0, 1)] == [5, 5]
    assert diary.statuses["honest", "answer", 403] >= 4
    assert Rating.objects.count() == 10


def test_what_nobody_should_meet_is_unexpected(db):
    diary, [player] = Diary(), make_players(load("made"), seed=1, honest=1, scripts=0, ratings=1)
    for status in (201, 403, 404, 429, 503, 500, 502, 400, 401, 0):
        diary.count(player, "answer", status)
    assert {key[2] for key in diary.unexpected()} == {500, 502, 400, 401, 0}


def test_whom_nobody_answers_gives_up(monkeypatch, db):
    """A service that is away is asked again and again, and then that turn is over; nothing is counted as given."""
    pool = load("made")
    players = make_players(pool, seed=1, honest=1, scripts=0, ratings=1)
    stage = set_stage(true_scores(pool), players, seed=1)
    monkeypatch.setattr("tests.simulation.crowd.PAUSE_SECONDS", 0.0)

    async def knock():
        async with httpx.AsyncClient(base_url="http://127.0.0.1:1") as http:
            diary = Diary()
            await Client(http, players[0], stage, 0, diary).take_turn()
            return diary

    with ThreadPoolExecutor(1) as pool:
        diary = pool.submit(asyncio.run, knock()).result()
    assert diary.given == []
    assert diary.without_image == 1
    assert diary.statuses == {("honest", "take", 0): 8}
