"""The signed token of a set that was handed out: which images, in which order, to whom and when.

Lease id (16; a UUIDv7), set id (16), scale version (1), then two to four image ids (16 each), and the first 16 bytes of
an HMAC-SHA256 over those and the holder, in base64url. A set that was drawn for one caller is nowhere else before it
is answered.
"""

import uuid
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ratings.leases.token import Issued, LeaseInvalid, check_age, seal, unseal
from ratings.models import key_of_images

FEWEST, MOST = 2, 4
HEAD_BYTES = 33
ID_BYTES = 16
KIND = b"kudoscope set lease v1:"


@dataclass(frozen=True, slots=True)
class SetLease(Issued):
    """A set shown to a holder, ``image_ids`` in the order shown."""

    set_id: uuid.UUID
    image_ids: tuple[uuid.UUID, ...]
    scale_version: int

    @property
    def images_key(self) -> uuid.UUID:
        return key_of_images(self.image_ids)


def sign_set_lease(lease: SetLease, holder: str) -> str:
    """Return the token of a lease for its holder."""
    head = lease.lease_id.bytes + lease.set_id.bytes + bytes([lease.scale_version])
    return seal(head + b"".join(image_id.bytes for image_id in lease.image_ids), holder, kind=KIND)


def verify_set_lease(token: str, *, holder: str, now_ms: int) -> SetLease:
    """Return what a token says. Raises LeaseInvalid."""
    payload = unseal(token, holder, kind=KIND)
    head, tail = payload[:HEAD_BYTES], payload[HEAD_BYTES:]
    count, rest = divmod(len(tail), ID_BYTES)
    if rest or not FEWEST <= count <= MOST:
        raise LeaseInvalid(_("The lease cannot be read."))
    image_ids = tuple(uuid.UUID(bytes=tail[at : at + ID_BYTES]) for at in range(0, len(tail), ID_BYTES))
    lease = SetLease(uuid.UUID(bytes=head[:16]), uuid.UUID(bytes=head[16:32]), image_ids, head[32])
    check_age(issued_ms=lease.issued_ms, now_ms=now_ms)
    return lease
