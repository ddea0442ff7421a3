"""Which images to compare next: a set that there is, or two to four open images of one dataset, drawn for this caller.

1. A toss of the dice says which is tried first: sets that there are, from a random point of their random ids, or new
   ones from a window of open images at a random point of the sampling order, those of one prompt or request first.
2. Sets that the caller, under whichever of their identities, has compared or skipped are left out.
3. One atomic step in Valkey leases what is left, by the key of the images. When the caller may take nothing new, what
   they have held longest is handed out once more. Without Valkey, leases are signed and nothing else.

Nothing is written to PostgreSQL: the token holds the images. The order in which they are shown is shuffled each time.
A set may be compared by as many raters as it comes to; it is no rating, and uses up none that an image needs.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.utils.translation import gettext as _

from accounts.access import Caller
from accounts.metrics import LEASES_GRANTED
from accounts.valkey import ValkeyUnavailable
from ratings.leases import book
from ratings.leases.set_token import FEWEST, MOST, SetLease, sign_set_lease
from ratings.leases.token import new_lease_id
from ratings.models import AdultClass, key_of_images
from ratings.queries.candidates import LARGEST_KEY, SMALLEST_KEY
from ratings.queries.datasets import DatasetForRating
from ratings.queries.set_candidates import (
    OpenImage,
    Place,
    SetImage,
    images_still_shown,
    known_among,
    open_images_among,
    open_images_from,
    open_images_of_groups,
    sets_from,
)
from ratings.scales import COMPARISON_VERSION
from ratings.selection import FORGOTTEN_MS, NoImageLeft, TooManyLeases

MAX_COUNT = 4
WINDOW_SIZE = 32
SET_WINDOW_SIZE = 16
# Of a set with more images that a relay sent, four are drawn from so many.
MOST_OF_KNOWN = 16
ANCHORS = 8
TRIES = 3
SKIPPED_FOR = timedelta(days=30)
# The key of the images is leased as one image is, and is out with as many raters as want it.
UNLIMITED = 1_000_000
NOTHING_LEFT = "There is nothing left for you to compare here. New images may come."


@dataclass(frozen=True, slots=True)
class LeasedSet:
    """A set that was handed out, its images in the order to show, with the token to send back with the answer."""

    set_id: uuid.UUID
    dataset_id: uuid.UUID
    lease: str
    images: tuple[SetImage, ...]
    scale_version: int
    adult_class: str = AdultClass.SAFE.value


@dataclass(frozen=True, slots=True)
class _Proposal:
    set_id: uuid.UUID
    images: tuple[SetImage, ...]

    @property
    def images_key(self) -> uuid.UUID:
        return key_of_images(image.image_id for image in self.images)

    @property
    def made_of(self) -> bytes:
        return self.set_id.bytes + b"".join(image.image_id.bytes for image in self.images)


def lease_sets(
    *,
    caller: Caller,
    dataset: DatasetForRating,
    count: int,
    now: datetime,
    size: int | None = None,
    adult_classes: Sequence[str] = (),
    dice: Random | None = None,
) -> list[LeasedSet]:
    """Lease up to ``count`` sets (1 to 4) to the caller, new ones of ``size`` images (2 to 4, or as the dice say).

    Their images are safe ones, unless the caller asked for others and can blur them: then all are of one class, which
    chance decides as long as each has images left.

    Raises NoImageLeft when there is none, TooManyLeases when the caller takes and does not compare.
    """
    if not dataset.is_open:
        raise NoImageLeft(_("This dataset is not handing out images at the moment."))
    dice = dice or Random()  # noqa: S311 - as for single images
    classes = [AdultClass.SAFE.value, *adult_classes]
    dice.shuffle(classes)
    problem: NoImageLeft | None = None
    for adult_class in classes:
        place = Place(dataset.id, adult_class)
        try:
            return _Draw(caller, place, max(1, min(count, MAX_COUNT)), size, now, dice).lease()
        except NoImageLeft as error:
            problem = error
    raise problem or NoImageLeft(NOTHING_LEFT)


def holder_of_sets(holder: str) -> str:
    """Return under which name a holder's sets are in the book: they are counted apart from single images."""
    return f"sets:{holder}"


