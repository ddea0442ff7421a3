"""Goals of a week: on how many days somebody was there, without anything that could be lost by being away.

Three days a week by default, and a week that was missed takes nothing away if it is the only one of its month.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from accounts.queries import identities_of_person
from ratings.models import ActiveDay
from ratings.queries.preferences import my_preferences

WEEK = timedelta(days=7)
WEEKS_BACK = 26


@dataclass(frozen=True, slots=True)
class Week:
    """This week: active days of those aimed at, and for how many weeks the goal was reached, this one included.

    ``is_spared`` says that a week of this month was missed and passed over.
    """

    active_days: int
    goal: int
    weeks: int
    is_spared: bool

    @property
    def is_reached(self) -> bool:
        return self.active_days >= self.goal


def my_week(*, identity_id: int | None, today: date) -> Week:
    """Return the week of a person, under whichever of their identities they rated. Reads half a year of days."""
    goal = my_preferences(identity_id).weekly_goal
    if identity_id is None:
        return Week(0, goal, 0, is_spared=False)
    first = monday_of(today) - WEEK * WEEKS_BACK
    rows = ActiveDay.objects.filter(rater__identity__in=identities_of_person(identity_id), day__gte=first)
    return count_week(days=set(rows.values_list("day", flat=True)), goal=goal, today=today)


def days_this_week(*, identity_id: int | None, today: date) -> int:
    """Return on how many days of this week a person rated; for the rating page, which needs no more of the week."""
    if identity_id is None:
        return 0
    raters = {"rater__identity__in": identities_of_person(identity_id)}
    rows = ActiveDay.objects.filter(**raters, day__gte=monday_of(today), day__lte=today)
    return rows.values("day").distinct().count()


def count_week(*, days: Collection[date], goal: int, today: date) -> Week:
    """Return the week of ``today``, and go back from it until two weeks of one month were missed."""
    counts: dict[date, int] = {}
    for day in days:
        counts[monday_of(day)] = counts.get(monday_of(day), 0) + 1
    this_week = monday_of(today)
    weeks = int(counts.get(this_week, 0) >= goal)
    spared: set[tuple[int, int]] = set()
    passed_over: set[tuple[int, int]] = set()
    for back in range(1, WEEKS_BACK + 1):
        week = this_week - WEEK * back
        month = (week.year, week.month)
        if counts.get(week, 0) >= goal:
            weeks += 1
            spared |= passed_over  # A missed week counts as passed over only if there is something before it.
        elif month in passed_over:
            break
        else:
            passed_over.add(month)
    return Week(counts.get(this_week, 0), goal, weeks, (this_week.year, this_week.month) in spared)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())
