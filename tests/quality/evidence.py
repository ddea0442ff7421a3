"""The bets on each rater over final scores, rating by rating: what they would say, were every image complete."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.bets import ban_value, bet, running_sum, trust_value
from ratings.stats.facts import first_of_group
from ratings.stats.sequential import Events, bet_on_habits, standardize
from ratings.stats.special import normal_quantile
from tests.quality.live import play

# Images whose true score is in the outer fifth on either side are gold.
OUTER = 0.2


@dataclass
class Bets:
    """ln of both e-values after each rating; `place` is which rating of its rater it is, from 1."""

    rater: np.ndarray
    place: np.ndarray
    trust: np.ndarray
    ban: np.ndarray
    is_spam: np.ndarray

    def crossed_at(self, name, threshold):
        """Return after how many ratings each rater first reached a threshold; infinite where never."""
        first = np.full(len(self.is_spam), np.inf)
        is_over = getattr(self, name) >= np.log(threshold)
        np.minimum.at(first, self.rater[is_over], self.place[is_over])
        return first


def run_bets(scene, *, with_gold=False):
    """Return the bets of a scene on the scores of the others, or on the true scores of its gold images."""
    state = play(scene)
    rows = np.arange(state.rows.size)
    image, rater = state.images.ids[state.rows.image[rows]], state.rows.rater[rows]
    rows = rows[np.lexsort((rows, rater))]
    truth = scene.truth[image]
    if with_gold:
        low, high = np.quantile(scene.truth, (OUTER, 1 - OUTER))
        rows = rows[((truth < low) | (truth > high))[rows]]
    rater = state.rows.rater[rows]
    everything = np.ones(len(rows), dtype=bool)
    events = Events(rows, rater, is_new=everything, is_judged=everything, start=first_of_group(rater))
    state.raters.hits[:] = state.raters.trials[:] = 0.0
    x, y = standardize(state, events)
    if with_gold:
        x = normal_quantile((np.argsort(np.argsort(truth[rows], kind="stable")) + 0.5) / len(rows))
    trust, looking = (running_sum(part, events.start) for part in bet(x, y, state.parameters))
    uniform, flat = (running_sum(part, events.start) for part in bet_on_habits(state, events))
    is_spam = scene.is_spam[state.raters.ids[: state.raters.size]]
    place = np.arange(len(rows)) - events.start + 1
    return Bets(rater, place, trust_value(trust), ban_value(looking, uniform, flat), is_spam)
