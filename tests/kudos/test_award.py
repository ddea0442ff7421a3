"""What answers of AI Horde are taken for, whatever they are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.outgoing import Reply
from kudos.award import ANSWER_LENGTH, HordeAward, NullAward, Verdict, current_award, read_answer, read_user

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("awarded"), inner, max_size=3),
    max_leaves=6,
)
bodies = st.binary(max_size=400) | anything.map(lambda value: json.dumps(value).encode())


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {"awarded": 50}, Verdict.AWARDED),
        (200, {"awarded": 50.0}, Verdict.AWARDED),
        (200, {"awarded": 50, "message": "more"}, Verdict.AWARDED),
        (201, {"awarded": 50}, Verdict.UNCLEAR),
        (200, {"awarded": 49}, Verdict.UNCLEAR),
        (200, {"awarded": "50"}, Verdict.UNCLEAR),
        (200, {"awarded": None}, Verdict.UNCLEAR),
        (200, {}, Verdict.UNCLEAR),
        (200, [], Verdict.UNCLEAR),
        (200, [0, "Target user is suspicious."], Verdict.REFUSED),
        (200, [False, "Target user is suspicious."], Verdict.UNCLEAR),
        (200, [50, "done"], Verdict.UNCLEAR),
        (200, [{"awarded": None}, {"awarded": 50}], Verdict.UNCLEAR),
        (400, {"message": "Cannot award anon."}, Verdict.REFUSED),
        (400, {"message": ""}, Verdict.UNCLEAR),
        (400, {"message": {"a": 1}}, Verdict.UNCLEAR),
        (408, {"message": "Request timeout"}, Verdict.UNCLEAR),
        (303, {"message": "See other"}, Verdict.UNCLEAR),
        (503, {"message": "Down"}, Verdict.UNCLEAR),
        (429, [], Verdict.LATER),
    ],
)
def test_an_answer_is_taken_for_what_it_surely_says(status, body, verdict):
    assert read_answer(Reply(status, json.dumps(body).encode()), 50).verdict is verdict


@pytest.mark.parametrize("body", [b"", b"null", b"[" * 100_000, b"1" * 5000, b'{"awarded": NaN}', b"\xff\xfe"])
def test_nonsense_is_unclear(body):
    assert read_answer(Reply(200, body), 50).verdict is Verdict.UNCLEAR


@given(status=st.integers(min_value=100, max_value=599), body=bodies, amount=st.integers(min_value=1, max_value=2**62))
def test_whatever_is_answered_is_read_and_can_be_stored(status, body, amount):
    answer = read_answer(Reply(status, body), amount)
    assert len(answer.text) <= ANSWER_LENGTH
    assert answer.text.isprintable()
    answer.text.encode()
    if answer.verdict is Verdict.AWARDED:
        assert json.loads(body)["awarded"] == amount
        assert status == 200
    standing = read_user(Reply(status, body))
    assert standing.kudos is None or abs(standing.kudos) < 2**63


def test_a_message_is_cut_and_freed_of_what_cannot_be_stored():
    body = json.dumps({"message": "\x00\ud800\n" + "x" * 1000}).encode()
    answer = read_answer(Reply(400, body), 5)
    assert answer.text == "x" * ANSWER_LENGTH
    assert answer.verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    ("url", "key", "kind"),
    [("", "", NullAward), ("https://horde.example", "", NullAward), ("https://horde.example", "k", HordeAward)],
)
def test_without_a_key_nobody_is_paid(settings, url, key, kind):
    settings.HORDE_URL, settings.HORDE_AWARD_KEY = url, key
    assert type(current_award()) is kind


def test_nobody_gives_nothing():
    nobody = NullAward()
    assert nobody.is_resting()
    assert nobody.give(username="painter#7", amount=5).verdict is Verdict.LATER
    assert not nobody.read_standing(external_id="7").is_reachable
