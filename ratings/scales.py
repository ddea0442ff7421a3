"""The two questions in words. A version is stored with every rating and never changes once used."""

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


# The meanings follow the texts that ArtBot and stable-ui showed in 2023, so that the answers stay comparable.
SCALES = {
    1: Scale(
        version=1,
        aesthetic_question="How much do you like this image?",
        aesthetic_low="not at all",
        aesthetic_middle="it is all right",
        aesthetic_high="one of the best",
        artifacts_question="How badly is it flawed?",
        artifacts=(
            Level(0, "None", "flawless"),
            Level(1, "Faint", "small flaws, hardly recognisable"),
            Level(2, "Slight", "easily spotted, but harmless"),
            Level(3, "Obvious", "obvious, mildly harmful"),
            Level(4, "Harmful", "obvious, significantly harmful"),
            Level(5, "Ruined", "the image is ruined"),
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
        question="Which of these images is the best?",
        tie="Two or more are equally good",
        all_bad="All of them are bad",
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
