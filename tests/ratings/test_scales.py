"""The wording of a scale is part of the answers: it is said in the reader's language, kept in none, and never changes."""

from django.utils import translation

from exports.writers.card import _scale_text
from ratings.queries.scales import get_comparison_scale, get_scale
from ratings.scales import COMPARISON_SCALES, SCALES

GERMAN_1 = (
    ("Wie gut gefällt dir dieses Bild?", "gar nicht", "ganz in Ordnung", "eines der besten"),
    ("Wie schwer sind seine Fehler?", ["Keine", "Kaum", "Leicht", "Mittel", "Schwer", "Ruiniert"]),
    ("Welches dieser Bilder ist das beste?", "Zwei oder mehr sind gleich gut", "Alle sind schlecht"),
)


def words_of(scale, comparison):
    return (
        (scale.aesthetic_question, scale.aesthetic_low, scale.aesthetic_middle, scale.aesthetic_high),
        (scale.artifacts_question, [level.word for level in scale.artifacts]),
        (comparison.question, comparison.tie, comparison.all_bad),
    )


def test_a_version_has_its_words_for_good():
    """Once it was used. Better words are a new version, in every language."""
    with translation.override("de"):
        assert words_of(get_scale(1), get_comparison_scale(1)) == GERMAN_1
        assert words_of(SCALES[1], COMPARISON_SCALES[1])[0][0] == "How much do you like this image?"
    with translation.override("en"):
        assert get_scale(1) == SCALES[1]
        assert get_comparison_scale(1) == COMPARISON_SCALES[1]


def test_a_release_says_what_was_asked_in_each_language():
    with translation.override("de"):  # whatever the process that builds it speaks
        text = _scale_text(1)
    assert text.startswith("Scale version 1. `aesthetic`: “How much do you like this image?” 1 (not at all), 10")
    assert "On pages in Deutsch (de): `aesthetic`: “Wie gut gefällt dir dieses Bild?” 1 (gar nicht), 10" in text
    assert "0 keine (fehlerlos); 1 kaum" in text
