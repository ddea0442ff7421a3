from datetime import timedelta
from itertools import product
from random import Random

import pytest
from django.db import connection

from accounts import valkey
from ratings.leases import book
from ratings.leases.token import LIVE_MS, verify_lease
from ratings.models import Dataset, Image, ImageScore, Rater, Rating, Skip
from ratings.queries.candidates import LARGEST_KEY, SMALLEST_KEY, WINDOWS
from ratings.queries.datasets import get_dataset_for_rating
from ratings.rewards import PriceList
from ratings.selection import NoImageLeft, TooManyLeases, lease_images, refresh_tail_pool
from ratings.services.rating import RatingSubmission, submit_rating
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, make_stranger, now

pytestmark = pytest.mark.django_db
PRICES = PriceList(rating=5, artifacts=0, best_of_set=15)


def take(caller, count=1, *, slug="demo", at=None, dice=None):
    return lease_images(caller=caller, dataset=get_dataset_for_rating(slug), count=count, now=at or now(), dice=dice)


def take_in_vain(caller):
    with pytest.raises(NoImageLeft):
        take(caller)


def rate(caller, leased):
    submission = RatingSubmission(image_id=leased.image_id, aesthetic=5, lease=leased.lease)
    return submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())


def give_back(caller, dataset, leased):
    """Take a lease off the book without a rating."""
    lease = verify_lease(leased.lease, holder=caller.holder, now_ms=int(now().timestamp() * 1000))
    book.forget_lease(
        holder=caller.holder,
        crowd="",
        image_id=lease.image_id,
        lease_id=lease.lease_id,
        dataset_id=dataset.pk,
        is_rated=False,
    )


def rate_all(caller, dataset):
    """Record, without leases, that a caller has rated every image of a dataset."""
    rater = Rater.objects.get(identity_id=caller.identity_id)
    images = Image.objects.filter(dataset=dataset)
    Rating.objects.bulk_create(
        Rating(
            dataset=dataset,
            image=i,
            rater=rater,
            aesthetic=5,
            proof="lease",
            client_agent="t",
            scale_version=1,
            state="held",
        )
        for i in images
    )


def test_it_works(rater, dataset):
    [leased] = take(rater.caller)
    assert Image.objects.filter(pk=leased.image_id, dataset=dataset, is_open=True).exists()
    assert (leased.dataset_id, leased.width, leased.height, leased.scale_version) == (dataset.pk, 768, 768, 1)
    assert len(leased.lease) == 66


def test_it_hands_out_every_image_once_and_then_says_so(rater, dataset, adds_up):
    seen = []
    for _ in range(20):
        [leased] = take(rater.caller)
        rate(rater.caller, leased)
        seen.append(leased.image_id)
    assert len(set(seen)) == 20
    with pytest.raises(NoImageLeft):
        take(rater.caller)
    adds_up()


def test_it_never_hands_out_an_image_that_the_caller_holds(rater, dataset):
    images = {leased.image_id for _ in range(10) for leased in take(rater.caller, 2)}
    assert len(images) == 20


def test_it_gives_as_many_as_asked_for_up_to_ten(rater, dataset):
    assert len(take(rater.caller, 4)) == 4
    assert len(take(rater.caller, 99)) == 10


def test_it_hands_the_oldest_out_again_once_twenty_are_held(rater, dataset):
    make_images(dataset, 10)
    held = [take(rater.caller)[0] for _ in range(20)]
    again = [take(rater.caller)[0] for _ in range(3)]
    assert [a.image_id for a in again] == [h.image_id for h in held[:3]]
    assert [a.lease for a in again] == [h.lease for h in held[:3]]


def test_it_gives_what_there_is_room_for(rater, dataset):
    make_images(dataset, 10)
    for _ in range(18):
        take(rater.caller)
    assert len(take(rater.caller, 4)) == 2


