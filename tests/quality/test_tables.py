"""What docs/quality.md claims, on a few scenes of each table; `make bench BENCH_ARGS=quality` is the whole."""

import pytest

from tests.quality.expected import DETECTION, DETECTION_SLACK, SCORE_SLACK, SCORES
from tests.quality.measure import TABLE_KINDS, mean_of, measure_kinds
from tests.quality.real import load


def get_pool(name):
    pool = load(name)
    if pool is None:
        pytest.skip("the real ratings are not here: ../shared/data beside the checkout, or KUDOSCOPE_DATA")
    return pool


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("name", ["london", "movielens"])
def test_scores_are_as_good_as_the_table(name, share):
    correlation, error, worst = SCORES[name, share]
    found = measure_kinds(get_pool(name), share, seeds=(1,))
    assert mean_of(found, "correlation") >= correlation * (1 - SCORE_SLACK)
    assert mean_of(found, "error") <= error * (1 + SCORE_SLACK)
    assert min(figures.correlation for figures in found.values()) >= worst * (1 - 2 * SCORE_SLACK)
    assert mean_of(found, "covered") >= 0.93
    if share <= 0.2:
        assert mean_of(found, "effective") == pytest.approx(1.0, abs=0.12)  # one seed; .1 over several


@pytest.mark.parametrize("each", [20, 50])
def test_detection_is_as_good_as_the_table(each):
    auc, recall = DETECTION[each]
    kinds = [kind for kind in TABLE_KINDS if kind != "sleeper" or each >= 50]
    found = measure_kinds(get_pool("london"), 0.2, seeds=(0, 1), kinds=kinds, each=each)
    assert mean_of(found, "auc") >= auc - DETECTION_SLACK
    assert mean_of(found, "recall") >= recall - DETECTION_SLACK


@pytest.mark.parametrize("name", ["made", "london", "movielens"])
def test_who_always_answers_the_same_is_found_by_15_ratings(name):
    found = measure_kinds(get_pool(name), 0.2, seeds=(3,), kinds=("constant", "lowest"), each=15)
    assert min(figures.recall for figures in found.values()) >= 0.97


@pytest.mark.parametrize("kind", ["uniform", "marginal", "constant", "permute", "sleeper", "mix"])
def test_scores_stay_near_those_of_the_honest_rows_alone(kind):
    """On the generated set, so that it is shown where the real ones are not."""
    for share, slack in ((0.2, 0.015), (0.4, 0.03)):
        figures = measure_kinds(load("made"), share, seeds=(5,), kinds=(kind,), with_oracle=True)[kind]
        assert figures.correlation >= figures.oracle - slack
        assert figures.covered >= 0.93
        assert figures.auc >= (0.6 if kind == "sleeper" else 0.85)
