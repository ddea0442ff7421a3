"""What a decision would do, told before it is taken: which rows change, and what that means."""

import uuid
from collections.abc import Sequence

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ratings.admin.decisions import Impact
from ratings.models import (
    OUT_OF_COUNT,
    Comparison,
    Dataset,
    DatasetState,
    Image,
    ImageStatus,
    Rater,
    Rating,
    RatingState,
)
from ratings.queries.raters import find_raters_of_person
from ratings.services.counters import VOIDABLE
from ratings.services.voiding import RESTORABLE

NEXT_RELEASE = gettext_lazy("The next release leaves them out; those that are published stay as they are.")
WHOLE_PERSON = gettext_lazy("Raters linked with this one, by the same person, are decided about with it: %(n)s.")
IN_QUARANTINE = Q(rater__state__in=OUT_OF_COUNT)


def weigh_void(rating_ids: Sequence[int]) -> Impact:
    """Tell what voiding would do; ratings that are void or superseded are passed over."""
    keys = _ratings_in(rating_ids, VOIDABLE)
    if not keys:
        return Impact((), [_("There is nothing to void: these ratings are void or superseded already.")])
    sums = _sum_up(keys)
    sentences = [
        count_of(len(keys), ngettext("%(n)s rating is voided.", "%(n)s ratings are voided.", len(keys))),
        _whose(sums),
        _("The scores of these images are counted anew without them; one that now has too few is handed out again."),
        str(NEXT_RELEASE),
        *some(sums["pending"], _("%(n)s kudos that are promised for them will not be paid.")),
        *some(
            sums["settled"],
            _(
                "%(n)s kudos that are already paid for them are taken back from the balances of their raters, "
                "as far as these reach; the loss account bears the rest."
            ),
        ),
        *passed_over(len(set(rating_ids)) - len(keys), _("void or superseded already")),
    ]
    return Impact(keys, sentences)


def weigh_restore(rating_ids: Sequence[int]) -> Impact:
    """Tell what restoring would do; only void and held ratings can be restored."""
    keys = _ratings_in(rating_ids, RESTORABLE)
    if not keys:
        return Impact((), [_("There is nothing to restore: none of these ratings is void or held.")])
    sums = _sum_up(keys)
    quarantined = sums["quarantined"]
    sentences = [
        count_of(len(keys), ngettext("%(n)s rating is restored.", "%(n)s ratings are restored.", len(keys))),
        _whose(sums),
        _("They count in the scores of these images."),
        *some(quarantined, _("%(n)s of them are by raters in quarantine: they stay there and do not count.")),
        *some(sums["pending"], _("%(n)s kudos for them are promised again.")),
        *some(sums["debited"], _("%(n)s kudos that voiding took go back to the balances of their raters.")),
        *passed_over(len(set(rating_ids)) - len(keys), _("neither void nor held")),
    ]
    return Impact(keys, sentences)


def weigh_hide(image_ids: Sequence[uuid.UUID]) -> Impact:
    """Tell what hiding would do; only active images can be hidden."""
    keys, rating_count = _images_in(image_ids, ImageStatus.ACTIVE)
    if not keys:
        return Impact((), [_("There is nothing to hide: none of these images is shown now.")])
    sentences = [
        count_of(
            len(keys),
            ngettext(
                "%(n)s image is shown to nobody any more.", "%(n)s images are shown to nobody any more.", len(keys)
            ),
        ),
        _("Whoever has it before them just now can no longer rate it and is given the next one."),
        _keeps(rating_count),
        str(NEXT_RELEASE),
        *passed_over(len(set(image_ids)) - len(keys), _("not shown now")),
    ]
    return Impact(keys, sentences)


def weigh_show(image_ids: Sequence[uuid.UUID]) -> Impact:
    """Tell what restoring would do; only hidden images can be restored."""
    keys, rating_count = _images_in(image_ids, ImageStatus.HIDDEN)
    if not keys:
        return Impact((), [_("There is nothing to restore: none of these images is hidden.")])
    wanting = Image.objects.filter(pk__in=keys, rating_count__lt=F("dataset__target_rating_count")).count()
    sentences = [
        count_of(len(keys), ngettext("%(n)s image is shown again.", "%(n)s images are shown again.", len(keys))),
        *some(wanting, _("%(n)s of them have too few ratings and are handed out again.")),
        _keeps(rating_count),
        *passed_over(len(set(image_ids)) - len(keys), _("not hidden")),
    ]
    return Impact(keys, sentences)


def weigh_pause(dataset_ids: Sequence[uuid.UUID]) -> Impact:
    """Tell what pausing the dataset would do."""
    return _weigh_state(
        dataset_ids,
        DatasetState.PAUSED,
        _("No image of %(name)s (%(n)s images) is handed out any more."),
        _("What has been handed out may still be rated."),
    )


def weigh_open(dataset_ids: Sequence[uuid.UUID]) -> Impact:
    """Tell what opening the dataset would do."""
    return _weigh_state(
        dataset_ids, DatasetState.OPEN, _("Images of %(name)s (%(n)s images) are handed out and rated again."), ""
    )


def weigh_quarantine(rater_ids: Sequence[int]) -> Impact:
    """Tell what putting a rater, and with it the person, into quarantine would do."""
    person = _person_of(rater_ids).exclude(state__in=OUT_OF_COUNT)
    if not person:
        return Impact((), [_("There is nothing to do: this rater is in quarantine already, or is everybody at once.")])
    count = sum(rater.counted_count for rater in person)
    sentences = [
        count_of(count, ngettext("%(n)s rating stops counting.", "%(n)s ratings stop counting.", count)),
        *some(_comparisons_of(person, RatingState.COUNTED), _("Comparisons that stop counting: %(n)s.")),
        *some(len(person) - 1, str(WHOLE_PERSON)),
        _("What this rater gives from now on is kept, and does not count either."),
        _("Images that now have too few ratings are handed out again."),
        _("Kudos that are promised are not paid before the quarantine ends; those that are paid stay paid."),
        str(NEXT_RELEASE),
    ]
    return Impact(rater_ids[:1], sentences)


