"""Reads of how a person wants the rating page."""

from dataclasses import dataclass, field
from datetime import datetime

from ratings.models import AdultClass, PagePreferences

ADULT_CLASSES = (AdultClass.SUGGESTIVE.value, AdultClass.ADULT.value)
ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Preferences:
    """What holds for the page: stated by the person, or what everybody begins with."""

    keys: dict[str, str] = field(default_factory=dict)
    keys_on: bool = True
    auto_advance: bool = True
    daily_goal: int = 50
    weekly_goal: int = 3
    reduced_data: bool = False
    adult_classes: tuple[str, ...] = ()
    birth_year: int | None = None
    trained_at: datetime | None = None


def my_preferences(identity_id: int | None) -> Preferences:
    """Return the preferences of an identity, or the defaults."""
    row = None if identity_id is None else PagePreferences.objects.filter(identity_id=identity_id).first()
    if row is None:
        return Preferences()
    return Preferences(
        row.keys,
        row.keys_on,
        row.auto_advance,
        row.daily_goal,
        row.weekly_goal,
        row.reduced_data,
        tuple(row.adult_classes),
        row.birth_year,
        row.trained_at,
    )


def is_of_age(birth_year: int | None, *, now: datetime) -> bool:
    """Return whether who was born in that year is 18 for certain: their birthday may be on the last day of the year."""
    return birth_year is not None and now.year - birth_year > ADULT_AGE


def adult_classes_of(*, user_id: int | None) -> tuple[str, ...]:
    """Return the classes of images, besides safe ones, that a user asked for; nobody without an account may."""
    if user_id is None:
        return ()
    rows = PagePreferences.objects.filter(identity__user_id=user_id, identity__kind="account")
    classes = rows.values_list("adult_classes", flat=True).first()
    return tuple(classes or ())
