"""What the files of a release say of each rater: once for each, and the same in every row."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exports.privacy.cells import UNKNOWN, Values, withhold
from exports.privacy.pseudonyms import make_pseudonymiser
from exports.privacy.texts import client_name, each_distinct, uuid_bytes
from exports.schema import AGE_FLOORS, POWER_FLOORS

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
# What a rater gives up who is one of few, in this order, and then the pseudonym.
GIVEN_UP = ("country", "client", "challenges", "images_generated", "kudos", "ratings_given", "account_age", "trust")
IS_TRUSTED, IS_VALIDATED = 1, 2
Page = dict[str, npt.NDArray[Any]]
NOBODY: Page = {
    "id": np.empty(0, np.int64),
    "pseudonym": np.empty((0, 16), np.uint8),
    "user_id": np.empty((0, 32), np.uint8),
    "is_anonymous": np.empty(0, np.bool_),
    **{name: np.empty(0, np.int8) for name in GIVEN_UP[2:]},
}
SIGNED_FLOORS = (*(-power for power in reversed(POWER_FLOORS[1:])), *POWER_FLOORS)
NUMBERS = ("id", "anonymous", "challenges_failed", "images_generated", "kudos", "ratings_given", "account_age", "trust")


@dataclass(slots=True)
class RaterBook:
    """The raters of a dataset by id, in ascending order, one row of each array for each.

    ``bands`` are codes: of age the place in AGE_FLOORS, of counts that in POWER_FLOORS, of
    challenges failed less those solved that in SIGNED_FLOORS, of trust the sum of
    IS_TRUSTED and IS_VALIDATED. ``withheld`` is how many of GIVEN_UP are not told of a rater, and one more if the
    pseudonym is not.
    """

    ids: npt.NDArray[np.int64]
    pseudonyms: npt.NDArray[np.uint8]
    user_ids: npt.NDArray[np.uint8]
    is_anonymous: Flags
    bands: dict[str, npt.NDArray[np.int8]]
    withheld: npt.NDArray[np.int8]
    countries: Values
    clients: Values
    _asked: tuple[pa.Array | None, Places] = field(default=(None, np.empty(0, np.intp)), repr=False)

    @classmethod
    def read(cls, batches: Iterable[pa.RecordBatch], *, key: str, dataset_id: uuid.UUID, smallest: int) -> Self:
        """Take down every rater from batches of `exports.schema.select_raters`.

        Whom fewer than ``smallest`` raters resemble is told less of (`exports.privacy.cells`).
        """
        names = Names(key, dataset_id)
        countries, clients = Values(smallest), Values(smallest)
        pages = [NOBODY]
        count = 0
        for batch in batches:
            countries.add(batch.column("countries"), first=count)
            clients.add(_names_of_clients(batch.column("clients")), first=count)
            pages.append(_read_page(batch, names))
            count += batch.num_rows
        raters = {name: np.concatenate([page[name] for page in pages]) for name in NOBODY}
        told = {"country": countries.settle(count), "client": clients.settle(count), **raters}
        withheld = withhold(
            [told[name].astype(np.int64) for name in GIVEN_UP],
            beside=raters["is_anonymous"].astype(np.int64),
            smallest=smallest,
        )
        raters["user_id"][withheld > len(GIVEN_UP)] = names.withheld
        return cls(
            ids=raters["id"],
            pseudonyms=raters["pseudonym"],
            user_ids=raters["user_id"],
            is_anonymous=raters["is_anonymous"],
            bands={name: raters[name] for name in GIVEN_UP if name in raters},
            withheld=withheld,
            countries=countries,
            clients=clients,
        )

    @property
    def nameless_ids(self) -> tuple[int, ...]:
        """Return the raters whose answers nothing may connect; there are few, else they would hide each other."""
        return tuple(self.ids[self.withheld > len(GIVEN_UP)].tolist())

    def places(self, rater_ids: pa.Array) -> Places:
        """Return where each rater stands; LookupError if one is not there. All columns of a batch ask the same."""
        asked, places = self._asked
        if rater_ids is asked:
            return places
        wanted = rater_ids.to_numpy()
        places = np.searchsorted(self.ids, wanted)
        if len(wanted) and (places.max() == len(self.ids) or not np.array_equal(self.ids[places], wanted)):
            raise LookupError("A rating names a rater who is not there.")
        self._asked = (rater_ids, places)
        return places

    def is_withheld(self, name: str, places: Places) -> Flags:
        """Return whether an attribute, one of GIVEN_UP, is not told of the raters at these places."""
        return self.withheld[places] > GIVEN_UP.index(name)

    def told(self, name: str, places: Places) -> npt.NDArray[np.int8]:
        """Return the codes of a band as they are told: UNKNOWN where it is not."""
        return np.where(self.is_withheld(name, places), np.int8(UNKNOWN), self.bands[name][places])


class Names:
    """What a release calls a rater: digits in its own tables, and others in the file for old programs.

    Everybody without an account has one user id there, as in the original: it told nobody apart there either.
    """

    def __init__(self, key: str, dataset_id: uuid.UUID) -> None:
        self.pseudonym_of = make_pseudonymiser(key=key, dataset_id=dataset_id)
        self._user_id_of = make_pseudonymiser(key=key, dataset_id=dataset_id, label="user_id", size=32)
        self._nobody = self._user_id_of(b"anonymous")
        self.withheld = np.frombuffer(self._user_id_of(b"withheld"), np.uint8)

    def user_ids_of(self, seeds: list[bytes], is_anonymous: Flags) -> bytes:
        pairs = zip(seeds, is_anonymous, strict=True)
        return b"".join(self._nobody if anonymous else self._user_id_of(seed) for seed, anonymous in pairs)


def _read_page(batch: pa.RecordBatch, names: Names) -> Page:
    numbers = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in NUMBERS}
    seeds = [seed.tobytes() for seed in uuid_bytes(batch.column("seed"))]
    return {
        "id": numbers["id"],
        "pseudonym": np.frombuffer(b"".join(map(names.pseudonym_of, seeds)), np.uint8).reshape(-1, 16),
        "user_id": np.frombuffer(names.user_ids_of(seeds, numbers["anonymous"]), np.uint8).reshape(-1, 32),
        "is_anonymous": numbers["anonymous"],
        "challenges": _signed_steps(numbers["challenges_failed"]),
        "images_generated": _steps(numbers["images_generated"], POWER_FLOORS),
        "kudos": _steps(numbers["kudos"], POWER_FLOORS),
        "ratings_given": _steps(numbers["ratings_given"], POWER_FLOORS),
        "account_age": _steps(numbers["account_age"], AGE_FLOORS),
        "trust": numbers["trust"].astype(np.int8),
    }


def _steps(numbers: npt.NDArray[np.int64], floors: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """Return the place of the last floor that each number reaches; UNKNOWN below the first."""
    return (np.searchsorted(floors, numbers, side="right") - 1).astype(np.int8)


def _signed_steps(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """Return the place in SIGNED_FLOORS of the last power that each number reaches, away from 0."""
    steps = np.sign(numbers) * _steps(np.abs(numbers), POWER_FLOORS)
    return (steps + len(POWER_FLOORS) - 1).astype(np.int8)


def _names_of_clients(agents: pa.ListArray) -> pa.ListArray:
    """Return the names of programs in place of what they call themselves; each once for a rater."""
    names = each_distinct(agents.flatten(), client_name)
    pairs = pa.table({"rater": agents.value_parent_indices(), "name": names}).group_by(["rater", "name"]).aggregate([])
    pairs = pairs.sort_by("rater")
    counts = np.bincount(pairs["rater"].to_numpy(), minlength=len(agents))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pairs["name"].combine_chunks())
