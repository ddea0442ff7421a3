"""The two questions in words. A version is stored with every rating and never changes once used.

The words are English, as releases explain the numbers; what a page shows is `ratings.queries.scales`, in its language.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """One answer: its number, its word, and what the word means."""

    value: int
    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Scale:
    """How the questions are asked: wording, order (left to right) and direction."""

    version: int
    aesthetic_question: str
    aesthetic_low: str
    aesthetic_middle: str
    aesthetic_high: str
    artifacts_question: str
    artifacts: tuple[Level, ...]

    @property
    def aesthetic_values(self) -> range:
        return range(1, 11)


def gettext_noop(text: str) -> str:
    """Return the text as it is; by the name of this function the catalogues of translations find it."""
    return text


# The meanings follow the texts that ArtBot and stable-ui showed in 2023, so that the answers stay comparable.
SCALES = {
    1: Scale(
        version=1,
        aesthetic_question=gettext_noop("How much do you like this image?"),
        aesthetic_low=gettext_noop("not at all"),
        aesthetic_middle=gettext_noop("it is all right"),
        aesthetic_high=gettext_noop("one of the best"),
        artifacts_question=gettext_noop("How badly is it flawed?"),
        artifacts=(
            Level(0, gettext_noop("None"), gettext_noop("flawless")),
            Level(1, gettext_noop("Faint"), gettext_noop("small flaws, hardly recognisable")),
            Level(2, gettext_noop("Slight"), gettext_noop("easily spotted, but harmless")),
            Level(3, gettext_noop("Obvious"), gettext_noop("obvious, mildly harmful")),
            Level(4, gettext_noop("Harmful"), gettext_noop("obvious, significantly harmful")),
            Level(5, gettext_noop("Ruined"), gettext_noop("the image is ruined")),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class ComparisonScale:
    """How a comparison is asked for: the question, and what may be said instead of one image."""

    version: int
    question: str
    tie: str
    all_bad: str


COMPARISON_SCALES = {
    1: ComparisonScale(
        version=1,
        question=gettext_noop("Which of these images is the best?"),
        tie=gettext_noop("Two or more are equally good"),
        all_bad=gettext_noop("All of them are bad"),
    )
}
COMPARISON_VERSION = max(COMPARISON_SCALES)

# The artifact levels by the names that some clients send instead of numbers, in the order of the scale.
ARTIFACT_NAMES = {
    name: value
    for value, name in enumerate(
        ("FLAWLESS", "LITTLE_FLAWS", "SOME_FLAWS", "OBVIOUS_FLAWS", "HARMFUL_FLAWS", "GARBAGE")
    )
}
