"""Whatever happens to ratings, and however they are taken, scores are what the rows say.

A process that was there all along is held against one that reads the rows anew. What is derived from rows (who rated
what, how often) and what is stored (e-values) has to be the same; scores may differ by a few hundredths until the next
fit, because an update puts a weight into the sums only when it has moved by a tenth (docs/quality.md, "While ratings
come in"), and after a fit from scratch by nothing.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.access import account_caller
from ratings.models import RaterScore, Rating, RatingChange, ScoreCursor, Task
from ratings.rewards import current_prices
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.revising import RatingRevision, revise_rating
from ratings.services.scoring import consumer, memory, recompute_scores
from ratings.services.voiding import restore_ratings, void_ratings
from tests.people import make_person, now
from tests.ratings.services.scoring_crowd import POLICY, Crowd

IMAGES, PEOPLE = 9, 6
# Of scores on a scale of ten, before a fit; see above.
LAG = 0.3

step = st.one_of(
    st.tuples(st.just("rate"), st.integers(0, PEOPLE - 1), st.integers(1, IMAGES)),
    st.tuples(st.just("void"), st.integers(0, 99), st.integers(1, 6)),
    st.tuples(st.just("restore"), st.integers(0, 99), st.integers(1, 6)),
    st.tuples(st.just("revise"), st.integers(0, 99), st.integers(1, 10)),
    st.tuples(st.just("quarantine"), st.integers(0, PEOPLE - 1), st.just(0)),
    st.tuples(st.just("release"), st.integers(0, PEOPLE - 1), st.just(0)),
    st.tuples(st.just("take"), st.integers(1, 20), st.just(0)),
    st.tuples(st.just("crash"), st.integers(1, 20), st.just(0)),
    st.tuples(st.just("new process"), st.just(0), st.just(0)),
    st.tuples(st.just("fit"), st.just(0), st.just(0)),
)


class Died(Exception):
    """The process ends here."""


class History:
    """A dataset to which things happen."""

    def __init__(self):
        self.crowd = Crowd(images=IMAGES, people=PEOPLE)
        self.moderator = make_person().user
        self.given = [0] * PEOPLE

    def rows(self, place, count):
        ids = list(Rating.objects.filter(dataset=self.crowd.dataset).order_by("id").values_list("id", flat=True))
        return [ids[(place + step) % len(ids)] for step in range(min(count, len(ids)))]

    def rate(self, who, count):
        start = self.given[who]
        images = self.crowd.images[start : start + count]
        self.given[who] += len(images)
        out = self.crowd.raters[who]
        out.refresh_from_db()
        if images:
            state = "quarantined" if out.state == "quarantined" else "counted"
            self.crowd.rate(out, images, state=state)

    def decide(self, what, place, count):
        about = {"by": self.moderator, "reason": "because", "now": now()}
        if what in {"quarantine", "release"}:
            decide = quarantine_rater if what == "quarantine" else end_quarantine
            decide(rater_id=self.crowd.raters[place].pk, **about)
        elif ids := self.rows(place, count):
            (void_ratings if what == "void" else restore_ratings)(rating_ids=ids, **about)

    def revise(self, place, value):
        for pk in self.rows(place, 1):
            row = Rating.objects.select_related("rater__identity").get(pk=pk)
            if row.state == "counted":
                caller = account_caller(row.rater.identity.user_id, row.rater.identity_id, "a" * 32)
                revision = RatingRevision(value, 1)
                revise_rating(caller=caller, rated=pk, revision=revision, prices=current_prices(), now=now())

    def crash(self, size):
        def die(**_):
            raise Died

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(consumer, "move_raters", die)
            try:
                self.crowd.take(batch_size=size)
            except Died:
                return

    def happen(self, what, first, second):
        match what:
            case "rate":
                self.rate(first, second)
            case "void" | "restore" | "quarantine" | "release":
                self.decide(what, first, second)
            case "revise":
                self.revise(first, second)
            case "take":
                self.crowd.take(batch_size=first)
            case "crash":
                self.crash(first)
            case "new process":
                memory.forget_states(self.crowd.dataset.pk)
            case "fit":
                recompute_scores(dataset_id=self.crowd.dataset.pk, policy=POLICY, now=now())

    def finish(self):
        while not self.crowd.take(batch_size=7).is_all:
            pass

    def states(self):
        """Return each question's state as it was kept, and as the rows tell it."""
        cursor = ScoreCursor.objects.get(pk=self.crowd.dataset.pk)
        with memory.borrow_states(cursor=cursor, policy=POLICY) as kept:
            for task, state in kept.items():
                yield state, memory.restore_state(cursor=cursor, task=task, policy=POLICY)
        cursor.save(update_fields=["version"])


def assert_same(kept, anew, *, tolerance):
    """Images and raters by their ids: what is derived, what is stored, and scores within the tolerance."""
    raters = [np.argsort(state.raters.ids[: state.raters.size]) for state in (kept, anew)]
    images = [np.argsort(state.images.ids[: state.images.size]) for state in (kept, anew)]
    pairs = [(state, r, i) for state, r, i in zip((kept, anew), raters, images, strict=True)]
    for read in (
        lambda state, r, _i: state.raters.ids[r],
        lambda state, r, _i: state.rater_results(r).count,
        lambda state, r, _i: state.raters.is_silent[r],
    ):
        np.testing.assert_array_equal(read(*pairs[0]), read(*pairs[1]))
    for name in ("trust", "ban", "change"):
        one, other = (getattr(state.e_values(r), name) for state, r, _ in pairs)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9, err_msg=name)
    live = [{i: n for i, n in zip(s.images.ids[at], s.image_results(at).count, strict=True) if n} for s, _, at in pairs]
    assert live[0] == live[1]
    score = [
        {i: s.image_results(np.array([a])).score[0] for a, i in zip(at, s.images.ids[at], strict=True)}
        for s, _, at in pairs
    ]
    for pk in live[0]:
        assert score[0][pk] == pytest.approx(score[1][pk], abs=tolerance), pk


class ScoresTest(TestCase):
    @settings(max_examples=12)
    @given(st.lists(step, min_size=5, max_size=30))
    def test_scores_are_what_the_rows_say(self, steps):
        history = History()
        history.rate(0, IMAGES)
        for one in steps:
            history.happen(*one)
        history.finish()
        assert not RatingChange.objects.filter(dataset=history.crowd.dataset).exists()
        for kept, anew in history.states():
            assert_same(kept, anew, tolerance=LAG)
        self.assert_each_answer_once(history)
        recompute_scores(dataset_id=history.crowd.dataset.pk, policy=POLICY, now=now())
        for kept, anew in history.states():
            assert_same(kept, anew, tolerance=1e-9)

    def assert_each_answer_once(self, history):
        rows = Rating.objects.filter(dataset=history.crowd.dataset, state__in=["counted", "quarantined"])
        given = {rater.pk: rows.filter(rater=rater).count() for rater in history.crowd.raters}
        taken = RaterScore.objects.filter(dataset=history.crowd.dataset, task=Task.AESTHETIC)
        for rater_id, count in taken.values_list("rater_id", "rating_count"):
            assert count == given[rater_id]
