"""Camps of taste: people who see the images otherwise than most, and agree with each other as people do."""

from dataclasses import replace

import numpy as np

from ratings.stats.consensus import Draft, reach_consensus, solve
from ratings.stats.evidence import Habits, weigh_blind
from ratings.stats.facts import Facts, find_facts
from ratings.stats.levels import Flags, Levels, sums
from ratings.stats.parameters import KINDS
from ratings.stats.population import LEAST_TO_TELL
from ratings.stats.rows import Ratings
from ratings.stats.weighing import correlate

# Evidence that a suspect varies with the other suspects: one in twenty who do not look at most has as much.
LEAST_EVIDENCE = float(np.log(20.0))
LEAST_RATERS = 5
# Weight of others on an image from which they say something of it.
LEAST_OTHERS = 0.3
# Who agrees more than people do, by so many standard deviations, is no camp but a ring.
MOST_ABOVE_PEOPLE = 3.0
# Camps are mistaken for these; who copies, repeats one answer or has changed does that in whatever company.
MISTAKEN_FOR = [KINDS.index("blind"), KINDS.index("uniform")]


def find_camp(draft: Draft, facts: Facts, levels: Levels) -> Flags:
    """Return which of those who seem not to look agree with each other: the same fit, of their ratings alone."""
    parameters = draft.parameters
    suspects = draft.p_honest < 0.5
    if suspects.sum() < LEAST_RATERS:
        return np.zeros(facts.rater_count, dtype=np.bool_)
    rows = suspects[facts.rater]
    ratings = Ratings(
        image=facts.image[rows],
        rater=facts.rater[rows],
        value=levels.from_steps(facts.value[rows]),
        image_count=facts.image_count,
        rater_count=facts.rater_count,
    )
    among = find_facts(ratings, levels)
    alone = solve(among, levels)
    habits = _where_others_speak(alone, among)
    agrees = weigh_blind(habits, alone.parameters) > LEAST_EVIDENCE
    most = parameters.honest_z + MOST_ABOVE_PEOPLE * np.sqrt(parameters.honest_z_sd**2 + habits.variance)
    is_mistaken = np.isin(draft.posterior.suspicion.argmax(axis=0), MISTAKEN_FOR)
    return np.asarray(suspects & is_mistaken & agrees & (habits.z < most) & (habits.information >= LEAST_TO_TELL))


def _where_others_speak(draft: Draft, facts: Facts) -> Habits:
    """Return habits whose correlation is that over images which others among them have rated."""
    consensus = reach_consensus(draft, facts)
    speaks = (consensus.others_weight > LEAST_OTHERS).astype(np.float64)
    x, y, rater, raters = consensus.others, facts.value, facts.rater, facts.rater_count
    parts = (speaks, x * speaks, y * speaks, x * x * speaks, y * y * speaks, x * y * speaks)
    count, *moments = (sums(rater, part, raters) for part in parts)
    return replace(draft.habits, information=count, z=correlate(count, *moments))
