"""Low entropy: one value, or one of two, nearly always, where the others use more of the scale."""

import numpy as np

from ratings.countermeasures.signals.answers import Answers, Groups, Measured, nothing
from ratings.countermeasures.signals.evidence import beta_of, log_ratio_of_always

KIND = "sameness"
LEAST_ANSWERS = 20


def measure_sameness(answers: Answers, groups: Groups) -> Measured:
    """Return each rater's entropy in bits, and how much likelier their commonest values are to be all they give.

    How often people give their commonest value, or the two, is told by the other raters of the dataset: where nearly
    all images deserve the same, that is no sign of anything.
    """
    given = np.flatnonzero(np.isfinite(answers.aesthetic))
    if not len(given):
        return nothing(KIND)
    index, value = groups.index[given], answers.aesthetic[given].astype(np.int64)
    size, width = len(groups.ids), int(value.max()) + 1
    levels = np.bincount(index * width + value, minlength=size * width).reshape(size, width).astype(float)
    count = levels.sum(axis=1)
    ordered = np.sort(levels, axis=1)[:, ::-1]
    evidence = np.zeros(size)
    for most in (1, 2):
        hits = ordered[:, :most].sum(axis=1)
        known = count >= LEAST_ANSWERS
        people = beta_of(hits[known] / count[known], least_spread=0.1, most=0.9)
        # The commonest value is known from the answers themselves, so it has one hit for nothing.
        evidence = np.maximum(evidence, log_ratio_of_always(hits - most, np.maximum(count - most, 0), people))
    evidence = np.where(count >= LEAST_ANSWERS, np.maximum(evidence - np.log(2.0), 0.0), 0.0)
    share = levels / np.maximum(count, 1.0)[:, None]
    entropy = np.abs(np.where(share > 0, share * np.log2(np.where(share > 0, share, 1.0)), 0.0).sum(axis=1))
    top = levels.argmax(axis=1)
    middle = float(np.median(entropy))

    def tell(at: int) -> str:
        often = f"{ordered[at, 0]:.0f} of {count[at]:.0f} answers are {top[at]}"
        return f"{often}; the answers carry {entropy[at]:.1f} bits, where {middle:.1f} are usual here."

    return Measured(KIND, groups.ids, entropy, evidence, count.astype(np.int64), tell)
