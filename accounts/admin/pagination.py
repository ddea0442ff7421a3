"""Lists that stay fast whatever the table holds."""

from functools import cached_property
from typing import Any, cast

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import connection, models
from django.http import HttpRequest
from django.utils.translation import gettext as _

# Beyond this many rows nobody needs an exact number, and no page is reached by leafing through.
COUNT_LIMIT = 10_000


class BoundedPaginator(Paginator):
    """Counts at most ``COUNT_LIMIT`` rows and one, and asks the statistics for the size of a whole table.

    Pages end where counting ends, because PostgreSQL walks over every row that a far page skips.
    """

    @cached_property
    def count(self) -> int:
        rows = cast("models.QuerySet[Any]", self.object_list)
        # The statistics may lag behind, so they are believed only where they say "many".
        if self._is_whole_table and (estimate := estimate_row_count(rows.query.get_meta().db_table)) > COUNT_LIMIT:
            return estimate
        return rows.order_by()[: COUNT_LIMIT + 1].count()

    @cached_property
    def num_pages(self) -> int:
        return max(1, -(-min(self.count, COUNT_LIMIT) // self.per_page))

    @property
    def is_cut(self) -> bool:
        """Return whether there are rows that no page shows."""
        return self.count > COUNT_LIMIT

    @property
    def count_text(self) -> str:
        """Return the number of rows as a person should read it."""
        if not self.is_cut:
            return f"{self.count:,}"
        if self._is_whole_table:
            return _("about %(count)s") % {"count": f"{_round_to_three_digits(self.count):,}"}
        return _("more than %(count)s") % {"count": f"{COUNT_LIMIT:,}"}

    @property
    def _is_whole_table(self) -> bool:
        return not cast("models.QuerySet[Any]", self.object_list).query.where


class IndexedChangeList(ChangeList):
    """Keeps to the order of the table's administration, which an index gives and which ends with a unique column.

    ``?o=3`` in an address would sort the whole table.
    """

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> list[Any]:
        del queryset
        return list(self.model_admin.get_ordering(request))


def estimate_row_count(table: str) -> int:
    """Return how many rows the planner believes a table to have; 0 or less when it has not looked yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        return int(cursor.fetchone()[0])


def _round_to_three_digits(number: int) -> int:
    scale = 10 ** max(0, len(str(number)) - 3)
    return round(number / scale) * scale
