"""What a decision about comparisons would do, told before it is taken."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ratings.admin.decisions import Impact
from ratings.admin.impact import IN_QUARANTINE, NEXT_RELEASE, count_of, passed_over, some
from ratings.models import Comparison, RatingState
from ratings.services.counters import VOIDABLE
from ratings.services.voiding import RESTORABLE


def weigh_comparisons_voided(comparison_ids: Sequence[int]) -> Impact:
    """Tell what voiding would do; comparisons that are void or superseded are passed over."""
    keys = _comparisons_in(comparison_ids, VOIDABLE)
    if not keys:
        return Impact((), [_("There is nothing to void: these comparisons are void or superseded already.")])
    sums = _sum_up(keys)
    sentences = [
        count_of(len(keys), ngettext("%(n)s comparison is voided.", "%(n)s comparisons are voided.", len(keys))),
        _whose(sums),
        str(NEXT_RELEASE),
        *some(sums["pending"], _("%(n)s kudos that are promised for them will not be paid.")),
        *some(
            sums["settled"],
            _(
                "%(n)s kudos that are already paid for them are taken back from the balances of their raters, "
                "as far as these reach; the loss account bears the rest."
            ),
        ),
        *passed_over(len(set(comparison_ids)) - len(keys), _("void or superseded already")),
    ]
    return Impact(keys, sentences)


def weigh_comparisons_restored(comparison_ids: Sequence[int]) -> Impact:
    """Tell what restoring would do; only void and held comparisons can be restored."""
    keys = _comparisons_in(comparison_ids, RESTORABLE)
    if not keys:
        return Impact((), [_("There is nothing to restore: none of these comparisons is void or held.")])
    sums = _sum_up(keys)
    sentences = [
        count_of(len(keys), ngettext("%(n)s comparison is restored.", "%(n)s comparisons are restored.", len(keys))),
        _whose(sums),
        *some(sums["quarantined"], _("%(n)s of them are by raters in quarantine: they stay there and do not count.")),
        *some(sums["pending"], _("%(n)s kudos for them are promised again.")),
        *some(sums["debited"], _("%(n)s kudos that voiding took go back to the balances of their raters.")),
        *passed_over(len(set(comparison_ids)) - len(keys), _("neither void nor held")),
    ]
    return Impact(keys, sentences)


def _comparisons_in(comparison_ids: Sequence[int], states: Sequence[str]) -> list[int]:
    rows = Comparison.objects.filter(pk__in=comparison_ids, state__in=states)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _sum_up(comparison_ids: Sequence[int]) -> dict[str, Any]:
    return Comparison.objects.filter(pk__in=comparison_ids).aggregate(
        raters=Count("rater", distinct=True),
        sets=Count("image_set", distinct=True),
        quarantined=Count("pk", filter=IN_QUARANTINE),
        pending=Sum("reward", filter=Q(settlement=None) & ~IN_QUARANTINE, default=0),
        settled=Sum("reward", filter=Q(settlement__isnull=False), default=0),
        debited=Sum("void_debit", filter=Q(state=RatingState.VOIDED), default=0),
    )


def _whose(sums: dict[str, Any]) -> str:
    raters = count_of(sums["raters"], ngettext("%(n)s rater", "%(n)s raters", sums["raters"]))
    sets = count_of(sums["sets"], ngettext("%(n)s set", "%(n)s sets", sums["sets"]))
    return _("They are by %(raters)s, of %(sets)s.") % {"raters": raters, "sets": sets}