def forget_set(*, caller: Caller, holder: str, lease: SetLease, dataset_id: uuid.UUID, is_answered: bool) -> None:
    """Take the lease of a set off the book. Raises ValkeyUnavailable."""
    book.forget_lease(
        holder=holder_of_sets(holder),
        crowd=holder_of_sets(caller.crowd) if caller.crowd else "",
        image_id=lease.images_key,
        lease_id=lease.lease_id,
        dataset_id=dataset_id,
        is_rated=is_answered,
    )


class _Draw:
    """One request for sets."""

    def __init__(self, caller: Caller, place: Place, count: int, size: int | None, now: datetime, dice: Random) -> None:
        self.caller = caller
        self.place = place
        self.count = count
        self.size = size
        self.skipped_since = now - SKIPPED_FOR
        self.now_ms = int(now.timestamp() * 1000)
        self.dice = dice

    def lease(self) -> list[LeasedSet]:
        try:
            return self.lease_from_book()
        except ValkeyUnavailable:
            return self.lease_by_signature()

    def lease_from_book(self) -> list[LeasedSet]:
        is_finished, tail = self._read_tail()
        leased: list[LeasedSet] = []
        for proposals in self._batches(tail, is_finished=is_finished):
            leased += self._grant(proposals, self.count - len(leased))
            if len(leased) >= self.count:
                break
        if leased:
            return leased
        if again := self._again(least_age_ms=FORGOTTEN_MS):
            return again
        raise NoImageLeft(NOTHING_LEFT)

    def lease_by_signature(self) -> list[LeasedSet]:
        chosen = next((some for some in self._batches([], is_finished=False) if some), [])[: self.count]
        if not chosen:
            raise NoImageLeft(NOTHING_LEFT)
        LEASES_GRANTED.labels("signature").inc(len(chosen))
        return [self._sign(some, new_lease_id(now_ms=self.now_ms, dice=self.dice)) for some in chosen]

    def _read_tail(self) -> tuple[bool, list[uuid.UUID]]:
        """Return what is known of the end of the dataset; the pool of its last images has safe ones only."""
        if self.place.adult_class != AdultClass.SAFE:
            return False, []
        return book.read_tail_sample(dataset_id=self.place.dataset_id, size=WINDOW_SIZE)

    def _batches(self, tail: Sequence[uuid.UUID], *, is_finished: bool) -> Iterator[list[_Proposal]]:
        """Yield sets that the caller does not know, a fixed number of windows of them."""
        is_known_first = self.dice.random() < 1 / 2
        if is_known_first:
            yield self._unknown(self._known_sets())
        for _try in range(0 if is_finished else TRIES):
            yield self._unknown(self._new_sets(tail))
        if not is_known_first:
            yield self._unknown(self._known_sets())

    def _known_sets(self) -> list[_Proposal]:
        key = uuid.UUID(int=self.dice.getrandbits(128))
        found = sets_from(caller=self.caller, place=self.place, key=key, size=SET_WINDOW_SIZE, most=MOST_OF_KNOWN)
        proposals = [
            _Proposal(set_id, tuple(self.dice.sample(images, min(len(images), MOST))))
            for set_id, images in found.items()
            if len(images) >= FEWEST
        ]
        self.dice.shuffle(proposals)
        return proposals

    def _new_sets(self, tail: Sequence[uuid.UUID]) -> list[_Proposal]:
        """Draw sets from one window: of images that belong together where there are several, then of what is left."""
        window = self._open_images(tail)
        self.dice.shuffle(window)
        used: set[uuid.UUID] = set()
        keys = list(dict.fromkeys(one.group_key for one in window if one.group_key is not None))[:ANCHORS]
        together = open_images_of_groups(caller=self.caller, place=self.place, groups=keys, size=MOST_OF_KNOWN)
        groups = [*together.values(), [one.image for one in window]]
        return [proposal for group in groups for proposal in self._cut(group, used)]

    def _cut(self, group: list[SetImage], used: set[uuid.UUID]) -> Iterator[_Proposal]:
        """Cut a group of images into sets, each image into one."""
        rest = [image for image in group if image.image_id not in used]
        self.dice.shuffle(rest)
        while len(rest) >= FEWEST:
            size = self.size or self.dice.randint(FEWEST, MOST)
            images, rest = tuple(rest[:size]), rest[size:]
            used.update(image.image_id for image in images)
            yield _Proposal(key_of_images(image.image_id for image in images), images)

    def _open_images(self, tail: Sequence[uuid.UUID]) -> list[OpenImage]:
        if tail:
            return open_images_among(caller=self.caller, place=self.place, image_ids=tail)
        key = self.dice.randint(SMALLEST_KEY, LARGEST_KEY)
        return open_images_from(caller=self.caller, place=self.place, key=key, size=WINDOW_SIZE)

    def _unknown(self, proposals: list[_Proposal]) -> list[_Proposal]:
        if not proposals:
            return []
        pairs = [(proposal.images_key, proposal.set_id) for proposal in proposals]
        known = known_among(caller=self.caller, sets=pairs, skipped_since=self.skipped_since)
        return [proposal for proposal in proposals if proposal.images_key not in known]

    def _grant(self, proposals: list[_Proposal], count: int) -> list[LeasedSet]:
        if not proposals:
            return []
        by_key = {proposal.images_key: proposal for proposal in proposals}
        grant = book.grant_leases(
            holder=holder_of_sets(self.caller.holder),
            crowd=holder_of_sets(self.caller.crowd) if self.caller.crowd else "",
            dataset_id=self.place.dataset_id,
            candidates=[(images_key, UNLIMITED, None) for images_key in by_key],
            count=count,
            places_apart=0,
            now_ms=self.now_ms,
            dice=self.dice,
        )
        if grant.is_full:
            return self._again_or_refuse() if count == self.count else []
        book.remember_sets({key: by_key[key].made_of for key, _ in grant.pairs})
        LEASES_GRANTED.labels("book").inc(len(grant.pairs))
        return [self._sign(by_key[images_key], lease_id) for images_key, lease_id in grant.pairs]

    def _again_or_refuse(self) -> list[LeasedSet]:
        if again := self._again(least_age_ms=0):
            return again
        raise TooManyLeases(
            _("You have taken many sets without comparing them. Compare those first; otherwise there is one a minute.")
        )

    def _again(self, *, least_age_ms: int) -> list[LeasedSet]:
        """Hand out once more what the caller has held longest."""
        while held := book.hand_out_again(
            holder=holder_of_sets(self.caller.holder),
            dataset_id=self.place.dataset_id,
            wanted=None,
            now_ms=self.now_ms,
            least_age_ms=least_age_ms,
        ):
            images_key, lease_id = held
            if proposal := self._recall(images_key):
                LEASES_GRANTED.labels("again").inc()
                return [self._sign(proposal, lease_id)]
            self._forget(images_key, lease_id)
        return []

    def _recall(self, images_key: uuid.UUID) -> _Proposal | None:
        """Return a set that is out, if all its images may still be shown and it has not been compared."""
        made_of = book.recall_set(images_key)
        if made_of is None:
            return None
        set_id, *image_ids = (uuid.UUID(bytes=made_of[at : at + 16]) for at in range(0, len(made_of), 16))
        images = images_still_shown(place=self.place, image_ids=image_ids)
        if len(images) < len(image_ids):
            return None
        return next(iter(self._unknown([_Proposal(set_id, tuple(images))])), None)

    def _forget(self, images_key: uuid.UUID, lease_id: uuid.UUID) -> None:
        book.forget_lease(
            holder=holder_of_sets(self.caller.holder),
            crowd=holder_of_sets(self.caller.crowd) if self.caller.crowd else "",
            image_id=images_key,
            lease_id=lease_id,
            dataset_id=self.place.dataset_id,
            is_rated=False,
        )

    def _sign(self, proposal: _Proposal, lease_id: uuid.UUID) -> LeasedSet:
        images = tuple(self.dice.sample(proposal.images, len(proposal.images)))
        lease = SetLease(lease_id, proposal.set_id, tuple(image.image_id for image in images), COMPARISON_VERSION)
        token = sign_set_lease(lease, self.caller.holder)
        return LeasedSet(
            proposal.set_id, self.place.dataset_id, token, images, COMPARISON_VERSION, self.place.adult_class
        )
