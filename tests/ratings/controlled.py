"""Datasets with gold, and people who meet it."""

from random import Random

from django.db import connection

from accounts.valkey import ask_valkey
from ratings.leases.token import kind_of_lease, verify_lease
from ratings.models import ControlAnswer, GoldImage, Rating
from ratings.queries.datasets import get_dataset_for_rating
from ratings.rewards import PriceList
from ratings.selection import lease_images
from ratings.services.rating import RatingSubmission, submit_rating
from tests.factories import make_images
from tests.people import now
from tests.ratings.services.scoring_crowd import COUNT_IMAGES, COUNT_RATERS

PRICES = PriceList(rating=5, artifacts=2, best_of_set=15)
ALL_GOLD = {"first_gold": 1000, "first_ratings": 1000, "repeat_share": 0}
NO_GOLD = {"first_gold": 0, "gold_share": 0, "trusted_gold_share": 0, "repeat_share": 0, "raise_share": 0}


def make_gold(dataset, count=30, **fields):
    """Make images that are gold, with scores from 2 to 9, evenly."""
    images = make_images(dataset, count, rating_count=0, is_open=False, wanted_count=0)
    GoldImage.objects.bulk_create(
        GoldImage(
            **{
                "image": image,
                "dataset": dataset,
                "state": "in_use",
                "aesthetic": 2 + 7 * place / max(count - 1, 1),
                "artifacts": 5 - 5 * place / max(count - 1, 1),
                "aesthetic_share": (place + 0.5) / count,
                "artifacts_share": 1 - (place + 0.5) / count,
            }
            | fields
        )
        for place, image in enumerate(images)
    )
    return images


def kind_of(caller, leased, *, at=None):
    """Return what a lease is, as only the service can know."""
    lease = verify_lease(leased.lease, holder=caller.holder, now_ms=int((at or now()).timestamp() * 1000))
    return kind_of_lease(lease.lease_id).name.lower()


def take(caller, dataset, *, count=1, at=None, seed=None, **options):
    dice = None if seed is None else Random(seed)
    found = get_dataset_for_rating(dataset.slug)
    return lease_images(caller=caller, dataset=found, count=count, now=at or now(), dice=dice, **options)


def take_kind(caller, dataset, kind, **options):
    """Take images until one is of a kind; give the others an answer."""
    for _ in range(200):
        [leased] = take(caller, dataset, **options)
        if kind_of(caller, leased, at=options.get("at")) == kind:
            return leased
        answer(caller, leased)
    raise AssertionError(f"no {kind} among 200 images")


def answer(caller, leased, *, at=None, **fields):
    values = {"aesthetic": 7, "artifacts": 1, "lease": leased.lease, "image_id": leased.image_id} | fields
    return submit_rating(caller=caller, submission=RatingSubmission(**values), prices=PRICES, now=at or now())


def counts():
    return Rating.objects.count(), ControlAnswer.objects.count()


def valkey_forget(caller):
    """Forget what a caller has taken, so that taking many is no reason to give none."""
    ask_valkey("tests", lambda valkey: valkey.delete(f"kudoscope:took:{caller.holder}"))


def count_rows():
    """Bring the counters into line with the rows."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_IMAGES)
        cursor.execute(COUNT_RATERS)
