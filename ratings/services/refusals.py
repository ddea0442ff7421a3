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


class WrongBytes(RatingRefused):
    """What was shown was not this image: the hash of its bytes is none of ours."""

    reason = "wrong_bytes"


class RatingLocked(RatingRefused):
    """The rating can be revised no more."""

    reason = "locked"


class NotComplete(RatingRefused):
    """What others said is not shown yet: the image is still being rated."""

    reason = "locked"


class NoSuchRating(RatingRefused):
    """There is no such rating, or it is somebody else's."""

    reason = "not_found"
