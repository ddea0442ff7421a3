"""Why an answer was not taken, each in plain words: a rating, a revision of one, a skip, a report."""


class RatingRefused(Exception):
    """A rating was not stored; the message says why in plain words."""

    reason = "refused"


class RatingInvalid(RatingRefused):
    """A value is outside its scale."""

    reason = "invalid"


class NotLeased(RatingRefused):
    """The image was not handed out to this rater, or too long ago."""

    reason = "not_leased"


class AlreadyRated(RatingRefused):
    """This rater has rated the image already, or the lease was used."""

    reason = "already_rated"


class ImageUnavailable(RatingRefused):
    """The image was withdrawn, or its dataset closed, after it had been handed out."""

    reason = "image_unavailable"


class IdempotencyKeyReused(RatingRefused):
    """The same idempotency key came with another image."""

    reason = "idempotency_key_reused"
