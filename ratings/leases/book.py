"""The live leases, in Valkey: half an hour each.

They keep images from being over-served, let old clients, who send only an image's id, be matched with
what they were shown, and keep anybody from fishing for images.

Keys, all under ``kudoscope:``
    open:<holder>             sorted set of "<image hex><lease hex><dataset hex>" by time of ending (ms)
    image:<image hex>         sorted set of lease hex by time of ending: how often the image is out just now
    took:<holder>             hash: leases taken and ratings given within a day of the first
    cursor:<shelf>:<holder>   how far this holder's scan has come, and whether it has found nothing yet
    exhausted:<shelf>:<holder>  this holder has rated all there is (a minute long)
    crowd:<address>           sorted set like open:, of all browsers without an account at one address
    tail:<dataset>            set of image ids: the last open images of a nearly finished dataset
    finished:<dataset>        there is no open image
    groups:<holder>           list of the groups of the last ten images handed out, newest first; "-" for none
    set:<images key>          what a set that is out was made of (as long as a lease)

A shelf is a dataset, or with a hash behind it a part of one: one model's images, or those of a class that is not safe.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from accounts.valkey import Script, ask_valkey
from ratings.leases.token import LIVE_MS, LeaseKind, new_lease_id

MAX_OPEN = 20
# Leases that one may take in a day without rating: this many, and this many more for each rating given.
FREE_LEASES = 200
LEASES_PER_RATING = 5
DAY_SECONDS = 24 * 3600
# Who has taken too many without rating, and holds none, gets one a minute.
TRICKLE_MS = 60 * 1000
# A browser without a cookie is a new holder each time; all of an address together hold so many and no more.
MAX_OPEN_OF_CROWD = 120
EXHAUSTED_SECONDS = 60
# So many images come between two of one group.
PLACES_APART = 10
GRANT, AGAIN, FORGET = (Script(Path(__file__).with_name(f"{name}.lua")) for name in ("grant", "again", "forget"))


@dataclass(frozen=True, slots=True)
class Grant:
    """What the book gave: (image, lease) pairs; ``is_full`` when the holder may take nothing new just now.

    ``near_count`` images were left because one of their group was handed out shortly before.
    """

    pairs: tuple[tuple[uuid.UUID, uuid.UUID], ...]
    is_full: bool
    near_count: int


@dataclass(frozen=True, slots=True)
class SelectionState:
    """What Valkey knows before images are picked."""

    is_exhausted: bool
    cursor: int | None
    is_dry: bool
    tail: tuple[uuid.UUID, ...]
    tail_size: int
    groups: tuple[str, ...]
    held: tuple[uuid.UUID, ...]
    """Leases that the holder has not answered."""


def read_selection_state(
    *, holder: str, dataset_id: uuid.UUID, shelf: str, sample_size: int, now_ms: int
) -> SelectionState:
    """Return marker, cursor, a sample of the tail pool, the groups handed out last and what is held, in one round trip.

    ``sample_size`` is 0 for a shelf that the pool has nothing of: the pool and its marker are of safe images.
    """
    marker = [_finished_key(dataset_id)] if sample_size else []

    def read(valkey: Any) -> list[Any]:
        pipe = valkey.pipeline(transaction=False)
        pipe.exists(_exhausted_key(holder, dataset_id, shelf), *marker)
        pipe.get(_cursor_key(holder, dataset_id, shelf))
        pipe.srandmember(_tail_key(dataset_id), sample_size)
        pipe.scard(_tail_key(dataset_id))
        pipe.lrange(_groups_key(holder), 0, PLACES_APART - 1)
        pipe.zrange(_open_key(holder), now_ms, "+inf", byscore=True)
        return list(pipe.execute())

    exhausted, cursor, tail, tail_size, groups, held = ask_valkey("read_selection_state", read)
    position, _, dry = (cursor or b"").partition(b":")
    return SelectionState(
        bool(exhausted),
        int(position) if position else None,
        dry == b"dry",
        tuple(uuid.UUID(bytes=member) for member in tail or ()),
        tail_size if sample_size else 0,
        tuple(group.decode() for group in groups),
        tuple(_pair_of(member)[1] for member in held),
    )


def grant_leases(
    *,
    holder: str,
    crowd: str,
    dataset_id: uuid.UUID,
    candidates: Sequence[tuple[uuid.UUID, int, int | None]],
    count: int,
    places_apart: int,
    now_ms: int,
    dice: Random,
    kind: LeaseKind = LeaseKind.RATING,
) -> Grant:
    """Lease up to ``count`` of the candidates (image, ratings still needed, group), atomically.

    Passed over are images this holder has already, images that are out as often as they need ratings, and those of a
    group that was among the last ``places_apart`` images. ``crowd`` names the address whose browsers without an
    account share a limit, or is "".
    """
    keys = [_open_key(holder), _took_key(holder), _crowd_key(crowd), _groups_key(holder)]
    args: list[str | int] = [now_ms, LIVE_MS, count, MAX_OPEN, FREE_LEASES, LEASES_PER_RATING, DAY_SECONDS]
    args += [dataset_id.hex, MAX_OPEN_OF_CROWD if crowd else 0, TRICKLE_MS, places_apart, PLACES_APART]
    for image_id, need, group in candidates:
        keys.append(_image_key(image_id))
        args += [
            image_id.hex,
            new_lease_id(now_ms=now_ms, dice=dice, kind=kind).hex,
            need,
            "-" if group is None else group,
        ]
    members, is_full, near_count = GRANT.run("grant_leases", keys, args)
    pairs = tuple(_pair_of(member) for member in members)
    return Grant(pairs, bool(is_full), near_count)


def hand_out_again(
    *, holder: str, dataset_id: uuid.UUID, wanted: Sequence[uuid.UUID] | None, now_ms: int, least_age_ms: int
) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Return the (image, lease) that a holder has held longest, if for ``least_age_ms``, and let it live anew.

    Only images in ``wanted`` are considered, or all of the dataset when it is None.
    """
    if wanted is not None and not wanted:
        return None
    args: list[str | int] = [now_ms, LIVE_MS, least_age_ms, dataset_id.hex, *(image.hex for image in wanted or ())]
    member = AGAIN.run("hand_out_again", [_open_key(holder)], args)
    return _pair_of(member) if member else None


