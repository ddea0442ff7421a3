"""What every source yields: pictures, and refusals in their place."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ratings.models import AdultClass


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedMeasures:
    """What the source says of the bytes; None where it says nothing. Whatever is stated is checked."""

    sha256: str | None = None
    byte_count: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImage:
    """One picture as its source has it.

    ``name`` is what people are told, ``source_id`` what the dataset knows it by. A source id that the source
    itself gave (``has_stated_id``) names one picture for good; one that was made from a file name may turn up
    again for another picture, and is then told apart by the hash.
    """

    name: str
    source_id: str
    content: Path | bytes
    has_stated_id: bool = False
    image_id: uuid.UUID | None = None
    adult_class: AdultClass = AdultClass.SAFE
    licence: str = ""
    source_url: str = ""
    prompt: str = ""
    model_name: str = ""
    generation: dict[str, Any] = field(default_factory=dict)
    planted_artifacts: int | None = None
    stated: StatedMeasures = field(default_factory=StatedMeasures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that was not imported, and why, in words for people."""

    name: str
    reason: str
