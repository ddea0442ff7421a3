"""The number by which old clients and moderators speak of somebody, and the way back.

A user of AI Horde keeps their number there, the shared anonymous key is 0 as it was there, and everybody else is
1,000,000,000 and the id of their identity: more than AI Horde will ever count.
"""

from accounts.models import Identity, IdentityKind

SHARED_NUMBER = 0
OURS_FROM = 1_000_000_000
LARGEST_NUMBER = 2**63 - 1
ANONYMOUS_KINDS = {IdentityKind.SHARED_KEY, IdentityKind.BROWSER}


def number_of(*, kind: str, external_id: str, identity_id: int) -> int:
    """Return the public number of an identity."""
    if kind == IdentityKind.SHARED_KEY:
        return SHARED_NUMBER
    if kind == IdentityKind.HORDE and external_id.isdecimal():
        return int(external_id)
    return OURS_FROM + identity_id


def name_with_number(*, kind: str, external_id: str, identity_id: int, name: str, username: str | None) -> str:
    """Return ``name#number``: the name that AI Horde shows, the user's own, or what kind of identity it is."""
    number = number_of(kind=kind, external_id=external_id, identity_id=identity_id)
    if kind in ANONYMOUS_KINDS:
        return f"anonymous#{number}"
    shown = name.rpartition("#")[0] or name if kind == IdentityKind.HORDE else username or name
    return f"{shown or kind}#{number}"


def find_identity_by_number(*, number: int) -> Identity | None:
    """Return the identity of a public number, if there is one."""
    if not SHARED_NUMBER <= number <= LARGEST_NUMBER:
        return None
    if number == SHARED_NUMBER:
        return Identity.objects.filter(kind=IdentityKind.SHARED_KEY).first()
    if number < OURS_FROM:
        return Identity.objects.filter(kind=IdentityKind.HORDE, external_id=str(number)).first()
    others = Identity.objects.exclude(kind__in=[IdentityKind.HORDE, IdentityKind.SHARED_KEY])
    return others.filter(pk=number - OURS_FROM).first()
