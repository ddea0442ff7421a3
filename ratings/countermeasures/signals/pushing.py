"""Image targeting: raters who lift or sink the same images to an end of the scale, and may be honest elsewhere."""

import numpy as np

from ratings.countermeasures.signals.answers import Measured, nothing
from ratings.countermeasures.signals.evidence import log_tail
from ratings.stats.consensus import solve
from ratings.stats.facts import find_facts
from ratings.stats.levels import Floats, Ints, Levels
from ratings.stats.pushing import find_pushes
from ratings.stats.rows import make_ratings

KIND = "pushing"
LEAST_ANSWERS = 20
# Answers are whole numbers.
HALF = 0.5
# Extreme answers meet by chance as well: so often at least, and twice as often as with most raters.
LEAST_RATE, MOST_RATERS = 2e-3, 0.75


def measure_pushing(rater: Ints, image: Ints, value: Floats, levels: Levels) -> Measured:
    """Return how many pushes each rater took part in: extreme answers to images that have improbably many of those.

    Reckoned from all answers of a dataset, as the fit from scratch is, and as dear.
    """
    if len(rater) < LEAST_ANSWERS:
        return nothing(KIND)
    ids, index = np.unique(rater, return_inverse=True)
    images, place = np.unique(image, return_inverse=True)
    ratings = make_ratings(place, index, value, image_count=len(images), rater_count=len(ids))
    facts = find_facts(ratings, levels)
    draft = solve(facts, levels)
    count = np.bincount(index, minlength=len(ids)).astype(float)
    events, evidence, rate = np.zeros(len(ids)), np.zeros(len(ids)), np.full(len(ids), LEAST_RATE)
    for is_up, end in ((True, levels.high), (False, levels.low)):
        pushes = find_pushes(draft, facts, levels, is_up=is_up)
        took_part = pushes.is_pushed[place] & (np.abs(value - end) < HALF)
        these = np.bincount(index[took_part], minlength=len(ids)).astype(float)
        usual = _usual(these, count)
        # Where an image is lifted, those who answer honestly look as if they sank it: each way is held by itself.
        found = np.where(count >= LEAST_ANSWERS, np.maximum(log_tail(these, count, usual) - np.log(2.0), 0.0), 0.0)
        events, rate = np.where(found > evidence, these, events), np.where(found > evidence, usual, rate)
        evidence = np.maximum(found, evidence)

    def tell(at: int) -> str:
        of = f"{events[at]:.0f} of {count[at]:.0f} answers are extreme"
        return f"{of}, to images to which others gave the same extreme against the rest; {rate[at]:.1%} is usual here."

    return Measured(KIND, ids, events, evidence, count.astype(np.int64), tell)


def _usual(events: Floats, count: Floats) -> float:
    """Return how often extreme answers meet by chance, from the three quarters of raters to whom it happens least."""
    order = np.argsort(events / count, kind="stable")[: max(int(MOST_RATERS * len(count)), 1)]
    return max(2 * float(events[order].sum() / count[order].sum()), LEAST_RATE)