def test_it_hands_out_new_ones_again_once_some_are_rated(rater, dataset):
    make_images(dataset, 10)
    held = [take(rater.caller)[0] for _ in range(20)]
    rate(rater.caller, held[5])
    assert take(rater.caller)[0].image_id not in {h.image_id for h in held}


def test_it_hands_a_forgotten_image_out_again_when_nothing_new_is_left(rater, dataset):
    start = now()
    held = [take(rater.caller, at=start + timedelta(milliseconds=n))[0] for n in range(20)]
    Image.objects.exclude(pk__in=[held[0].image_id, held[1].image_id]).update(is_open=False)
    for leased in held[2:]:
        give_back(rater.caller, dataset, leased)
    with pytest.raises(NoImageLeft):
        take(rater.caller, at=start + timedelta(seconds=10))
    again = [take(rater.caller, at=start + timedelta(seconds=61 + n))[0].image_id for n in range(2)]
    assert again == [held[0].image_id, held[1].image_id]


def test_it_refuses_those_who_take_much_and_rate_nothing(rater, dataset, monkeypatch):
    monkeypatch.setattr(book, "FREE_LEASES", 3)
    start = now()
    for _ in range(3):
        take(rater.caller)
    assert take(rater.caller)  # one of the three again
    for _ in range(3):
        again = take(rater.caller, at=start + timedelta(minutes=29))[0]
        give_back(rater.caller, dataset, again)
    with pytest.raises(TooManyLeases):
        take(rater.caller, at=start + timedelta(seconds=59))
    assert take(rater.caller, at=start + timedelta(minutes=30))


def test_it_lets_those_who_rate_take_more(rater, dataset, monkeypatch):
    monkeypatch.setattr(book, "FREE_LEASES", 1)
    first = take(rater.caller)[0]
    rate(rater.caller, first)
    assert len({take(rater.caller)[0].image_id for _ in range(5)} - {first.image_id}) == 5


def test_it_does_not_over_serve(dataset):
    Dataset.objects.update(target_rating_count=2)
    Image.objects.exclude(pk=Image.objects.first().pk).update(is_open=False)
    take(make_person().caller)
    take(make_person().caller)
    with pytest.raises(NoImageLeft, match="with a rater"):
        take(make_person().caller)


def test_it_hands_an_image_out_again_when_a_lease_has_ended(dataset):
    Dataset.objects.update(target_rating_count=1)
    Image.objects.exclude(pk=Image.objects.first().pk).update(is_open=False)
    one, other = make_person(), make_person()
    [first] = take(one.caller)
    [second] = take(other.caller, at=now() + timedelta(milliseconds=LIVE_MS + 1000))
    assert first.image_id == second.image_id
    assert first.lease != second.lease


def test_it_passes_over_what_was_rated_or_skipped(rater, dataset):
    rate_all(rater.caller, dataset)
    rater_row = Rater.objects.get(identity_id=rater.identity_id)
    fresh, skipped = make_images(dataset, 2)
    Skip.objects.create(rater=rater_row, image=skipped)
    assert take(rater.caller, 5)[0].image_id == fresh.pk


@pytest.mark.parametrize(
    "change",
    [
        {"is_open": False, "status": "hidden"},
        {"is_open": False, "status": "pending"},
        {"adult_class": "adult"},
        {"adult_class": "unknown"},
        {"is_open": False},
    ],
    ids=str,
)
def test_it_never_hands_out_what_is_closed_or_not_safe(rater, dataset, change):
    Image.objects.update(**change)
    with pytest.raises(NoImageLeft):
        take(rater.caller)


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_it_hands_out_nothing_of_a_dataset_that_is_not_open(rater, dataset, state):
    Dataset.objects.update(state=state)
    with pytest.raises(NoImageLeft):
        take(rater.caller)


def test_it_keeps_to_the_dataset(rater, dataset):
    other = DatasetFactory(slug="other")
    make_images(other, 1)
    assert take(rater.caller, 9, slug="other")[0].dataset_id == other.pk
    with pytest.raises(NoImageLeft):
        take(rater.caller, slug="other")


