"""What a release is of, for the texts that describe it."""

from dataclasses import dataclass
from datetime import datetime

from exports.schema import IMAGES, RATINGS
from ratings.models import Dataset


@dataclass(frozen=True, slots=True)
class Earlier:
    """The release before, and what it had."""

    version: str
    schema_version: str
    rating_count: int
    image_count: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a release is of: a dataset at one moment, how much of it there is, and what came before."""

    dataset: Dataset
    version: str
    snapshot_at: datetime
    until: datetime
    row_counts: dict[str, int]
    excluded: dict[str, int]
    site: str = ""
    earlier: Earlier | None = None

    @property
    def moment(self) -> str:
        return self.snapshot_at.isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def day(self) -> str:
        return self.snapshot_at.date().isoformat()

    @property
    def rating_count(self) -> int:
        return self.row_counts[RATINGS.name]

    @property
    def image_count(self) -> int:
        return self.row_counts[IMAGES.name]

    @property
    def semantic_version(self) -> str:
        """The version in the form MAJOR.MINOR.PATCH: 2026.2.1, and 2026.2.1+1 for a second release of that day."""
        day, _, number = self.version.partition(".")
        return ".".join(str(int(part)) for part in day.split("-")) + (f"+{number}" if number else "")

    @property
    def citation(self) -> str:
        where = f" {self.site}" if self.site else ""
        return f"{self.dataset.name}: ratings of images, release {self.version} ({self.dataset.slug}).{where}"

    @property
    def description(self) -> str:
        said = f"{self.dataset.description} " if self.dataset.description else ""
        return f"{said}{self.rating_count:,} ratings of {self.image_count:,} images, as of {self.moment}."

    @property
    def licence_url(self) -> str:
        return f"https://spdx.org/licenses/{self.dataset.ratings_licence}.html"
