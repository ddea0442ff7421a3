"""Who acts in the administration, and ratings to act on."""

import pytest

from ratings.models import Rating
from ratings.services.rating import RatingSubmission, submit_rating
from tests.accounts.staff import make_moderator, make_staff, make_superuser
from tests.people import now
from tests.ratings.services.test_rating import PRICES


@pytest.fixture
def moderator(db):
    return make_moderator()


@pytest.fixture
def staff(db):
    return make_staff()


@pytest.fixture
def root(db):
    return make_superuser()


@pytest.fixture
def rate(lease):
    """Let somebody rate; return the ratings."""

    def give(person, count=1, **fields):
        values = {"aesthetic": 7, "artifacts": 1} | fields
        ids = []
        for _ in range(count):
            leased = lease(person.caller)
            submission = RatingSubmission(image_id=leased.image_id, lease=leased.lease, **values)
            ids.append(submit_rating(caller=person.caller, submission=submission, prices=PRICES, now=now()).rating_id)
        return list(Rating.objects.filter(pk__in=ids).order_by("pk"))

    return give