def test_it_orders_independently_between_raters(dataset):
    make_images(dataset, 200)
    orders = [[take(make_person().caller, dice=Random(seed))[0].image_id for seed in (n,)] for n in range(12)]
    assert len({order[0] for order in orders}) > 6


def test_it_tells_people_behind_the_shared_key_apart(dataset):
    Image.objects.exclude(pk=Image.objects.first().pk).update(is_open=False)
    one, other = make_stranger("1"), make_stranger("2")
    rate(one, take(one)[0])
    with pytest.raises(NoImageLeft):
        take(one)
    assert take(other)


def test_it_remembers_for_a_while_that_everything_is_rated(rater, dataset):
    rate_all(rater.caller, dataset)
    with pytest.raises(NoImageLeft):
        take(rater.caller)
    found = get_dataset_for_rating("demo")
    state = book.read_selection_state(
        holder=rater.caller.holder, dataset_id=found.id, shelf="", sample_size=1, now_ms=0
    )
    assert state.is_exhausted
    assert statements_of(lambda: take_in_vain(rater.caller)) == 1  # the dataset


def test_it_finds_the_few_images_left_to_a_rater_who_rated_the_rest(rater, dataset):
    make_images(dataset, 3000)
    rate_all(rater.caller, dataset)
    left = make_images(dataset, 3)
    found = {take(rater.caller)[0].image_id for _ in range(3)}
    assert found == {image.pk for image in left}


def test_it_finds_what_is_left_in_a_nearly_finished_dataset_from_the_pool(rater, dataset):
    make_images(dataset, 500, is_open=False, rating_count=5, aesthetic_sum=25)
    assert refresh_tail_pool(dataset_id=dataset.pk) == 20
    for _ in range(20):
        rate(rater.caller, take(rater.caller)[0])
    with pytest.raises(NoImageLeft):
        take(rater.caller)


def test_the_pool_is_empty_while_much_is_open(dataset, monkeypatch):
    monkeypatch.setattr("ratings.selection.TAIL_LIMIT", 19)
    assert refresh_tail_pool(dataset_id=dataset.pk) == 0
    assert book.read_tail(dataset_id=dataset.pk) == []


def test_a_stale_pool_hands_out_nothing_that_is_closed(rater, dataset):
    refresh_tail_pool(dataset_id=dataset.pk)
    Image.objects.update(is_open=False)
    with pytest.raises(NoImageLeft):
        take(rater.caller)


def test_a_finished_dataset_is_not_searched(rater, dataset):
    Image.objects.update(is_open=False)
    refresh_tail_pool(dataset_id=dataset.pk)
    assert statements_of(lambda: take_in_vain(rater.caller)) == 1
    Image.objects.update(is_open=True)
    refresh_tail_pool(dataset_id=dataset.pk)
    assert take(rater.caller)


def test_images_that_come_later_are_found_by_those_who_had_rated_everything(rater, dataset):
    make_images(dataset, 5000)
    rate_all(rater.caller, dataset)
    with pytest.raises(NoImageLeft):
        take(rater.caller)
    fresh = {image.pk for image in make_images(dataset, 2)}
    valkey.get_client().delete(*valkey.get_client().keys("kudoscope:exhausted:*"))  # as after a minute
    assert {take(rater.caller)[0].image_id for _ in range(2)} == fresh


def test_browsers_without_a_cookie_cannot_take_everything(dataset, monkeypatch):
    from accounts.access import browser_caller

    monkeypatch.setattr(book, "MAX_OPEN_OF_CROWD", 6)
    taken = [leased for n in range(6) for leased in take(browser_caller(f"{n:032x}", "c" * 32))]
    with pytest.raises(TooManyLeases):
        take(browser_caller("f" * 32, "c" * 32))
    assert take(browser_caller("e" * 32, "d" * 32))
    rate(browser_caller("0" * 32, "c" * 32), taken[0])
    assert take(browser_caller("f" * 32, "c" * 32))


