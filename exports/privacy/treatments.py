"""What is done to each kind of column on its way from the database to a file."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exports.privacy.cells import UNKNOWN, Values
from exports.privacy.raters import GIVEN_UP, IS_TRUSTED, IS_VALIDATED, SIGNED_FLOORS, RaterBook
from exports.privacy.texts import client_name, each_distinct, hex_text, uuid_text
from exports.schema import AGE_BANDS, AGE_FLOORS, POWER_FLOORS, Treatment
from ratings.importers.legacy import ANONYMOUS_KUDOS

UNKNOWN_CLIENT = "unknown"

Treat = Callable[..., pa.Array]
Places = npt.NDArray[np.intp]

_AGE_NAMES = pa.array(AGE_BANDS.values(), pa.string())
_SIGNED_POWERS = pa.array(SIGNED_FLOORS, pa.int64())
_POWERS = pa.array(POWER_FLOORS, pa.int64())


def make_treatments(raters: RaterBook) -> Mapping[Treatment, Treat]:
    """Return what to do with each kind of column in a release."""

    def band(name: str, names: pa.Array) -> Treat:
        return lambda ids: _take(names, raters.told(name, raters.places(ids)))

    return {
        Treatment.NONE: lambda column: column,
        Treatment.UUID_TEXT: uuid_text,
        Treatment.PSEUDONYM: lambda ids: _pseudonyms(raters, raters.places(ids)),
        Treatment.ANONYMITY: lambda ids: pa.array(raters.is_anonymous[raters.places(ids)]),
        Treatment.TRUST: lambda ids: _trust(raters, raters.places(ids)),
        Treatment.CLIENT_NAME: lambda agents, ids: _client_names(raters, agents, ids),
        Treatment.COUNTRY: lambda countries, ids: _countries(raters, countries, ids),
        Treatment.ACCOUNT_AGE_BAND: band("account_age", _AGE_NAMES),
        Treatment.IMAGES_GENERATED_BAND: band("images_generated", _POWERS),
        Treatment.KUDOS_BAND: band("kudos", _POWERS),
        Treatment.RATINGS_GIVEN_BAND: band("ratings_given", _POWERS),
        **_make_legacy_treatments(raters),
    }


def _make_legacy_treatments(raters: RaterBook) -> Mapping[Treatment, Treat]:
    def number(name: str, floors: tuple[int, ...], mark: int = 0) -> Treat:
        return lambda ids: _numbers(raters, name, floors, raters.places(ids), mark)

    def has(flag: int) -> Treat:
        return lambda ids: pa.array(np.maximum(raters.told("trust", raters.places(ids)), 0) & flag > 0)

    return {
        Treatment.CLIENT_NAME_OR_UNKNOWN: lambda agents, ids: pc.fill_null(
            _client_names(raters, agents, ids), UNKNOWN_CLIENT
        ),
        Treatment.USER_ID: lambda ids: hex_text(raters.user_ids[raters.places(ids)]),
        Treatment.KUDOS_OR_MARK: number("kudos", POWER_FLOORS, ANONYMOUS_KUDOS),
        Treatment.USAGE_REQUESTS: number("images_generated", POWER_FLOORS),
        Treatment.ACCOUNT_AGE: number("account_age", AGE_FLOORS),
        Treatment.IS_TRUSTED: has(IS_TRUSTED),
        Treatment.IS_VALIDATED: has(IS_VALIDATED),
        Treatment.CHALLENGES_FAILED: lambda ids: pc.fill_null(
            _take(_SIGNED_POWERS, raters.told("challenges", raters.places(ids))), 0
        ),
    }


def _take(names: pa.Array, codes: npt.NDArray[np.int8]) -> pa.Array:
    """Return the names at these places, null for UNKNOWN."""
    return names.take(pa.array(codes, mask=codes == UNKNOWN))


def _pseudonyms(raters: RaterBook, places: Places) -> pa.Array:
    is_nameless = raters.withheld[places] > len(GIVEN_UP)
    digits = hex_text(raters.pseudonyms[places])
    return pc.if_else(pa.array(is_nameless), None, digits) if is_nameless.any() else digits


def _trust(raters: RaterBook, places: Places) -> pa.Array:
    trust = raters.told("trust", places)
    return pa.array(trust & IS_TRUSTED > 0, mask=trust == UNKNOWN)


def _client_names(raters: RaterBook, agents: pa.Array, ids: pa.Array) -> pa.Array:
    names = each_distinct(agents, lambda agent: _if_common(client_name(agent), raters.clients))
    return _unless(raters.is_withheld("client", raters.places(ids)), names)


def _countries(raters: RaterBook, countries: pa.Array, ids: pa.Array) -> pa.Array:
    names = each_distinct(countries, lambda country: _if_common(country, raters.countries))
    return _unless(raters.is_withheld("country", raters.places(ids)), names)


def _if_common(value: str | None, values: Values) -> str | None:
    return value if value in values.common else None


def _unless(is_withheld: npt.NDArray[np.bool_], values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(is_withheld), None, values) if is_withheld.any() else values


def _numbers(raters: RaterBook, name: str, floors: tuple[int, ...], places: Places, mark: int) -> pa.Array:
    """Return the floor of a band, 0 where it is not told; ``mark`` where there is no account."""
    codes = raters.told(name, places)
    numbers = np.where(codes == UNKNOWN, 0, np.asarray(floors, np.int64)[codes])
    return pa.array(np.where(raters.is_anonymous[places], mark, numbers))
