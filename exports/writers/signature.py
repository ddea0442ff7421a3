"""Signatures of releases in the format of minisign, so that anybody's minisign, or `verify.py`, checks them.

The key is made from the secret SIGNING_KEY, as a seed of Ed25519 (RFC 8032). What is signed is the BLAKE2b-512 of a
file; a second signature covers the first and the trusted comment, which names the release.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_ALGORITHM, SIGNATURE_ALGORITHM = b"Ed", b"ED"
KEY_BYTES = 2 + 8 + 32
UNTRUSTED = "untrusted comment: "
TRUSTED = "trusted comment: "


class BadSignature(Exception):
    """A signature is damaged, of another file, or of a key that is not trusted."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, and the eight bytes by which signatures name it."""

    key_id: bytes
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key that minisign writes as 56 characters of Base64. Raises ValueError."""
        content = base64.b64decode(text, validate=True)
        if len(content) != KEY_BYTES or content[:2] != KEY_ALGORITHM:
            raise ValueError(f"{text!r} is no public key of minisign.")
        return cls(content[2:10], content[10:])

    def __str__(self) -> str:
        return base64.b64encode(KEY_ALGORITHM + self.key_id + self.raw).decode()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs releases; the same secret always makes the same key."""

    private: Ed25519PrivateKey
    public: PublicKey

    @classmethod
    def from_secret(cls, secret: str) -> Self:
        private = Ed25519PrivateKey.from_private_bytes(hmac.digest(secret.encode(), b"signature of releases", "sha256"))
        raw = private.public_key().public_bytes_raw()
        return cls(private, PublicKey(hashlib.blake2b(raw, digest_size=8).digest(), raw))

    def sign(self, content: bytes, *, comment: str) -> str:
        """Return the text of a .minisig file."""
        signature = self.private.sign(hashlib.blake2b(content).digest())
        of_all = self.private.sign(signature + comment.encode())
        first = base64.b64encode(SIGNATURE_ALGORITHM + self.public.key_id + signature).decode()
        return (
            f"{UNTRUSTED}signature by {self.public}\n{first}\n{TRUSTED}{comment}\n{base64.b64encode(of_all).decode()}\n"
        )


def check_signature(content: bytes, text: str, trusted: list[PublicKey]) -> str:
    """Return the trusted comment of a signature of ``content``. Raises BadSignature."""
    try:
        _, first, comment, last = text.splitlines()
        signed, of_all = (base64.b64decode(line, validate=True) for line in (first, last))
    except ValueError as error:
        raise BadSignature("The signature is damaged.") from error
    keys = [key for key in trusted if key.key_id == signed[2:10]]
    if not keys:
        raise BadSignature("The signature is of a key that is not known here.")
    comment = comment.removeprefix(TRUSTED)
    public = Ed25519PublicKey.from_public_bytes(keys[0].raw)
    try:
        public.verify(signed[10:], hashlib.blake2b(content).digest())
        public.verify(of_all, signed[10:] + comment.encode())
    except InvalidSignature as error:
        raise BadSignature("The signature is not of this file.") from error
    return comment