def test_it_goes_on_without_valkey(rater, dataset, settings):
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    [leased] = take(rater.caller)
    assert rate(rater.caller, leased).state == "counted"


def test_it_asks_a_silent_valkey_for_a_tenth_of_a_second_only(rater, dataset, silent_valkey):
    import time

    start = time.monotonic()
    for _ in range(10):
        take(rater.caller)
    assert time.monotonic() - start < 3.0


@pytest.fixture
def models(dataset):
    """Beside the twenty images without a model: three of one, and two of another with slashes and dots."""
    make_images(dataset, 3, model_name="stable diffusion 2.1")
    make_images(dataset, 2, model_name="org/model.v1")
    return dataset


def of_model(caller, model, *, at=None):
    found = get_dataset_for_rating("demo")
    [leased] = lease_images(caller=caller, dataset=found, count=1, model_name=model, now=at or now())
    assert Image.objects.get(pk=leased.image_id).model_name == model
    return leased


@pytest.mark.parametrize("model", ["stable diffusion 2.1", "org/model.v1"])
def test_it_hands_out_every_image_of_a_model_once_and_then_says_so(rater, models, model):
    expected = set(Image.objects.filter(model_name=model).values_list("pk", flat=True))
    seen = [of_model(rater.caller, model) for _ in expected]
    assert {leased.image_id for leased in seen} == expected
    for leased in seen:
        rate(rater.caller, leased)
    with pytest.raises(NoImageLeft):
        of_model(rater.caller, model)
    assert take(rater.caller)


def test_a_model_that_is_finished_ends_neither_the_dataset_nor_another_model(rater, models):
    for _ in range(2):
        rate(rater.caller, of_model(rater.caller, "org/model.v1"))
    for _ in range(2):
        with pytest.raises(NoImageLeft):
            of_model(rater.caller, "org/model.v1")
    assert statements_of(lambda: model_in_vain(rater.caller, "org/model.v1")) == 1  # the dataset
    assert of_model(rater.caller, "stable diffusion 2.1")
    assert len(take(rater.caller, 10)) == 10


def model_in_vain(caller, model):
    with pytest.raises(NoImageLeft):
        of_model(caller, model)


@pytest.mark.parametrize(
    "model", ["nothing", "ORG/MODEL.V1", "org/model.v", "%", "\0", "a" * 200, "a" * 100_000, "\U0001f40e"]
)
def test_a_model_that_is_not_there_has_no_images(rater, models, model):
    model_in_vain(rater.caller, model)


def test_images_of_other_datasets_and_closed_adult_or_hidden_ones_are_not_handed_out_by_model(rater, models):
    make_images(DatasetFactory(), 5, model_name="elsewhere")
    make_images(models, 1, model_name="elsewhere", is_open=False)
    make_images(models, 1, model_name="elsewhere", adult_class="adult")
    make_images(models, 1, model_name="elsewhere", adult_class="unknown")
    model_in_vain(rater.caller, "elsewhere")


def test_whoever_holds_all_of_a_model_gets_one_of_it_again_and_keeps_the_others(rater, models):
    start = now()
    others = [of_model(rater.caller, "stable diffusion 2.1") for _ in range(3)]
    held = [of_model(rater.caller, "org/model.v1", at=start + timedelta(milliseconds=n)) for n in range(2)]
    with pytest.raises(NoImageLeft):
        of_model(rater.caller, "org/model.v1", at=start + timedelta(seconds=30))
    again = [of_model(rater.caller, "org/model.v1", at=start + timedelta(seconds=61 + n)) for n in range(2)]
    assert [one.lease for one in again] == [one.lease for one in held]
    for leased in (*others, *held):
        rate(rater.caller, RatingByOldClient(leased))
    assert set(Rating.objects.values_list("proof", flat=True)) == {"lookup"}


class RatingByOldClient:
    """What an old client sends back of a lease: the image's id alone."""

    lease = None

    def __init__(self, leased):
        self.image_id = leased.image_id


