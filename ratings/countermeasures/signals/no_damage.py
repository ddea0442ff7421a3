"""Artifacts always 0, on images in which others see damage."""

import numpy as np

from ratings.countermeasures.signals.answers import Answers, Groups, Measured
from ratings.countermeasures.signals.evidence import log_ratio_of_always

KIND = "no_damage"
# From this mean of the others on, an image is damaged to most eyes.
DAMAGED = 2.0
LEAST_IMAGES = 10
# People differ in what they call damage: as if we had seen each of them on this many images.
STRENGTH = 4.0
MOST, LEAST = 0.6, 0.05


def measure_no_damage(answers: Answers, groups: Groups) -> Measured:
    """Return how many damaged images each rater called flawless."""
    with np.errstate(invalid="ignore"):
        shown = np.isfinite(answers.artifacts) & (answers.others_artifacts >= DAMAGED)
    flawless = shown & (answers.artifacts == 0)
    zeros, count = groups.total(flawless.astype(float)), groups.total(shown.astype(float))
    known = count >= LEAST_IMAGES
    usual = float(np.clip(np.median(zeros[known] / count[known]), LEAST, MOST)) if known.any() else MOST
    evidence = log_ratio_of_always(zeros, count, (usual * STRENGTH, (1 - usual) * STRENGTH))

    def tell(at: int) -> str:
        of = f"{zeros[at]:.0f} of {count[at]:.0f} images that others find damaged"
        return f"No artifacts in {of}; {usual:.0%} is usual here."

    return Measured(
        KIND,
        groups.ids,
        zeros / np.maximum(count, 1.0),
        np.where(known, evidence, 0.0),
        count.astype(np.int64),
        tell,
    )
