"""The whole of it on a service that runs, between the first account and the last figure."""

from ratings.tasks import maintain_nurseries_task
from tests.quality.real import load
from tests.simulation.cast import KINDS, make_players, make_schedule, true_scores
from tests.simulation.crowd import play
from tests.simulation.ending import finish
from tests.simulation.figures import measure
from tests.simulation.report import find_misses
from tests.simulation.stage import set_stage


def load_pool(name):
    """Return the real ratings of that name; "" is the London faces, or the generated set where they are not."""
    pool = load(name or "london")
    if pool is None and name:
        raise SystemExit(f"The ratings of {name} are not here: KUDOSCOPE_DATA names their folder.")
    return pool or load("made")


def simulate(base_url, *, pool, honest, scripts, ratings, pace, seed, kinds=KINDS, say=print):
    """Play a run against a service that is up, and return its outcome."""
    players = make_players(pool, seed=seed, honest=honest, scripts=scripts, ratings=ratings, kinds=kinds)
    schedule = make_schedule(players, seed=seed)
    stage = set_stage(true_scores(pool), players, seed=seed)
    say(f"{len(stage.subjects):,} images, {len(players)} accounts; {len(schedule):,} answers are wanted.")
    maintain_nurseries_task()

    def between(so_far):
        say(so_far)
        # Every ten minutes on a site, where an evening of rating takes longer than here.
        maintain_nurseries_task.delay()

    diary = play(base_url, players, stage, schedule, pace=pace, between=between)
    say("Waiting for scores, the fit from scratch, quarantines and rewards.")
    finish(stage.dataset_id)
    options = {
        "ratings": pool.name,
        "honest": honest,
        "scripts": scripts,
        "each": ratings,
        "pace": pace,
        "seed": seed,
        "kinds": list(kinds),
    }
    outcome = measure(players, stage, diary, options)
    outcome.misses = list(find_misses(outcome))
    return outcome