def weigh_end(rater_ids: Sequence[int]) -> Impact:
    """Tell what ending a quarantine would do."""
    person = _person_of(rater_ids).filter(state__in=OUT_OF_COUNT)
    if not person:
        return Impact((), [_("There is nothing to do: this rater is not in quarantine.")])
    count = Rating.objects.filter(rater__in=person, state=RatingState.QUARANTINED).count()
    sentences = [
        count_of(count, ngettext("%(n)s rating counts again.", "%(n)s ratings count again.", count)),
        *some(_comparisons_of(person, RatingState.QUARANTINED), _("Comparisons that count again: %(n)s.")),
        *some(len(person) - 1, str(WHOLE_PERSON)),
        _("What this rater gives from now on counts; kudos that were promised are paid."),
    ]
    return Impact(rater_ids[:1], sentences)


def weigh_validate(rater_ids: Sequence[int]) -> Impact:
    """Tell what vouching for a rater would do."""
    return _weigh_trust(
        rater_ids, _("Ratings of this rater say from now on that a moderator vouches for them."), to=True
    )


def weigh_end_validation(rater_ids: Sequence[int]) -> Impact:
    """Tell what no longer vouching for a rater would do."""
    return _weigh_trust(
        rater_ids,
        _("Ratings of this rater no longer say that a moderator vouches for them; those given so far still do."),
        to=False,
    )


def _person_of(rater_ids: Sequence[int]) -> QuerySet[Rater]:
    """Return the raters of the person whom one rater is decided about with; none for everybody at once."""
    rater = Rater.objects.filter(pk__in=rater_ids, is_shared=False).first()
    return Rater.objects.filter(pk__in=find_raters_of_person(rater.pk)) if rater else Rater.objects.none()


def _comparisons_of(person: QuerySet[Rater], state: RatingState) -> int:
    return Comparison.objects.filter(rater__in=person, state=state).count()


def _weigh_trust(rater_ids: Sequence[int], effect: str, *, to: bool) -> Impact:
    rater = Rater.objects.filter(pk__in=rater_ids, is_shared=False, is_trusted=not to).first()
    if rater is None:
        return Impact((), [_("There is nothing to do: it is like that already, or this rater is everybody at once.")])
    return Impact([rater.pk], [effect, _("Nothing else changes: no rating, no score, no kudos.")])


def _weigh_state(dataset_ids: Sequence[uuid.UUID], state: DatasetState, effect: str, more: str) -> Impact:
    dataset = Dataset.objects.filter(pk__in=dataset_ids).first()
    if dataset is None or dataset.state == state:
        return Impact((), [_("There is nothing to do: the dataset is in this state already.")])
    sentences = [
        effect % {"name": dataset.name, "n": f"{dataset.image_count:,}"},
        _("It is now %(state)s.") % {"state": dataset.get_state_display()},
        more,
        _("Its ratings, scores and releases stay as they are."),
    ]
    return Impact([dataset.pk], [sentence for sentence in sentences if sentence])


def _ratings_in(rating_ids: Sequence[int], states: Sequence[str]) -> list[int]:
    rows = Rating.objects.filter(pk__in=rating_ids, state__in=states)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _images_in(image_ids: Sequence[uuid.UUID], status: ImageStatus) -> tuple[list[uuid.UUID], int]:
    rows = Image.objects.filter(pk__in=image_ids, status=status).order_by("pk").values_list("pk", "rating_count")
    pairs = list(rows)
    return [key for key, _given in pairs], sum(given for _key, given in pairs)


def _sum_up(rating_ids: Sequence[int]) -> dict[str, int]:
    return Rating.objects.filter(pk__in=rating_ids).aggregate(
        raters=Count("rater", distinct=True),
        images=Count("image", distinct=True),
        quarantined=Count("pk", filter=IN_QUARANTINE),
        pending=Sum("reward", filter=Q(settlement=None) & ~IN_QUARANTINE, default=0),
        settled=Sum("reward", filter=Q(settlement__isnull=False), default=0),
        debited=Sum("void_debit", filter=Q(state=RatingState.VOIDED), default=0),
    )


def _whose(sums: dict[str, int]) -> str:
    raters = count_of(sums["raters"], ngettext("%(n)s rater", "%(n)s raters", sums["raters"]))
    images = count_of(sums["images"], ngettext("%(n)s image", "%(n)s images", sums["images"]))
    return _("They are by %(raters)s, of %(images)s.") % {"raters": raters, "images": images}


def count_of(number: int, sentence: str) -> str:
    return sentence % {"n": f"{number:,}"}


def some(number: int, sentence: str) -> list[str]:
    return [count_of(number, sentence)] if number else []


def passed_over(number: int, why: str) -> list[str]:
    sentence = ngettext(
        "%(n)s of the selected rows is %(why)s and stays as it is.",
        "%(n)s of the selected rows are %(why)s and stay as they are.",
        number,
    )
    return [sentence % {"n": f"{number:,}", "why": why}] if number else []


def _keeps(rating_count: int) -> str:
    return count_of(
        rating_count, ngettext("Its %(n)s rating is kept.", "The %(n)s ratings given so far are kept.", rating_count)
    )
