"""Signals are measured of those who answer, kept beside them with a sentence, and move nobody."""

from datetime import timedelta

import pytest

from ratings.models import Rater, RaterSignal, RaterTransition, Rating, ScoreCursor
from ratings.services import signals
from ratings.services.scoring import carry_out_quarantines
from ratings.services.signals import KEPT_BEFORE, measure_pushes, measure_signals
from tests.people import make_person, now
from tests.ratings.services.scoring_crowd import POLICY, Crowd

pytestmark = pytest.mark.slow
# An answer takes people a second and more, and a pause before the next.
PACE_MS, PAUSE = 1400, timedelta(seconds=7)


@pytest.fixture
def crowd(db):
    """Twelve people who answer at their own pace, from addresses of their own."""
    crowd = Crowd()
    for number, rater in enumerate(crowd.raters):
        answer(crowd, rater, begin=timedelta(minutes=11 * number), address_hash=f"{number:032x}")
    return crowd


def answer(crowd, rater, values=None, *, begin=timedelta(), pause=PAUSE, jitter=3.0, **fields):
    """Let a rater answer every image, ``values`` round and round, or else as an honest person."""
    given = iter(values * 100) if values else None
    say = (lambda _image: next(given)) if given else None
    rows = crowd.rate(rater, answer=say, **{"answer_ms": PACE_MS, "input_kind": "keyboard"} | fields)
    start = now() - timedelta(hours=6) + begin
    for number, row in enumerate(rows):
        row.created_at = start + number * pause + timedelta(seconds=crowd.dice.uniform(0, jitter))
        row.issued_at = row.created_at - timedelta(seconds=2)
    Rating.objects.bulk_update(rows, ["created_at", "issued_at"])
    return rows


def newcomer():
    return Rater.objects.get(identity_id=make_person().identity_id)


def measure(crowd):
    crowd.take()
    return measure_signals(dataset_id=crowd.dataset.pk, now=now())


def striking(*raters):
    found = RaterSignal.objects.filter(is_striking=True)
    found = found.filter(rater__in=raters) if raters else found
    return sorted(found.values_list("kind", flat=True))


def test_people_who_look_have_none(crowd, adds_up):
    measure(crowd)
    assert list(RaterSignal.objects.all()) == []
    adds_up()


SCRIPTS = [
    ("pace", {"answer_ms": 90}),
    ("pace", {"answer_ms": None, "input_kind": "", "issued": 0.05}),
    ("runs", {"values": [2] * 20 + [5] * 20 + [8] * 20}),
    ("sameness", {"values": [7]}),
    ("sameness", {"values": [5, 6]}),
    ("pattern", {"values": [1, 4, 7, 10, 7, 4]}),
]


@pytest.mark.parametrize(("kind", "how"), SCRIPTS, ids=[f"{kind}-{at}" for at, (kind, _) in enumerate(SCRIPTS)])
def test_a_script_is_told_apart(crowd, kind, how):
    script, issued = newcomer(), how.get("issued")
    rows = answer(crowd, script, **{name: value for name, value in how.items() if name != "issued"})
    if issued is not None:
        for row in rows:
            row.issued_at = row.created_at - timedelta(seconds=issued)
        Rating.objects.bulk_update(rows, ["issued_at"])
    measure(crowd)
    assert kind in striking(script)
    assert striking(*crowd.raters) == []
    signal = RaterSignal.objects.get(rater=script, kind=kind)
    assert signal.sentence.endswith(".")
    assert signal.answer_count == 60
    assert signal.struck_at is not None


def test_artifacts_are_never_seen_where_others_see_them(crowd):
    script = newcomer()
    crowd.rate(script, artifacts=0)
    measure(crowd)
    assert striking(script) == ["no_damage"]
    assert "images that others find damaged" in RaterSignal.objects.get(rater=script).sentence


def test_one_who_echoes_another_is_in_lock_step(crowd):
    first, second = newcomer(), newcomer()
    rows = answer(crowd, first, begin=timedelta(hours=4))
    echo = answer(crowd, second, begin=timedelta(hours=4))
    for row, heard in zip(echo, rows, strict=True):
        row.created_at = heard.created_at + timedelta(milliseconds=crowd.dice.uniform(0, 300))
    Rating.objects.bulk_update(echo, ["created_at"])
    measure(crowd)
    assert striking() == ["lockstep", "lockstep"]
    assert f"rater {first.pk}" in RaterSignal.objects.get(rater=second).sentence


def test_two_who_rate_in_one_evening_are_not(crowd):
    pair = newcomer(), newcomer()
    for rater in pair:
        answer(crowd, rater, begin=timedelta(hours=4), address_hash="f" * 32)
    measure(crowd)
    assert striking() == []


@pytest.mark.parametrize(("people", "is_striking"), [(5, False), (16, True)], ids=["a family", "many"])
def test_many_new_raters_at_one_address(crowd, people, is_striking):
    raters = [newcomer() for _ in range(people)]
    for rater in raters:
        crowd.rate(rater, crowd.images[:3], address_hash="f" * 32)
    measure(crowd)
    found = RaterSignal.objects.filter(kind="address", is_striking=True)
    assert found.count() == people * is_striking


