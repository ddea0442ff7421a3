"""Images that a rater did not want to rate."""

import uuid
from datetime import datetime

from accounts.access import Caller
from ratings.models import Image, Rater, Skip
from ratings.services.proving import prove_token, use_up
from ratings.services.rater import ensure_rater


def skip_image(*, caller: Caller, image_id: uuid.UUID, lease: str, reason: str = "", now: datetime) -> None:
    """Do not offer an image that was handed out to this rater again. Raises NotLeased."""
    proven = prove_token(caller, image_id, lease, now_ms=int(now.timestamp() * 1000))
    dataset_id = Image.objects.values_list("dataset_id", flat=True).get(pk=image_id)
    rater = Rater.objects.get(identity_id=ensure_rater(caller, now=now))
    Skip.objects.bulk_create(
        [Skip(rater=rater, image_id=image_id, reason=reason[:16], created_at=now)], ignore_conflicts=True
    )
    use_up(caller, proven, dataset_id=dataset_id, is_rated=False)
