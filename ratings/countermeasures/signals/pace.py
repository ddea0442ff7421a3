"""Too fast: answers that come sooner after the picture than one can see it, decide and press."""

import numpy as np

from ratings.countermeasures.signals.answers import INPUTS, Answers, Groups, Measured
from ratings.countermeasures.signals.evidence import log_tail

# Seeing what is in a picture takes some 150 ms, and a choice among ten as long again at the very least; a pointer has
# to travel too. Practised people with a keyboard take 400 ms and more.
FLOOR_MS = {"": 250.0, "keyboard": 250.0, "pointer": 300.0, "touch": 250.0, "pen": 300.0, "mixed": 250.0}
# Where the client measures nothing: from handing out to the answer, with the way of the picture to it.
FLOOR_ELAPSED_MS = 350.0
# A key that was meant for the picture before, or pressed twice.
SLIPS = 0.05


def measure_pace(answers: Answers, groups: Groups) -> Measured:
    """Return how many of each rater's answers came too fast; slips are allowed for."""
    is_timed = np.isfinite(answers.answer_ms)
    floors = np.array([FLOOR_MS[name] for name in INPUTS])
    with np.errstate(invalid="ignore"):
        is_fast = np.where(is_timed, answers.answer_ms < floors[answers.input], answers.elapsed_ms < FLOOR_ELAPSED_MS)
    known = is_timed | np.isfinite(answers.elapsed_ms)
    fast, count = groups.total((is_fast & known).astype(float)), groups.total(known.astype(float))

    def tell(at: int) -> str:
        return f"{fast[at]:.0f} of {count[at]:.0f} answers came sooner than one can look and press."

    share = fast / np.maximum(count, 1.0)
    return Measured("pace", groups.ids, share, log_tail(fast, count, SLIPS), count.astype(np.int64), tell)