def test_who_was_trusted_and_answers_otherwise(crowd):
    crowd.take()
    rater = crowd.raters[-1]
    assert Rater.objects.get(pk=rater.pk).state == "trusted"
    rater.scores.filter(task="aesthetic").update(change=12.0)
    measure_signals(dataset_id=crowd.dataset.pk, now=now())
    assert striking() == ["change"]


def test_who_pushes_the_same_images(crowd):
    low = sorted(crowd.images, key=lambda image: crowd.quality[image.pk])[:5]
    ring = [newcomer() for _ in range(5)]
    for rater in ring:
        crowd.rate(rater, low, answer=lambda _image: 10)
        crowd.rate(rater, [image for image in crowd.images if image not in low])
    crowd.take()
    measure_pushes(dataset_id=crowd.dataset.pk, now=now())
    assert striking(*ring) == ["pushing"] * 5
    assert striking(*crowd.raters) == []


def test_signals_alone_move_nobody(crowd, adds_up):
    """Every kind at its worst, of somebody whose answers follow the images."""
    measure(crowd)
    rater = crowd.raters[-1]
    before = list(RaterTransition.objects.values_list("id", flat=True))
    for kind, _label in RaterSignal._meta.get_field("kind").choices:
        RaterSignal.objects.create(
            rater=rater,
            dataset=crowd.dataset,
            kind=kind,
            value=1,
            log_evidence=1e6,
            answer_count=60,
            is_striking=True,
            struck_at=now(),
            measured_at=now(),
        )
    crowd.rate(newcomer())
    crowd.take()
    for is_nightly in (False, True):
        assert carry_out_quarantines(policy=POLICY, now=now(), is_nightly=is_nightly) == 0
    assert Rater.objects.get(pk=rater.pk).state == "trusted"
    assert not RaterTransition.objects.exclude(pk__in=before).filter(rater=rater).exists()
    adds_up()


def test_only_those_are_measured_who_have_answered_since(crowd, monkeypatch):
    measure(crowd)
    seen = []
    find = signals.find_touched
    monkeypatch.setattr(signals, "find_touched", lambda **asked: seen.append(find(**asked)) or seen[-1])
    assert measure(crowd) == 0
    script = newcomer()
    answer(crowd, script, [7])
    measure(crowd)
    assert seen == [[script.pk]]
    cursor = ScoreCursor.objects.get()
    assert cursor.signals_rating_id == cursor.rating_id


def test_what_was_before_is_kept_and_bounded(crowd):
    script = newcomer()
    answer(crowd, script, [7])
    measure(crowd)
    for number in range(KEPT_BEFORE + 3):
        RaterSignal.objects.filter(rater=script).update(past_evidence=[float(number)] * (number % 30 + 1))
        RaterSignal.objects.filter(rater=script).update(past_at=[now()] * (number % 30 + 1))
        ScoreCursor.objects.update(signals_rating_id=0)
        measure_signals(dataset_id=crowd.dataset.pk, now=now())
    signal = RaterSignal.objects.get(rater=script, kind="sameness")
    assert len(signal.past_evidence) == len(signal.past_at) == KEPT_BEFORE + 1
    assert signal.past_evidence[-1] == pytest.approx(signal.log_evidence)
    ScoreCursor.objects.update(signals_rating_id=0)
    measure_signals(dataset_id=crowd.dataset.pk, now=now())
    # Nothing has moved, so nothing is added.
    again = RaterSignal.objects.get(pk=signal.pk)
    assert (again.past_at, again.struck_at) == (signal.past_at, signal.struck_at)
    assert again.measured_at > signal.measured_at


def test_what_has_gone_stands_out_no_more(crowd):
    script = newcomer()
    answer(crowd, script, [7])
    measure(crowd)
    assert striking(script) == ["sameness"]
    for row in Rating.objects.filter(rater=script):
        Rating.objects.filter(pk=row.pk).update(aesthetic=crowd.dice.randint(1, 10))
    ScoreCursor.objects.update(signals_rating_id=0)
    measure_signals(dataset_id=crowd.dataset.pk, now=now())
    signal = RaterSignal.objects.get(rater=script, kind="sameness")
    assert (signal.is_striking, signal.log_evidence < 9.2) == (False, True)
    assert signal.struck_at is not None


def test_the_shared_key_is_nobody_in_particular(crowd):
    shared = newcomer()
    Rater.objects.filter(pk=shared.pk).update(is_shared=True)
    answer(crowd, shared, [7], is_shared=True, address_hash="a" * 32)
    measure(crowd)
    assert not RaterSignal.objects.filter(rater=shared).exists()


def test_a_dataset_without_answers_is_no_trouble(db):
    crowd = Crowd(images=1, people=1)
    assert measure(crowd) == 0
    assert measure_pushes(dataset_id=crowd.dataset.pk, now=now()) == 0
