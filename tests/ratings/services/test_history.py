"""Old exports into a dataset of history: whole, once, and again after whatever ended the first attempt."""

import uuid
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError, connection

from accounts.models import Identity
from exports.writers.snapshot import conninfo
from ratings.importers.legacy import LegacyExport
from ratings.models import Dataset, Image, Rater, Rating
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import NoImageLeft, lease_images
from ratings.services.history import (
    HistoryBusy,
    HistoryDisturbed,
    NotHistory,
    Stage,
    create_history,
    find_history,
    import_history,
)
from ratings.services.voiding import void_ratings
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now
from tests.ratings.old_exports import ELEVEN, make_rows, write_export

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def history(transactional_db):
    return create_history(slug="history", name="History", ratings_licence="CC-BY-SA-4.0", licence="NOASSERTION")


@pytest.fixture
def written(tmp_path):
    """Write rows as an export, each time to another file."""

    def write(rows, columns=None) -> Path:
        return write_export(tmp_path / f"{uuid.uuid4()}.parquet", rows, columns)

    return write


def run(dataset, path, *, on_progress=lambda report: None, piece_rows=100, **options):
    refusals = []
    report = import_history(
        dataset=dataset,
        rows=LegacyExport(path).read(now=now(), **options),
        now=now(),
        on_refused=refusals.append,
        on_progress=on_progress,
        piece_rows=piece_rows,
    )
    assert len(refusals) == report.refused
    return report


def stored(dataset):
    fields = (
        "image__source_id",
        "rater__identity__external_id",
        "aesthetic",
        "artifacts",
        "created_at",
        "client_agent",
    )
    return sorted(Rating.objects.filter(dataset=dataset).values_list(*fields), key=repr)


def test_it_works(history, written, adds_up):
    rows = make_rows(1_000)
    report = run(history, written(rows))
    assert (report.read, report.refused, report.imported, report.known) == (1_000, 0, 1_000, 0)
    assert report.images == Image.objects.filter(dataset=history).count() == len({row["id"] for row in rows})
    history.refresh_from_db()
    assert (history.state, history.image_count) == ("closed", report.images)
    adds_up()


def test_a_rating_keeps_the_evidence_of_the_file(history, written):
    row = make_rows(1)[0] | {"kudos": 24, "trusted": True, "validated": False, "captchas_failed": -4, "country": "NL"}
    run(history, written([row]))
    rating = Rating.objects.get()
    assert (str(rating.image_id), rating.aesthetic, rating.artifacts) == (row["id"], row["rating"], row["artifacts"])
    assert rating.created_at.replace(tzinfo=None) == row["created_at"]
    assert (rating.rater_kudos, rating.rater_account_age) == (24, row["account_age"])
    assert rating.rater_images_generated == row["usage_requests"]
    assert (rating.rater_is_trusted, rating.rater_is_trusted_elsewhere) == (False, True)
    assert (rating.rater_challenges_failed, rating.country) == (-4, "NL")
    assert (rating.proof, rating.state, rating.reward, rating.lease_id) == ("import", "counted", 0, None)
    assert (rating.rater.challenges_failed, rating.rater.external_kudos) == (-4, 24)
    assert (rating.rater.is_trusted, rating.rater.is_trusted_elsewhere) == (False, True)
    assert rating.rater.identity.external_id == f"{history.pk}:user:{row['user_id']}"


def test_a_picture_is_pending_and_never_handed_out(history, written):
    run(history, written(make_rows(20)))
    assert set(Image.objects.values_list("status", "is_open", "adult_class")) == {("pending", False, "unknown")}
    Dataset.objects.update(state="open")
    with pytest.raises(NoImageLeft):
        lease_images(caller=make_person().caller, dataset=get_dataset_for_rating("history"), count=1, now=now())


def test_what_was_given_before_is_counted_by_time(history, written):
    row = make_rows(1)[0] | {"kudos": 24}
    later = [row | {"created_at": row["created_at"] + timedelta(hours=hours)} for hours in (2, 0, 1)]
    run(history, written(later))
    counts = Rating.objects.order_by("created_at").values_list("rater_rating_count", flat=True)
    assert list(counts) == [0, 1, 2]


def test_people_without_a_name_share_a_rater(history, written, adds_up):
    rows = make_rows(400)
    run(history, written(rows, ELEVEN))
    keys = {identity.external_id.partition(":")[2]: identity for identity in Identity.objects.all()}
    assert keys.keys() == {"anonymous", "unnamed"}
    assert all(identity.rater.is_shared for identity in keys.values())
    assert keys["anonymous"].rater.ratings.count() == sum(row["kudos"] == -50 for row in rows) > 0
    adds_up()


def test_the_same_file_again_adds_nothing(history, written, adds_up):
    path = written(make_rows(1_000))
    run(history, path)
    before = stored(history)
    again = run(history, path, piece_rows=333)
    assert (again.imported, again.known, again.images) == (0, 1_000, 0)
    assert stored(history) == before
    adds_up()


def test_a_later_export_adds_what_it_has_more(history, written, adds_up):
    rows = make_rows(900)
    run(history, written(rows[:500]))
    report = run(history, written(rows[::-1]))
    assert (report.imported, report.known) == (400, 500)
    assert len(stored(history)) == 900
    adds_up()


def test_equal_rows_are_told_apart_by_their_number(history, written, adds_up):
    row = make_rows(1)[0]
    assert run(history, written([row] * 2)).imported == 2
    again = run(history, written([row] * 5))
    assert (again.imported, again.known) == (3, 2)
    adds_up()