def held_images(*, holder: str, dataset_id: uuid.UUID, now_ms: int) -> list[uuid.UUID]:
    """Return the images of a dataset that a holder holds, longest held first."""
    members: Any = ask_valkey(
        "held_images", lambda valkey: valkey.zrange(_open_key(holder), now_ms, "+inf", byscore=True)
    )
    return [_pair_of(member)[0] for member in members if member[64:].decode() == dataset_id.hex]


def find_live_lease(*, holder: str, image_id: uuid.UUID, now_ms: int) -> uuid.UUID | None:
    """Return the live lease of an image, for clients that send only the image's id."""
    members: Any = ask_valkey(
        "find_lease", lambda valkey: valkey.zrange(_open_key(holder), now_ms, "+inf", byscore=True)
    )
    return next((lease for image, lease in map(_pair_of, members) if image == image_id), None)


def forget_lease(
    *, holder: str, crowd: str, image_id: uuid.UUID, lease_id: uuid.UUID, dataset_id: uuid.UUID, is_rated: bool
) -> None:
    """Take a lease off the book: it was used, or given back."""
    member = image_id.hex + lease_id.hex + dataset_id.hex
    keys = [_open_key(holder), _image_key(image_id), _took_key(holder), _crowd_key(crowd)]
    args: list[str | int] = [member, lease_id.hex, int(is_rated), DAY_SECONDS, int(bool(crowd))]
    FORGET.run("forget_lease", keys, args)


def remember_sets(made_of: Mapping[uuid.UUID, bytes]) -> None:
    """Keep for as long as a lease lives what sets that are handed out, by their images' key, are made of."""

    def remember(valkey: Any) -> None:
        pipe = valkey.pipeline(transaction=False)
        for images_key, ids in made_of.items():
            pipe.set(_set_key(images_key), ids, px=LIVE_MS)
        pipe.execute()

    ask_valkey("remember_sets", remember)


def recall_set(images_key: uuid.UUID) -> bytes | None:
    """Return what a set that is out is made of, and let it live on; None when it is forgotten."""
    made_of: Any = ask_valkey("recall_set", lambda valkey: valkey.getex(_set_key(images_key), px=LIVE_MS))
    return bytes(made_of) if made_of else None


