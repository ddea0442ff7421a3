"""What moderators decide about datasets and images; each decision leaves an action on record."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from accounts.models import User
from ratings.models import (
    ActionKind,
    Dataset,
    DatasetState,
    Image,
    ImageStatus,
    ModerationAction,
    Report,
    ReportState,
)


def pause_dataset(*, dataset: Dataset, by: User, reason: str, now: datetime) -> ModerationAction:
    """Hand out no more images; what was handed out may still be rated."""
    return _set_dataset_state(dataset, DatasetState.PAUSED, ActionKind.PAUSE_DATASET, by, reason, now)


def open_dataset(*, dataset: Dataset, by: User, reason: str, now: datetime) -> ModerationAction:
    """Hand out images again."""
    return _set_dataset_state(dataset, DatasetState.OPEN, ActionKind.OPEN_DATASET, by, reason, now)


def hide_images(*, image_ids: Sequence[uuid.UUID], by: User | None, reason: str, now: datetime) -> ModerationAction:
    """Show images to nobody; their ratings are kept. Without ``by`` it is the service that does it, after reports."""
    with transaction.atomic():
        _lock_images(image_ids)
        rows = Image.objects.filter(pk__in=image_ids, status=ImageStatus.ACTIVE)
        count = rows.update(status=ImageStatus.HIDDEN, is_open=False)
        return _record(ActionKind.HIDE_IMAGE, _names(image_ids), count, by, reason, now)


def restore_images(*, image_ids: Sequence[uuid.UUID], by: User, reason: str, now: datetime) -> ModerationAction:
    """Show hidden images again; those below their target are handed out again.

    What was reported of them is settled by that: their open reports are dismissed, and hide nothing any more.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        _lock_images(image_ids)
        cursor.execute(
            """
            UPDATE ratings_image i SET status = 'active',
                is_open = i.rating_count < coalesce(i.wanted_count, d.target_rating_count)
            FROM ratings_dataset d WHERE d.id = i.dataset_id AND i.id = ANY(%s) AND i.status = 'hidden'
            RETURNING i.id
            """,
            [list(image_ids)],
        )
        restored = [image_id for (image_id,) in cursor.fetchall()]
        Report.objects.filter(image__in=restored, state=ReportState.OPEN).update(state=ReportState.DISMISSED)
        return _record(ActionKind.RESTORE_IMAGE, _names(image_ids), len(restored), by, reason, now)


def _lock_images(image_ids: Sequence[uuid.UUID]) -> None:
    """Lock in the order of ids, as whoever locks several images does."""
    list(Image.objects.filter(pk__in=image_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _set_dataset_state(
    dataset: Dataset, state: DatasetState, kind: ActionKind, by: User, reason: str, now: datetime
) -> ModerationAction:
    with transaction.atomic():
        count = Dataset.objects.filter(pk=dataset.pk).exclude(state=state).update(state=state)
        return _record(kind, dataset.slug, count, by, reason, now)


def _record(kind: ActionKind, target: str, count: int, by: User | None, reason: str, now: datetime) -> ModerationAction:
    return ModerationAction.objects.create(
        kind=kind, taken_at=now, taken_by=by, target=target[:200], affected_count=count, reason=reason
    )


def _names(image_ids: Sequence[uuid.UUID]) -> str:
    return str(image_ids[0]) if len(image_ids) == 1 else f"{len(image_ids)} images"
