"""Signatures: anybody's minisign accepts them, and nothing else passes."""

from contextlib import suppress

import minisign
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.writers import reader
from exports.writers.signature import BadSignature, PublicKey, SigningKey, check_signature

KEY = SigningKey.from_secret("a secret of the tests, longer than fifty characters, never used")
OTHER = SigningKey.from_secret("another secret of the tests, longer than fifty characters too")
CONTENT = b"0123  data/ratings/part-00000.parquet\n"
SIGNED = KEY.sign(CONTENT, comment="harbours 2026-02-01")


def test_it_works():
    assert check_signature(CONTENT, SIGNED, [OTHER.public, KEY.public]) == "harbours 2026-02-01"


def test_an_implementation_of_others_accepts_it(tmp_path):
    file = tmp_path / "SHA256SUMS"
    file.write_bytes(CONTENT)
    (tmp_path / "SHA256SUMS.minisig").write_text(SIGNED)
    key = minisign.PublicKey.from_base64(str(KEY.public))
    signature = minisign.Signature.from_file(tmp_path / "SHA256SUMS.minisig")
    key.verify_file(file, signature)
    file.write_bytes(CONTENT + b" ")
    with pytest.raises(minisign.VerifyError):
        key.verify_file(file, signature)


def test_one_secret_makes_one_key():
    assert SigningKey.from_secret("x" * 50).public == SigningKey.from_secret("x" * 50).public
    assert PublicKey.parse(str(KEY.public)) == KEY.public
    assert len(str(KEY.public)) == 56


@pytest.mark.parametrize(
    ("content", "text", "keys", "words"),
    [
        (CONTENT + b"x", SIGNED, [KEY.public], "not of this file"),
        (CONTENT, SIGNED.replace("2026-02-01", "2026-02-02"), [KEY.public], "not of this file"),
        (CONTENT, SIGNED, [OTHER.public], "not known here"),
        (CONTENT, SIGNED, [], "not known here"),
        (CONTENT, "", [KEY.public], "damaged"),
        (CONTENT, SIGNED + "more\n", [KEY.public], "damaged"),
        (CONTENT, SIGNED.replace("R", "!"), [KEY.public], "damaged"),
    ],
    ids=["other file", "other comment", "other key", "no key", "empty", "too long", "no base64"],
)
def test_nothing_else_passes(content, text, keys, words):
    assert check_signature(CONTENT, SIGNED, [KEY.public])
    with pytest.raises(BadSignature, match=words):
        check_signature(content, text, keys)


@pytest.mark.parametrize("text", ["", "nonsense", "UldRPT0=", "A" * 56])
def test_a_public_key_is_one(text):
    with pytest.raises(ValueError, match=r"public key|base64|padding"):
        PublicKey.parse(text)


@given(message=st.binary(max_size=200), place=st.integers(0, 511))
def test_the_reader_of_a_release_agrees_with_the_library(message, place):
    """`verify.py` computes by itself what needs a library elsewhere; one bit changed, and it refuses."""
    signature = KEY.private.sign(message)
    assert reader.is_signed(KEY.public.raw, message, signature)
    changed = bytearray(signature)
    changed[place // 8] ^= 1 << place % 8
    with suppress(reader.NotAsPublished):  # What is no point of the curve is refused as well.
        assert not reader.is_signed(KEY.public.raw, message, bytes(changed))
