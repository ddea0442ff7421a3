"""Bodies of requests: read once, as typed structures, with the errors that old clients know."""

import re
import uuid
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ratings.scales import ARTIFACT_NAMES

Body = TypeVar("Body", bound=msgspec.Struct)
MISSING = re.compile(r"Object missing required field `(\w+)`")


class BodyInvalid(Exception):
    """The body is not JSON of the expected shape; ``errors`` says what is wrong with which field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("Input payload validation failed")
        self.errors = errors


class RatingBody(msgspec.Struct):
    """The body of POST /rating/{image_id}. Fields that are not named here are ignored."""

    rating: Annotated[int, Meta(ge=1, le=10)]
    artifacts: Annotated[int, Meta(ge=0, le=5)] | str | None = None
    lease: Annotated[str, Meta(max_length=200)] | None = None
    sha256: Annotated[str, Meta(max_length=64)] | None = None

    def artifacts_value(self) -> int | None:
        """Return artifacts as 0..5, from a number or one of the six names. Raises BodyInvalid."""
        return _as_artifacts(self.artifacts)


class RevisionBody(msgspec.Struct):
    """The body of PATCH /rating/{image_id}: artifacts that are not sent stay as they are; null takes them back."""

    rating: Annotated[int, Meta(ge=1, le=10)]
    artifacts: Annotated[int, Meta(ge=0, le=5)] | str | UnsetType | None = UNSET

    def artifacts_value(self) -> int | None:
        """Return artifacts as 0..5, None also where they are not sent. Raises BodyInvalid."""
        return None if self.artifacts is UNSET else _as_artifacts(self.artifacts)


class SkipBody(msgspec.Struct):
    """The body of a skip; all of it may be left out."""

    lease: Annotated[str, Meta(max_length=200)] | None = None
    reason: Annotated[str, Meta(max_length=16)] = ""


class ReportBody(msgspec.Struct):
    """The body of a report."""

    reason: Annotated[str, Meta(max_length=16)]
    note: Annotated[str, Meta(max_length=500)] = ""
    lease: Annotated[str, Meta(max_length=200)] | None = None


def _as_artifacts(sent: int | str | None) -> int | None:
    if not isinstance(sent, str):
        return sent
    if sent in tuple("012345"):
        return int(sent)
    if sent not in ARTIFACT_NAMES:
        names = ", ".join(ARTIFACT_NAMES)
        raise BodyInvalid({"artifacts": f"must be a whole number from 0 to 5, or one of {names}"})
    return ARTIFACT_NAMES[sent]


class NewAnswerBody(msgspec.Struct):
    """The body of PATCH /comparison/{set_id}: the best image, or that there is none."""

    outcome: Literal["best", "tie", "all_bad"] | None = None
    best: uuid.UUID | None = None

    def outcome_value(self) -> str:
        """Return the outcome, which need not be named where the best image is. Raises BodyInvalid."""
        if self.outcome is None and self.best is None:
            raise BodyInvalid({"best": "name the best image, or an outcome without one"})
        return self.outcome or "best"


class ComparisonBody(NewAnswerBody, kw_only=True):
    """The body of POST /comparison/{set_id}."""

    lease: Annotated[str, Meta(max_length=200)]
    sha256: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=4)] = []


class SkipSetBody(msgspec.Struct):
    """The body of a skip of a set."""

    lease: Annotated[str, Meta(max_length=200)]
    reason: Annotated[str, Meta(max_length=16)] = ""


class SetReportBody(msgspec.Struct):
    """The body of a report of one image of a set."""

    image: uuid.UUID
    reason: Annotated[str, Meta(max_length=16)]
    lease: Annotated[str, Meta(max_length=200)]
    note: Annotated[str, Meta(max_length=500)] = ""


class LeasesBody(msgspec.Struct):
    """Leases that are given back."""

    leases: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=20)]


class ProofBody(msgspec.Struct):
    """What any body may have besides: a proof of work (docs/api.md)."""

    altcha: str = ""


_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder] = {}


def read_body(data: bytes, shape: type[Body]) -> Body:
    """Return a JSON body as ``shape``; numbers may come as text. Raises BodyInvalid, which names every wrong field."""
    decoder = _decoders.get(shape) or _decoders.setdefault(shape, msgspec.json.Decoder(shape, strict=False))
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise BodyInvalid(errors_of(error, shape, _content_of(data))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyInvalid({"body": "must be a JSON object"}) from error


def read_proof(data: bytes) -> str:
    """Return the proof of work in a body, or "". A body that is none at all is refused by who reads the rest of it."""
    try:
        return read_body(data, ProofBody).altcha
    except BodyInvalid:
        return ""


def _content_of(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # Wrong from the first byte, and still no JSON.


def errors_of(
    error: msgspec.ValidationError, shape: type[msgspec.Struct], content: Any, *, whole: str = "body"
) -> dict[str, str]:
    """Return what is wrong by field, of all fields of ``content``, or of the ``whole`` where none is to blame.

    ``error`` is what the library says, which is one thing; so each field is tried by itself.
    """
    found: dict[str, str] = {}
    for field in msgspec.structs.fields(shape) if isinstance(content, dict) else ():
        if field.encode_name in content:
            found |= _errors_of_field(field.encode_name, field.type, content[field.encode_name])
        elif field.required:
            found[field.encode_name] = "is required"
    return found or {whole: in_words(str(error))}


def _errors_of_field(name: str, kind: Any, value: Any) -> dict[str, str]:
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        path = name + path.rstrip("`")
        if missing := MISSING.fullmatch(text):
            # At the field, where flask-restx put it and clients look.
            return {f"{path}.{missing[1]}": "is required"}
        return {path: in_words(text)}
    return {}


# What the library calls things, and what whoever wrote the JSON calls them.
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "uuid": "a UUID",
    "object": "an object",
    "array": "a list",
    "dict": "an object",
    "list": "a list",
    "null": "null",
    "NoneType": "null",
    "None": "null",
}
EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]+)`(?:, got `(?P<found>[^`]+)`)?(?P<rest>.*)", re.DOTALL)
BOUNDS = ((r" of length <= (\d+)", r" no longer than \1 characters"), (" >= ", ", at least "), (" <= ", ", at most "))


def in_words(text: str) -> str:
    """Return what the library says of a value, in words of JSON."""
    said = EXPECTED.fullmatch(text)
    if said is None:
        return text[:1].lower() + text[1:]
    wanted = " or ".join(_kind(name) for name in said["wanted"].split(" | "))
    rest = said["rest"]
    for sign, words in BOUNDS:
        rest = re.sub(sign, words, rest)
    if rest.startswith(" matching regex"):
        rest = " without control characters"
    return f"must be {wanted}{rest}" + (f", not {_kind(said['found'])}" if said["found"] else "")


def _kind(name: str) -> str:
    return KINDS.get(name, name)
