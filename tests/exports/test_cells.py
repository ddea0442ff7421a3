"""Nobody is one of few: what is withheld, from whom, and in which order."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.privacy.cells import UNKNOWN, Values, withhold


def codes(*values):
    return np.array(values, np.int64)


def told(attributes, withheld):
    """Return what each rater looks like from outside."""
    return [
        tuple(UNKNOWN if withheld[rater] > place else int(column[rater]) for place, column in enumerate(attributes))
        for rater in range(len(withheld))
    ]


def test_who_resembles_enough_others_keeps_everything():
    assert withhold([codes(1, 1, 1), codes(2, 2, 2)], beside=codes(0, 0, 0), smallest=3).tolist() == [0, 0, 0]


def test_the_first_attribute_goes_first():
    attributes = [codes(1, 1, 2, 3), codes(5, 5, 5, 5)]
    assert withhold(attributes, beside=codes(0, 0, 0, 0), smallest=2).tolist() == [0, 0, 1, 1]


def test_two_who_agree_in_the_second_alone_are_not_told_the_first():
    attributes = [codes(1, 2, 1, 1), codes(7, 7, 8, 8)]
    assert withhold(attributes, beside=codes(0, 0, 0, 0), smallest=2).tolist() == [1, 1, 0, 0]


def test_a_withheld_value_looks_like_an_unknown_one():
    attributes = [codes(1, UNKNOWN), codes(5, 5)]
    assert withhold(attributes, beside=codes(0, 0), smallest=2).tolist() == [1, 1]


def test_who_is_alone_even_so_loses_the_pseudonym():
    assert withhold([codes(1, 1, 1)], beside=codes(0, 0, 1), smallest=2).tolist() == [0, 0, 2]


def test_nobody_is_nobody():
    assert withhold([codes()], beside=codes(), smallest=5).tolist() == []


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.booleans(), *[st.integers(UNKNOWN, 2)] * 3), max_size=60),
)
def test_every_cell_is_large_enough_and_nothing_is_withheld_without_need(smallest, rows):
    beside, *attributes = [codes(*(int(row[place]) for row in rows)) for place in range(4)]
    withheld = withhold(attributes, beside=beside, smallest=smallest)
    named = [place for place, count in enumerate(withheld) if count <= 3]
    looks = list(zip(beside.tolist(), told(attributes, withheld), strict=True))
    sizes = Counter(looks)
    assert all(sizes[looks[rater]] >= smallest for rater in named)
    # A rater with nobody withheld would have had to share all values with enough others.
    full = Counter(rows)
    assert all(full[rows[rater]] < smallest for rater, count in enumerate(withheld) if count)


@pytest.mark.parametrize("smallest", [1, 2, 3])
def test_a_value_of_few_raters_is_told_of_nobody(smallest):
    values = Values(smallest)
    values.add(pa.array([["DE"], ["DE", "FR"], [None]], pa.list_(pa.string())), first=0)
    values.add(pa.array([[], ["FR", "DE", None], ["NZ"]], pa.list_(pa.string())), first=3)
    found = values.settle(6).tolist()
    assert values.common == {1: {"DE", "FR", "NZ"}, 2: {"DE", "FR"}, 3: {"DE"}}[smallest]
    assert found[2] == found[3] == UNKNOWN
    assert found[1] == found[4] != UNKNOWN
    assert (found[0] == found[1]) is (smallest == 3)
    assert (found[5] == UNKNOWN) is (smallest > 1)
