"""Which image next: an open one, below its target counting what is out, that this rater has not seen.

1. One round trip to Valkey: has this rater exhausted the dataset, how far has their scan come, and is the
   dataset nearly finished (then a pool of its last open images stands ready)?
2. Now and then a control, at rates that depend on the rater (`ratings.controls`), as long as there is something else.
   A few windows of the sampling order from random points, or samples of the pool: independent between
   raters, and each of a fixed size.
3. Failing that, a scan from this rater's own cursor, with a cap; when a whole pass finds nothing, a
   marker spares the next requests the search.
4. One atomic step in Valkey leases what was found, of each group (prompt, set, looks) one in ten places. Where only
   images of such a group are at hand, the one that was away longest is given. When the caller may take nothing new, or
   holds all that is left, what they have held longest is handed out once more.

Without Valkey, leases are signed and nothing else.

Nothing is written to PostgreSQL. The cost depends neither on the size of the dataset nor on how much this
rater has rated. docs/decisions/0006 tells why, with figures.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from django.utils.translation import gettext as _

from accounts.access import Caller
from accounts.limits import RateLimited
from accounts.metrics import LEASES_GRANTED
from accounts.valkey import ValkeyUnavailable
from ratings.controls import find_controls
from ratings.leases import book
from ratings.leases.book import SelectionState
from ratings.leases.token import Lease, LeaseKind, kind_of_lease, new_lease_id, sign_lease
from ratings.models import AdultClass
from ratings.queries.candidates import (
    LARGEST_KEY,
    SMALLEST_KEY,
    Candidate,
    Shelf,
    candidates_among,
    candidates_from,
    last_open_images,
    scan_candidates,
)
from ratings.queries.controls import held_control
from ratings.queries.datasets import DatasetForRating

WINDOW_SIZE = 32
WINDOW_TRIES = 4
SCAN_SIZE = 2000
SCAN_TRIES = 5
# After so many windows of nothing but images of groups just seen, one of those is given.
SPACED_TRIES = 2
TAIL_LIMIT = 5000
TAIL_SECONDS = 120
MAX_COUNT = 10
LONGEST_MODEL_NAME = 200
# A lease this old was forgotten: a page that was closed, a program that ended.
FORGOTTEN_MS = 60 * 1000


class NoImageLeft(Exception):
    """There is nothing to hand out to this rater in this dataset just now."""


class TooManyLeases(RateLimited):
    """This rater has taken many images without rating them."""


@dataclass(frozen=True, slots=True)
class LeasedImage:
    """An image that was handed out, with the token to send back with the rating."""

    image_id: uuid.UUID
    dataset_id: uuid.UUID
    lease: str
    width: int
    height: int
    scale_version: int
    adult_class: str = AdultClass.SAFE.value


def lease_images(
    *,
    caller: Caller,
    dataset: DatasetForRating,
    count: int,
    now: datetime,
    model_name: str = "",
    adult_classes: Sequence[str] = (),
    dice: Random | None = None,
) -> list[LeasedImage]:
    """Lease up to ``count`` images (1 to 10) to the caller, of the model named if one is.

    They are safe ones, unless the caller asked for others and can blur them: then all are of one class, which chance
    decides as long as each has images left.

    Raises NoImageLeft when there is none, TooManyLeases when the caller takes and does not rate.
    """
    dice = dice or Random()  # noqa: S311 - seeded by the system for each request; asking it for every number takes longer
    count = max(1, min(count, MAX_COUNT))
    if not dataset.is_open:
        raise NoImageLeft(_("This dataset is not handing out images at the moment."))
    if len(model_name) > LONGEST_MODEL_NAME or "\0" in model_name:
        raise NoImageLeft(_("There is no image of that model here."))
    classes = [AdultClass.SAFE.value, *adult_classes]
    dice.shuffle(classes)
    problem: NoImageLeft | None = None
    for adult_class in classes:
        shelf = Shelf(dataset.id, dataset.target, model_name, adult_class, dataset.order_policy)
        try:
            return _Hunt(caller, dataset, shelf, count, int(now.timestamp() * 1000), dice).lease()
        except NoImageLeft as error:
            problem = error
    raise problem or NoImageLeft("There is no image left for you to rate here. New ones may come.")


def refresh_tail_pool(*, dataset_id: uuid.UUID) -> int:
    """Keep the last open images of a nearly finished dataset at hand in Valkey; return how many.

    The index of open images keeps a dead entry for every image that was finished, until vacuum may remove
    it; with few images left, and a long snapshot held, a search would wade through all of them. This does
    the wading once for everybody, off the request.
    """
    image_ids = last_open_images(dataset_id=dataset_id, limit=TAIL_LIMIT + 1)
    is_tail = 0 < len(image_ids) <= TAIL_LIMIT
    book.replace_tail(
        dataset_id=dataset_id,
        image_ids=image_ids if is_tail else (),
        is_finished=not image_ids,
        seconds=TAIL_SECONDS,
    )
    return len(image_ids) if is_tail else 0


class _Hunt:
    """One request for images."""

    def __init__(
        self, caller: Caller, dataset: DatasetForRating, shelf: Shelf, count: int, now_ms: int, dice: Random
    ) -> None:
        self.caller = caller
        self.dataset = dataset
        self.shelf = shelf
        self.count = count
        self.now_ms = now_ms
        self.dice = dice
        self.near_count = 0

    def lease(self) -> list[LeasedImage]:
        try:
            state = book.read_selection_state(
                holder=self.caller.holder,
                dataset_id=self.dataset.id,
                shelf=self.shelf.name,
                sample_size=WINDOW_SIZE if self.shelf.is_safe else 0,
                now_ms=self.now_ms,
            )
            return self.lease_from_book(state)
        except ValkeyUnavailable:
            return self.lease_by_signature()

    def lease_from_book(self, state: SelectionState) -> list[LeasedImage]:
        if state.is_exhausted:
            raise NoImageLeft(_("There is no image left for you to rate here. New ones may come."))
        left_over: list[Candidate] = []
        leased: list[LeasedImage] = []
        control_count = 0
        for number, candidates in enumerate(self._batches(state), 1):
            if candidates and not left_over:
                leased += self._lease_controls(state)
                control_count = len(leased)
            leased += self._lease_apart(candidates, state.groups, self.count - len(leased))
            left_over += candidates
            if len(leased) < self.count and self.near_count and number >= SPACED_TRIES:
                leased += self._lease_near(left_over, state.groups, leased)
            if len(leased) >= self.count:
                return self._mixed(leased, control_count)
        if self.near_count and (near := self._lease_near(left_over, state.groups, leased)):
            return leased + near
        found_any = bool(left_over)
        if leased:
            return leased
        if not found_any:
            raise NoImageLeft(_("There is no image left for you to rate here. New ones may come."))
        if again := self._again(least_age_ms=FORGOTTEN_MS):
            return again
        raise NoImageLeft(_("Every image that is left is with a rater just now. Try again in a minute."))

    def _lease_controls(self, state: SelectionState) -> list[LeasedImage]:
        """Lease what comes instead of images as any other; that something else is left has been seen before."""
        leased: list[LeasedImage] = []
        now = datetime.fromtimestamp(self.now_ms / 1000, UTC)
        for kind, count, candidates in find_controls(
            caller=self.caller, shelf=self.shelf, held=state.held, count=self.count, now=now, dice=self.dice
        ):
            leased += self._grant(candidates, count, kind=kind)
        return leased

    def _lease_apart(self, candidates: list[Candidate], groups: Sequence[str], count: int) -> list[LeasedImage]:
        """Lease those whose group was not among the last images."""
        # The last of these are ten places away by the time that so many images have been given; the script knows.
        near = groups[: book.PLACES_APART - self.count + 1]
        apart = [candidate for candidate in candidates if str(candidate.group) not in near]
        self.near_count += len(candidates) - len(apart)
        leased: list[LeasedImage] = []
        # Most often the first few do; the rest are tried when many images are with other raters.
        few = 4 * self.count
        for some in (apart[:few], apart[few:]):
            if len(leased) < count:
                leased += self._grant(some, count - len(leased))
        return leased

    def _lease_near(
        self, candidates: list[Candidate], groups: Sequence[str], leased: list[LeasedImage]
    ) -> list[LeasedImage]:
        """Lease what is left although its group was seen shortly before; the one that was away longest first."""
        places = {group: place for place, group in reversed(list(enumerate(groups)))}
        candidates.sort(key=lambda candidate: places.get(str(candidate.group), len(groups)), reverse=True)
        return self._grant(candidates, self.count - len(leased), places_apart=0)

    def _mixed(self, leased: list[LeasedImage], control_count: int) -> list[LeasedImage]:
        """Put the controls, which were taken first, at any place among the others, which stay in their order."""
        mixed = leased[control_count:]
        for control in leased[:control_count]:
            mixed.insert(self.dice.randint(0, len(mixed)), control)
        return mixed

    def lease_by_signature(self) -> list[LeasedImage]:
        candidates = self._window() or self._scan(SMALLEST_KEY).candidates
        if not candidates:
            raise NoImageLeft(_("There is no image left for you to rate here. New ones may come."))
        LEASES_GRANTED.labels("signature").inc()
        chosen = candidates[: self.count]
        return [self._sign(c, new_lease_id(now_ms=self.now_ms, dice=self.dice)) for c in chosen]

    def _batches(self, state: SelectionState) -> Iterator[list[Candidate]]:
        if state.tail_size:
            yield from self._tail_batches(state)
            return
        for _try in range(WINDOW_TRIES):
            yield self._window()
        yield from self._scan_batches(state)

    def _window(self) -> list[Candidate]:
        key = self.dice.randint(SMALLEST_KEY, LARGEST_KEY)
        return self._shuffled(candidates_from(caller=self.caller, shelf=self.shelf, key=key, size=WINDOW_SIZE))

    def _scan(self, after: int) -> "_Scanned":
        stretch = scan_candidates(caller=self.caller, shelf=self.shelf, after=after, size=SCAN_SIZE, limit=WINDOW_SIZE)
        return _Scanned(self._shuffled(stretch.candidates), stretch.last_key, stretch.is_last)

    def _scan_batches(self, state: SelectionState) -> Iterator[list[Candidate]]:
        """Go on from the cursor; a dry pass from one end of the order to the other sets the marker."""
        after = SMALLEST_KEY if state.cursor is None else state.cursor
        is_dry = state.cursor is None or state.is_dry
        for _try in range(SCAN_TRIES):
            scanned = self._scan(after)
            is_dry = is_dry and not scanned.candidates
            # What was found may be with others now: stay here, so that the next request looks again.
            after = after if scanned.candidates else scanned.last_key
            if scanned.is_last and not scanned.candidates:
                if is_dry:
                    self._mark_exhausted()
                    return
                after, is_dry = SMALLEST_KEY, True
            self._save_cursor(after, is_dry)
            yield scanned.candidates
            if scanned.candidates:
                after = scanned.last_key

    def _tail_batches(self, state: SelectionState) -> Iterator[list[Candidate]]:
        yield self._among(state.tail)
        pool = book.read_tail(dataset_id=self.dataset.id)
        self.dice.shuffle(pool)
        found_any = False
        for start in range(0, len(pool), SCAN_SIZE):
            found = self._among(pool[start : start + SCAN_SIZE])
            found_any = found_any or bool(found)
            yield found[:WINDOW_SIZE]
        if not found_any:
            self._mark_exhausted()

    def _among(self, image_ids: Sequence[uuid.UUID]) -> list[Candidate]:
        return self._shuffled(candidates_among(caller=self.caller, shelf=self.shelf, image_ids=image_ids))

    def _grant(
        self,
        candidates: list[Candidate],
        count: int,
        *,
        places_apart: int = book.PLACES_APART,
        kind: LeaseKind = LeaseKind.RATING,
    ) -> list[LeasedImage]:
        if not candidates:
            return []
        grant = book.grant_leases(
            holder=self.caller.holder,
            crowd=self.caller.crowd,
            dataset_id=self.dataset.id,
            candidates=[(c.image_id, c.need, c.group) for c in candidates],
            count=count,
            places_apart=places_apart,
            now_ms=self.now_ms,
            dice=self.dice,
            kind=kind,
        )
        if grant.is_full and kind is not LeaseKind.RATING:
            return []  # The caller is told when it comes to images as any other.
        if grant.is_full:
            return self._again_or_refuse() if count == self.count else []
        self.near_count += grant.near_count
        known = {c.image_id: c for c in candidates}
        LEASES_GRANTED.labels("book").inc(len(grant.pairs))
        return [self._sign(known[image_id], lease_id) for image_id, lease_id in grant.pairs]

    def _again_or_refuse(self) -> list[LeasedImage]:
        if again := self._again(least_age_ms=0):
            return again
        raise TooManyLeases(
            _("You have taken many images without rating them. Rate those first; otherwise there is one a minute.")
        )

    def _again(self, *, least_age_ms: int) -> list[LeasedImage]:
        """Hand out once more what the caller has held longest: they may take nothing new, or nothing new is left."""
        wanted = self._held_of_model() if self.shelf.model_name else None
        while held := book.hand_out_again(
            holder=self.caller.holder,
            dataset_id=self.dataset.id,
            wanted=wanted,
            now_ms=self.now_ms,
            least_age_ms=least_age_ms,
        ):
            image_id, lease_id = held
            is_control = kind_of_lease(lease_id) is not LeaseKind.RATING
            known = held_control(image_id=image_id, shelf=self.shelf) if is_control else self._among([image_id])
            if known:
                LEASES_GRANTED.labels("again").inc()
                return [self._sign(known[0], lease_id)]
            self._forget(image_id, lease_id)
        return []

    def _held_of_model(self) -> list[uuid.UUID]:
        held = book.held_images(holder=self.caller.holder, dataset_id=self.dataset.id, now_ms=self.now_ms)
        return [candidate.image_id for candidate in self._among(held)]

    def _forget(self, image_id: uuid.UUID, lease_id: uuid.UUID) -> None:
        book.forget_lease(
            holder=self.caller.holder,
            crowd=self.caller.crowd,
            image_id=image_id,
            lease_id=lease_id,
            dataset_id=self.dataset.id,
            is_rated=False,
        )

    def _save_cursor(self, position: int, is_dry: bool) -> None:  # noqa: FBT001 - of this class alone
        book.save_cursor(
            holder=self.caller.holder,
            dataset_id=self.dataset.id,
            shelf=self.shelf.name,
            position=position,
            is_dry=is_dry,
        )

    def _mark_exhausted(self) -> None:
        book.mark_exhausted(holder=self.caller.holder, dataset_id=self.dataset.id, shelf=self.shelf.name)

    def _shuffled(self, candidates: list[Candidate]) -> list[Candidate]:
        """Bring candidates into an order of chance, and among them those forward that the dataset wants first."""
        self.dice.shuffle(candidates)
        candidates.sort(key=lambda candidate: candidate.rank)
        return candidates

    def _sign(self, candidate: Candidate, lease_id: uuid.UUID) -> LeasedImage:
        lease = Lease(lease_id, candidate.image_id, self.dataset.scale_version)
        return LeasedImage(
            candidate.image_id,
            self.dataset.id,
            sign_lease(lease, self.caller.holder),
            candidate.width,
            candidate.height,
            self.dataset.scale_version,
            self.shelf.adult_class,
        )


@dataclass(frozen=True, slots=True)
class _Scanned:
    candidates: list[Candidate]
    last_key: int
    is_last: bool