def test_whoever_holds_twenty_gets_one_of_the_model_again_or_none(rater, models):
    one = of_model(rater.caller, "org/model.v1")
    Image.objects.exclude(model_name="").exclude(pk=one.image_id).update(is_open=False)
    for _ in range(19):
        take(rater.caller)
    assert of_model(rater.caller, "org/model.v1").lease == one.lease
    Image.objects.update(is_open=True)
    with pytest.raises(TooManyLeases):
        of_model(rater.caller, "stable diffusion 2.1")
    assert take(rater.caller)


def test_a_model_is_found_among_the_last_images_of_a_dataset(rater, models):
    refresh_tail_pool(dataset_id=models.pk)
    for _ in range(2):
        rate(rater.caller, of_model(rater.caller, "org/model.v1"))
    model_in_vain(rater.caller, "org/model.v1")
    assert take(rater.caller)


def test_a_model_is_found_without_valkey_too(rater, models, settings):
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    assert of_model(rater.caller, "org/model.v1")
    model_in_vain(rater.caller, "nothing")


def test_people_behind_the_shared_key_ask_for_a_model_too(models):
    one, other = make_stranger("c"), make_stranger("d")
    for caller in (one, other):
        for _ in range(2):
            rate(caller, of_model(caller, "org/model.v1"))
        model_in_vain(caller, "org/model.v1")


def test_a_rare_model_is_found_by_whoever_rated_thousands_of_it(rater, dataset):
    make_images(dataset, 2100, model_name="rare")
    rate_all(rater.caller, dataset)
    [fresh] = make_images(dataset, 1, model_name="rare")
    assert of_model(rater.caller, "rare").image_id == fresh.pk


@pytest.fixture
def known_images(dataset):
    """Twelve images of a dataset with target 5, which differ in ratings and in how well their scores are known."""
    Image.objects.filter(dataset=dataset).update(status="hidden", is_open=False)
    images = make_images(dataset, 12)
    for number, image in enumerate(images):
        count = number % 5
        fields = {"rating_count": count, "aesthetic_sum": 5 * count}
        if number == 7:
            fields = {"rating_count": 6, "aesthetic_sum": 30, "wanted_count": 8}
        Image.objects.filter(pk=image.pk).update(**fields)
        # The worst known are in no order of the others.
        error = 1 + (number * 5 % 12) / 10
        score = {"score": 5, "low": 4, "high": 6, "standard_error": error, "updated_at": now()}
        ImageScore.objects.create(image=image, dataset=dataset, task="aesthetic", **score)
    return [Image.objects.get(pk=image.pk) for image in images]


ORDERS = {
    "breadth": lambda image: image.rating_count,
    "depth": lambda image: (image.wanted_count or 5) - image.rating_count,
    "uncertainty": lambda image: (image.rating_count < 5, -image.scores.get().standard_error),
}


@pytest.mark.parametrize("policy", ORDERS)
def test_the_trusted_get_images_in_the_order_of_the_policy(rater, dataset, known_images, policy):
    Dataset.objects.filter(pk=dataset.pk).update(order_policy=policy)
    Rater.objects.filter(identity_id=rater.identity_id).update(state="trusted")
    by_id = {image.pk: ORDERS[policy](image) for image in known_images}
    for refresh in (lambda: None, lambda: refresh_tail_pool(dataset_id=dataset.pk)):
        refresh()
        given = [by_id[leased.image_id] for leased in take(rater.caller, 6)]
        assert given == sorted(by_id.values())[:6]
        valkey.get_client().flushdb()


def test_an_image_without_a_score_is_known_worst(rater, dataset, known_images):
    Dataset.objects.filter(pk=dataset.pk).update(order_policy="uncertainty")
    Rater.objects.filter(identity_id=rater.identity_id).update(state="trusted")
    known_images[3].scores.all().delete()
    assert [leased.image_id for leased in take(rater.caller, 2)] == [known_images[7].pk, known_images[3].pk]