class Stopped(Exception):
    """Somebody pressed the key at this moment."""


def test_a_run_that_was_stopped_goes_on(history, written, adds_up):
    path = written(make_rows(1_000))

    def stop(report):
        if report.imported > 400:
            raise Stopped

    with pytest.raises(Stopped):
        run(history, path, on_progress=stop)
    adds_up()
    rest = run(history, path)
    assert 400 < rest.known < 1_000
    assert rest.imported == 1_000 - rest.known
    assert len(stored(history)) == 1_000
    adds_up()


@pytest.mark.parametrize("stage", Stage)
def test_a_connection_that_is_cut_leaves_whole_pieces(history, written, adds_up, stage):
    path = written(make_rows(1_000))
    backend = connection.cursor().connection.info.backend_pid

    def cut(report):
        if report.stage is stage and report.seen:
            with psycopg.connect(conninfo(), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 1000)", [backend])

    with pytest.raises(OperationalError):
        run(history, path, on_progress=cut)
    connection.close()
    adds_up()
    run(history, path)
    assert len(stored(history)) == 1_000
    adds_up()


def test_one_import_at_a_time(history, written):
    path = written(make_rows(50))
    refused = []

    def import_again(report):
        with psycopg.connect(conninfo(), autocommit=True) as other:
            name = f"history of {history.pk}"
            got = other.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
            refused.append(got == (False,))

    run(history, path, on_progress=import_again)
    assert refused
    assert all(refused)
    with psycopg.connect(conninfo(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"history of {history.pk}"])
        with pytest.raises(HistoryBusy, match="Another import into history is running"):
            run(history, path)


def test_an_id_that_another_dataset_has_is_left_to_it(history, written, adds_up):
    rows = make_rows(40)
    taken = rows[0]["id"]
    make_images(DatasetFactory(), 1, id=uuid.UUID(taken))
    path = written(rows)
    run(history, path)
    image = Image.objects.get(dataset=history, source_id=taken)
    assert image.pk == uuid.uuid5(history.pk, taken)
    assert image.rating_count == sum(row["id"] == taken for row in rows)
    assert run(history, path).imported == 0
    Image.objects.filter(pk=taken).delete()
    Dataset.objects.exclude(pk=history.pk).update(image_count=0)
    # The id is free now, and the image keeps the one it has.
    assert run(history, path).imported == 0
    adds_up()


def test_an_id_that_is_taken_meanwhile_stops_the_piece(history, written, adds_up):
    rows = make_rows(40)
    path = written(rows)
    other = DatasetFactory()

    def take(report):
        if report.stage is Stage.STORING and not Image.objects.exists():
            make_images(other, 1, id=uuid.UUID(max(row["id"] for row in rows)))

    with pytest.raises(HistoryDisturbed, match="Start the same import again"):
        run(history, path, on_progress=take)
    assert not Rating.objects.exists()
    assert run(history, path).imported == 40
    adds_up()


def test_ratings_of_a_rater_who_was_voided_do_not_count(history, written, adds_up):
    rows = make_rows(60, people=1, seed=3)
    run(history, written(rows[:30]))
    rater = Rater.objects.get()
    void_ratings(
        rating_ids=list(rater.ratings.values_list("pk", flat=True)), by=make_person().user, reason="x", now=now()
    )
    Rater.objects.filter(pk=rater.pk).update(state="voided")
    report = run(history, written(rows))
    assert report.imported == 30
    assert set(Rating.objects.values_list("state", flat=True)) == {"voided", "quarantined"}
    adds_up()


def test_a_decision_about_a_rater_outlives_the_next_import(history, written):
    rows = [row | {"validated": False, "kudos": 24, "captchas_failed": 0} for row in make_rows(10)]
    run(history, written(rows))
    Rater.objects.update(is_trusted=True)
    run(history, written(rows))
    assert set(Rater.objects.values_list("is_trusted", flat=True)) == {True}


def test_without_a_dataset_everything_is_read_and_nothing_stored(transactional_db, written):
    report = run(None, written([*make_rows(99), make_rows(1)[0] | {"rating": 11}]))
    assert (report.read, report.refused, report.accepted) == (100, 1, 99)
    assert not Image.objects.exists()
    assert not Identity.objects.exists()


def test_refused_rows_are_left_out_and_the_rest_goes_on(history, written, adds_up):
    rows = make_rows(100)
    rows[7] |= {"artifacts": 9.0}
    report = run(history, written(rows))
    assert (report.imported, report.refused) == (99, 1)
    adds_up()


def test_a_file_of_which_every_row_is_refused_stores_nothing(history, written):
    report = run(history, written([row | {"rating": 0} for row in make_rows(5)]))
    assert (report.accepted, report.imported) == (0, 0)
    assert not Identity.objects.exists()


def test_nothing_is_left_on_the_connection(history, written):
    run(history, written(make_rows(20)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'legacy%%' AND relpersistence = 't'")
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)


def test_history_needs_a_dataset_of_its_own(history):
    assert find_history(slug="history") == history
    assert find_history(slug="nowhere") is None
    DatasetFactory(slug="open")
    make_images(DatasetFactory(slug="closed", state="closed"), 1)
    for slug in ("open", "closed"):
        with pytest.raises(NotHistory, match="history needs a dataset of its own"):
            find_history(slug=slug)
