"""The questions in the language of whoever is asked. What is stored is the version, which knows no language."""

from dataclasses import replace

from django.utils.translation import gettext as _

from ratings.scales import COMPARISON_SCALES, SCALES, ComparisonScale, Level, Scale


def get_scale(version: int) -> Scale:
    """Return the two questions in the language that is spoken now."""
    scale = SCALES[version]
    return replace(
        scale,
        aesthetic_question=_(scale.aesthetic_question),
        aesthetic_low=_(scale.aesthetic_low),
        aesthetic_middle=_(scale.aesthetic_middle),
        aesthetic_high=_(scale.aesthetic_high),
        artifacts_question=_(scale.artifacts_question),
        artifacts=tuple(Level(level.value, _(level.word), _(level.meaning)) for level in scale.artifacts),
    )


def get_comparison_scale(version: int) -> ComparisonScale:
    """Return the question of a comparison in the language that is spoken now."""
    scale = COMPARISON_SCALES[version]
    return replace(scale, question=_(scale.question), tie=_(scale.tie), all_bad=_(scale.all_bad))