@pytest.mark.parametrize("policy", ORDERS)
def test_all_others_get_any_image_whatever_the_policy(rater, dataset, known_images, policy):
    Dataset.objects.filter(pk=dataset.pk).update(order_policy=policy)
    for caller in (rater.caller, make_stranger()):
        first = set()
        for seed in range(40):
            first.add(take(caller, dice=Random(seed))[0].image_id)
            valkey.get_client().flushdb()
        assert len(first) > 9


def test_it_writes_nothing_to_the_database(rater, dataset):
    before = rows_written()
    take(rater.caller, 3)
    assert rows_written() == before


@pytest.mark.parametrize("policy", ["random", *ORDERS])
def test_no_query_reads_more_than_its_window(rater, dataset, policy):
    """However many images there are, each of the two arms of a window reads 32 of them at most, in any plan."""
    make_images(dataset, 5000)
    read = read_by_plans(WINDOWS[False, False, policy], rater, dataset, "")
    assert {window: rows for window, rows in read.items() if not 32 <= rows <= 64} == {}


@pytest.mark.parametrize(("model", "least"), [("common", 32), ("rare", 3), ("unknown", 0)])
def test_no_query_for_a_model_reads_the_images_of_another(rater, dataset, model, least):
    """Neither a model that nearly all images are of, nor one that statistics know nothing of."""
    make_images(dataset, 5000, model_name="common")
    make_images(dataset, 3, model_name="rare")
    read = read_by_plans(WINDOWS[False, True, "random"], rater, dataset, model)
    assert {window: rows for window, rows in read.items() if not least <= rows <= 64} == {}


def read_by_plans(sql, rater, dataset, model):
    """Return how many images a window reads, from several keys, with and without knowing the parameters."""
    known = {
        "identity": rater.identity_id,
        "user": rater.user.pk,
        "dataset": dataset.pk,
        "target": 5,
        "key": 0,
        "size": 32,
        "model": model,
        "adult_class": "safe",
    }
    params = {name: value for name, value in known.items() if f"%({name})s" in sql}
    numbered = {name: f"${n}" for n, name in enumerate(params, 1)}
    read = {}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ratings_image")
        cursor.execute("PREPARE pick AS " + sql % numbered)
        for mode, key in product(("custom", "generic"), (SMALLEST_KEY, 0, LARGEST_KEY)):
            cursor.execute(f"SET LOCAL plan_cache_mode = force_{mode}_plan")
            values = list((params | {"key": key}).values())
            marks = ", ".join(["%s"] * len(values))
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE pick ({marks})", values)
            [[[explained]]] = cursor.fetchall()
            read[mode, key] = rows_read(explained["Plan"], "ratings_image")
        cursor.execute("DEALLOCATE pick")
    return read


def rows_read(node, table) -> float:
    """Return how many rows of a table a plan has read, those that it threw away again included."""
    read = sum(rows_read(below, table) for below in node.get("Plans", ()))
    if node.get("Relation Name") == table:
        kinds = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        read += sum(node.get(kind, 0) for kind in kinds) * node["Actual Loops"]
    return read


def statements_of(function) -> int:
    """Return how many statements a call sends to the server."""
    import tempfile

    with tempfile.TemporaryFile("w+") as file:
        connection.connection.pgconn.trace(file.fileno())
        function()
        connection.connection.pgconn.untrace()
        file.seek(0)
        return sum("\tF\t" in line and ("Execute" in line or "Query" in line) for line in file)


def rows_written() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        return cursor.fetchone()[0]


@pytest.fixture
def silent_valkey(settings, tmp_path):
    """A server that accepts and never answers."""
    import socket
    import tempfile

    folder = tempfile.mkdtemp(dir="/tmp")
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{folder}/v.sock")
    server.listen(50)
    settings.REDIS_URL = f"unix://{folder}/v.sock?db=0"
    settings.VALKEY_TIMEOUT_SECONDS = 0.1
    valkey._breaker.__init__()
    yield
    server.close()
    valkey._breaker.__init__()