def read_tail_sample(*, dataset_id: uuid.UUID, size: int) -> tuple[bool, list[uuid.UUID]]:
    """Return whether a dataset has no open image, and a sample of the pool of its last ones, if it has a pool."""

    def read(valkey: Any) -> list[Any]:
        pipe = valkey.pipeline(transaction=False)
        pipe.exists(_finished_key(dataset_id))
        pipe.srandmember(_tail_key(dataset_id), size)
        return list(pipe.execute())

    is_finished, tail = ask_valkey("read_tail_sample", read)
    return bool(is_finished), [uuid.UUID(bytes=member) for member in tail or ()]


def save_cursor(*, holder: str, dataset_id: uuid.UUID, shelf: str, position: int, is_dry: bool) -> None:
    """Remember how far this holder's scan has come, and whether it has found nothing so far."""
    key, value = _cursor_key(holder, dataset_id, shelf), f"{position}:{'dry' if is_dry else 'wet'}"
    ask_valkey("save_cursor", lambda valkey: valkey.set(key, value, ex=DAY_SECONDS))


def mark_exhausted(*, holder: str, dataset_id: uuid.UUID, shelf: str) -> None:
    """Remember for a minute that this holder has rated all there is, so that nobody scans to find out again.

    After that a new pass begins, so that images which came since are found.
    """

    def mark(valkey: Any) -> None:
        pipe = valkey.pipeline(transaction=False)
        pipe.set(_exhausted_key(holder, dataset_id, shelf), 1, ex=EXHAUSTED_SECONDS)
        pipe.delete(_cursor_key(holder, dataset_id, shelf))
        pipe.execute()

    ask_valkey("mark_exhausted", mark)


def replace_tail(*, dataset_id: uuid.UUID, image_ids: Iterable[uuid.UUID], is_finished: bool, seconds: int) -> None:
    """Set the pool of the last open images of a dataset, or that it has none.

    Both lapse by themselves when nobody renews them.
    """
    members = [image_id.bytes for image_id in image_ids]

    def replace(valkey: Any) -> None:
        pipe = valkey.pipeline(transaction=True)
        pipe.delete(_tail_key(dataset_id))
        if members:
            pipe.sadd(_tail_key(dataset_id), *members)
            pipe.expire(_tail_key(dataset_id), seconds)
        if is_finished:
            pipe.set(_finished_key(dataset_id), 1, ex=seconds)
        else:
            pipe.delete(_finished_key(dataset_id))
        pipe.execute()

    ask_valkey("replace_tail", replace)


def read_tail(*, dataset_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the whole pool of the last open images."""
    members: Any = ask_valkey("read_tail", lambda valkey: valkey.smembers(_tail_key(dataset_id)))
    return [uuid.UUID(bytes=member) for member in members]


def _pair_of(member: bytes) -> tuple[uuid.UUID, uuid.UUID]:
    text = member.decode()
    return uuid.UUID(hex=text[:32]), uuid.UUID(hex=text[32:64])


def _crowd_key(crowd: str) -> str:
    return f"kudoscope:crowd:{crowd}"


def _finished_key(dataset_id: uuid.UUID) -> str:
    return f"kudoscope:finished:{dataset_id.hex}"


def _groups_key(holder: str) -> str:
    return f"kudoscope:groups:{holder}"


def _set_key(images_key: uuid.UUID) -> str:
    return f"kudoscope:set:{images_key.hex}"


def _open_key(holder: str) -> str:
    return f"kudoscope:open:{holder}"


def _took_key(holder: str) -> str:
    return f"kudoscope:took:{holder}"


def _image_key(image_id: uuid.UUID) -> str:
    return f"kudoscope:image:{image_id.hex}"


def _shelf(dataset_id: uuid.UUID, name: str) -> str:
    if not name:
        return dataset_id.hex
    # Names come from clients: hashed, they are short and hold no separator.
    return f"{dataset_id.hex}-{hashlib.blake2b(name.encode(), digest_size=8).hexdigest()}"


def _cursor_key(holder: str, dataset_id: uuid.UUID, shelf: str) -> str:
    return f"kudoscope:cursor:{_shelf(dataset_id, shelf)}:{holder}"


def _exhausted_key(holder: str, dataset_id: uuid.UUID, shelf: str) -> str:
    return f"kudoscope:exhausted:{_shelf(dataset_id, shelf)}:{holder}"


def _tail_key(dataset_id: uuid.UUID) -> str:
    return f"kudoscope:tail:{dataset_id.hex}"
