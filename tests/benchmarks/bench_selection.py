"""Next image, in the cases that break naive designs: p99 at the large size against p99 at the small one."""

from collections.abc import Callable
from random import Random

import psycopg
from django.conf import settings

from accounts.access import Caller
from accounts.valkey import get_client
from ratings.models import Dataset
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import NoImageLeft, lease_images, refresh_tail_pool
from tests.benchmarks.data import add_ratings, fetch, image_id, make_callers, make_dataset, run, settle_down
from tests.benchmarks.load import percentile, time_calls
from tests.people import now

SMALL, LARGE = 10_000, 1_000_000
CALLS = 1_500
MANY = 50_000


def run_bench(*, large: int = LARGE) -> list[str]:
    """Print the ratio of p99 for each case; the target is 1.5 at most."""
    # A flush of a million leases makes Valkey pause; requests would go on without it, and measure something else.
    settings.VALKEY_TIMEOUT_SECONDS = 5.0
    small_set = make_dataset("small", number=2, image_count=SMALL)
    large_set = make_dataset("large", number=3, image_count=large)
    callers = make_callers(9, prefix="picker")
    cases = (
        _new_rater,
        _trusted_where_it_is_known_worst,
        _one_rare_model,
        _many_at_random,
        _many_in_one_run,
        _everything_rated,
        _mostly_leased,
        _nearly_finished,
    )
    return [_compare(case, small_set, large_set, callers) for case in cases]


def _compare(case: Callable, small_set: Dataset, large_set: Dataset, callers: list[Caller]) -> str:
    name = case.__name__.removeprefix("_").replace("_", " ")
    small, large = (_measure(case, dataset, callers) for dataset in (small_set, large_set))
    ratio = percentile(large, 0.99) / percentile(small, 0.99)
    middle, p99 = (percentile(large, share) * 1000 for share in (0.5, 0.99))
    middle_ratio = percentile(large, 0.5) / percentile(small, 0.5)
    return (
        f"next image, {name}: p99 ratio {ratio:.2f} (target <= 1.5), median ratio {middle_ratio:.2f}   "
        f"median {middle:.2f} ms, p99 {p99:.2f} ms"
    )


def _measure(case: Callable, dataset: Dataset, callers: list[Caller]) -> list[float]:
    get_client().flushdb()
    take = case(dataset, callers)
    settle_down()
    for number in range(100):
        take(number)
    return time_calls(take, CALLS)


def _taker(caller: Caller, dataset: Dataset, model_name: str = "") -> Callable[[int], None]:
    """Return a function that takes one image, as a caller who holds nothing."""
    dice = Random(7)

    def take(number: int) -> None:
        holder = Caller(*(getattr(caller, field) for field in caller.__slots__))
        object.__setattr__(holder, "holder", f"{caller.holder}:{number}")
        found = get_dataset_for_rating(dataset.slug)
        try:
            lease_images(caller=holder, dataset=found, model_name=model_name, count=1, now=now(), dice=dice)
        except NoImageLeft:
            return

    return take


def _new_rater(dataset: Dataset, callers: list[Caller]) -> Callable[[int], None]:
    return _taker(callers[0], dataset)


def _trusted_where_it_is_known_worst(dataset: Dataset, callers: list[Caller]) -> Callable[[int], None]:
    """A dataset with a policy: the scores of the images at hand are looked up."""
    run("UPDATE ratings_dataset SET order_policy = 'uncertainty' WHERE id = %(id)s", id=dataset.pk)
    run("UPDATE ratings_rater SET state = 'trusted' WHERE identity_id = %(id)s", id=callers[7].identity_id)
    run(
        """
        INSERT INTO ratings_imagescore (
            image_id, dataset_id, task, rating_count, counted_count, effective_count, standard_error
        )
        SELECT id, dataset_id, 'aesthetic', 1, 1, 1, 1 + abs(hashtext(id::text)) %% 100 / 100.0 FROM ratings_image
        WHERE dataset_id = %(id)s
        """,
        id=dataset.pk,
    )
    return _taker(callers[7], dataset)


def _one_rare_model(dataset: Dataset, callers: list[Caller]) -> Callable[[int], None]:
    """A hundred images of one model; all others are of another."""
    run(
        "UPDATE ratings_image SET model_name = 'rare' WHERE dataset_id = %(id)s AND source_id::int <= 100",
        id=dataset.pk,
    )
    return _taker(callers[6], dataset, "rare")


def _many_at_random(dataset: Dataset, callers: list[Caller]) -> Callable[[int], None]:
    """Half the small dataset, 50,000 of the large one."""
    share = min(0.5, MANY / dataset.image_count)
    add_ratings(callers[1], dataset=dataset, where=f"abs(hashtext(i.id::text)) %% 1000 < {share * 1000}")
    return _taker(callers[1], dataset)


def _many_in_one_run(dataset: Dataset, callers: list[Caller]) -> Callable[[int], None]:
    add_ratings(callers[2], dataset=dataset, where=f"n <= {min(MANY, dataset.image_count // 2)}")
    return _taker(callers[2], dataset)


def _everything_rated(dataset: Dataset, callers: list[Caller]) -> Callable[[int], None]:
    """One caller, so that the marker set by the first pass is what answers."""
    add_ratings(callers[3], dataset=dataset, where="true")
    found = get_dataset_for_rating(dataset.slug)

    def take(_: int) -> None:
        try:
            lease_images(caller=callers[3], dataset=found, count=1, now=now())
        except NoImageLeft:
            return

    for _ in range(dataset.image_count // 10_000 + 2):
        take(0)
    return take


def _mostly_leased(dataset: Dataset, callers: list[Caller]) -> Callable[[int], None]:
    """Nine in ten images are out as often as they need ratings."""
    run("UPDATE ratings_dataset SET target_rating_count = 1 WHERE id = %(id)s", id=dataset.pk)
    ending = int(now().timestamp() * 1000) + 30 * 60 * 1000
    number = 2 if dataset.slug == "small" else 3
    pipe = get_client().pipeline(transaction=False)
    for n in range(1, dataset.image_count + 1):
        if n % 10:
            pipe.zadd(f"kudoscope:image:{image_id(number, n).hex}", {"x": ending})
        if n % 10_000 == 0:
            pipe.execute()
    pipe.execute()
    return _taker(callers[4], dataset)


def _nearly_finished(dataset: Dataset, callers: list[Caller]) -> Callable[[int], None]:
    """A hundred open images left while a long snapshot keeps every dead index entry alive."""
    get_client().flushdb()
    snapshot = psycopg.connect(settings.DATABASE_URL)
    snapshot.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    snapshot.execute("SELECT 1 FROM ratings_image LIMIT 1")
    _OPEN_SNAPSHOTS.append(snapshot)
    run("UPDATE ratings_image SET is_open = false WHERE dataset_id = %(id)s AND source_id::int > 100", id=dataset.pk)
    refresh_tail_pool(dataset_id=dataset.pk)
    assert fetch("SELECT count(*) FROM ratings_image WHERE dataset_id = %(id)s AND is_open", id=dataset.pk) == [(100,)]
    return _taker(callers[5], dataset)


_OPEN_SNAPSHOTS: list[psycopg.Connection] = []
