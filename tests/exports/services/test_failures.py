"""Whatever goes wrong, nothing half-made is published, and the next build clears up."""

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from django.db import connection

from exports.invariants import find_violations
from exports.models import Release, ReleaseFile
from exports.schema import TABLES
from exports.services import ReleaseFailed, ReleaseInProgress, build_release
from exports.writers.snapshot import conninfo
from tests.exports.child import kill, start_build, wait_for_line
from tests.exports.made import FILES, build, folder_of, folders_in
from tests.factories import DatasetFactory
from tests.people import now

pytestmark = pytest.mark.django_db(transaction=True)


def states():
    return list(Release.objects.order_by("pk").values_list("state", flat=True))


def assert_nothing_was_published(releases_root):
    assert states() == ["failed"]
    assert not ReleaseFile.objects.exists()
    assert folders_in(releases_root) == []


def test_a_folder_that_cannot_be_made(harbours, releases_root):
    releases_root.mkdir()
    (releases_root / "harbours").write_text("a file where a folder should be")
    with pytest.raises(ReleaseFailed, match=r"No release of harbours was published\..*Not a directory"):
        build(harbours)
    assert_nothing_was_published(releases_root)
    assert "Not a directory" in Release.objects.get().failure
    (releases_root / "harbours").unlink()
    assert build(harbours).version.endswith(".1")


def test_a_disk_that_takes_no_more(harbours, releases_root):
    """The limit of a process on the size of a file stands for a full disk: the same call fails half-way."""
    child = start_build("harbours", file_limit=2048)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 1, said
    assert_nothing_was_published(releases_root)
    assert "could not be written: File too large" in Release.objects.get().failure


def test_a_name_that_is_taken_at_the_last_moment(harbours, releases_root):
    def take_name(progress):
        folder = releases_root / "harbours" / Release.objects.get().version
        folder.mkdir(exist_ok=True)

    with pytest.raises(ReleaseFailed, match="exists on disk already"):
        build_release(dataset=harbours, now=now(), on_progress=take_name)
    assert_nothing_was_published(releases_root)


@pytest.mark.parametrize("victim", ["state = 'idle in transaction'", "application_name = 'kudoscope release lock'"])
def test_a_connection_that_is_cut(harbours, releases_root, victim):
    """The snapshot's connection, or the one that holds the lock."""

    def cut(progress):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {victim}"
            )
            if progress.table == "images":
                assert cursor.fetchone()[0] == 1

    with pytest.raises(ReleaseFailed, match="The database refused or went away"):
        build_release(dataset=harbours, now=now(), on_progress=cut)
    assert_nothing_was_published(releases_root)


def test_what_was_written_is_not_what_is_read_back(harbours, releases_root):
    def spoil(progress):
        if progress.table == "ratings":
            path = next(releases_root.glob("harbours/.building-*/data/images/part-00000.parquet"))
            path.write_bytes(path.read_bytes()[:-1] + b"?")

    with pytest.raises(ReleaseFailed, match="could not be verified"):
        build_release(dataset=harbours, now=now(), on_progress=spoil)
    assert_nothing_was_published(releases_root)


def test_a_person_who_stops_it(harbours, releases_root):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_release(dataset=harbours, now=now(), on_progress=stop)
    assert_nothing_was_published(releases_root)


def test_a_folder_that_may_not_be_entered(harbours, open_to_nobody):
    """Before there is a row to fail, the exception says it all."""
    release = build(harbours)
    with open_to_nobody(), pytest.raises(ReleaseFailed, match="could not be written: Permission denied"):
        build(harbours)
    assert states() == ["published"]
    assert build(harbours).version == f"{release.version}.1"


def test_somebody_without_privileges_builds_and_clears_up(harbours, settings, open_to_nobody):
    """Folders and files are read-only for those who made them as well, which root would never notice."""
    with tempfile.TemporaryDirectory(prefix="kudoscope-") as folder:
        settings.RELEASES_ROOT = Path(folder)
        settings.RELEASES_ROOT.chmod(0o777)
        with open_to_nobody():
            damage(build(harbours))
            forget_releases()
            again = build(harbours)
            assert folders_in(settings.RELEASES_ROOT) == [f"harbours/{again.version}"]
            with pytest.raises(PermissionError):
                (folder_of(again) / "README.md").write_text("something else")


def test_a_second_build_says_that_there_is_a_first(harbours, releases_root):
    refused = []

    def build_again(progress):
        with pytest.raises(ReleaseInProgress, match="harbours is being built already") as refusal:
            build(harbours)
        refused.append(refusal)
        other = DatasetFactory(slug=f"other-{progress.table}")
        assert build(other).version == Release.objects.first().version

    release = build_release(dataset=harbours, now=now(), on_progress=build_again)
    tables = len(TABLES) - 2  # There is nothing to say of tables without rows: comparisons, ratings_excluded.
    assert len(refused) == tables
    assert states() == ["published"] * (1 + tables)
    assert build(harbours).version == f"{release.version}.1"


@pytest.mark.slow
def test_a_build_that_is_killed_half_way(harbours, releases_root):
    child = start_build("harbours", stop_after="ratings")
    wait_for_line(child, "ratings")
    with pytest.raises(ReleaseInProgress):
        build(harbours)
    kill(child)
    version = Release.objects.get().version
    assert folders_in(releases_root) == [f"harbours/.building-{version}"]
    assert states() == ["building"]

    release = build_after_lock_is_free(harbours)
    assert states() == ["failed", "published"]
    assert "ended before it was finished" in Release.objects.first().failure
    assert release.version == f"{version}.1"
    assert folders_in(releases_root) == [f"harbours/{version}.1"]
    assert list(find_violations()) == []


@pytest.mark.slow
def test_a_build_that_is_killed_between_folder_and_row(harbours, releases_root):
    """The folder is whole and has its name, the row does not know: the next build finishes the job."""
    child = start_build("harbours")
    wait_for_line(child, "images")
    with row_held(Release.objects.get()):
        wait_until(lambda: not list(releases_root.glob("*/.building-*")) and folders_in(releases_root))
        kill(child)
    assert states() == ["building"]
    assert not ReleaseFile.objects.exists()

    release = build_after_lock_is_free(harbours)
    assert states() == ["published", "published"]
    adopted = Release.objects.exclude(pk=release.pk).get()
    assert (adopted.rating_count, adopted.files.count()) == (3, len(FILES))
    assert folders_in(releases_root) == [f"harbours/{adopted.version}", f"harbours/{adopted.version}.1"]
    assert list(find_violations()) == []


def test_a_row_that_cannot_be_published(harbours, releases_root):
    """The connection is cut while the row is being written: not published, and the named folder goes again."""

    def cut_the_publication():
        release = Release.objects.get()
        with row_held(release) as holder:
            blocked = "SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            wait_until(lambda: holder.execute(blocked).fetchone())
            assert folders_in(releases_root) == [f"harbours/{release.version}"]
            # That one alone: the build blocks here again, on its next connection, to say that it failed.
            holder.execute("SELECT pg_terminate_backend(%s, 5000)", holder.execute(blocked).fetchone())
        connection.close()

    cutting = Thread(target=cut_the_publication)

    def start_cutting(progress):
        if progress.table == "images":
            cutting.start()

    with pytest.raises(ReleaseFailed, match="The database refused or went away"):
        build_release(dataset=harbours, now=now(), on_progress=start_cutting)
    cutting.join()
    assert_nothing_was_published(releases_root)


def test_a_release_given_up_meanwhile_is_not_published(harbours, releases_root):
    def give_up(progress):
        Release.objects.update(state="failed", failure="a person said so")

    with pytest.raises(ReleaseFailed, match="given up"):
        build_release(dataset=harbours, now=now(), on_progress=give_up)
    assert Release.objects.get().failure == "a person said so"
    assert not ReleaseFile.objects.exists()
    build(harbours)
    assert len(folders_in(releases_root)) == 1


def test_a_restored_database_takes_back_the_releases_it_forgot(release, harbours):
    version, digests = release.version, set(release.files.values_list("path", "sha256"))
    forget_releases()
    build(harbours)
    adopted = Release.objects.get(version=version)
    assert set(adopted.files.values_list("path", "sha256")) == digests
    assert adopted.snapshot_at == release.snapshot_at
    assert states() == ["published", "published"]


def test_a_forgotten_folder_that_is_damaged_goes(release, harbours, releases_root):
    damage(release)
    forget_releases()
    again = build(harbours)
    assert states() == ["published"]
    assert again.version == release.version
    assert folders_in(releases_root) == [f"harbours/{release.version}"]


def test_a_folder_of_another_database_is_left_alone(release, harbours, releases_root):
    forget_releases()
    harbours.slug = "harbours-renamed"
    harbours.save(update_fields=["slug"])
    newcomer = DatasetFactory(slug="harbours")
    again = build(newcomer)
    assert again.version == f"{release.version}.1"
    assert folders_in(releases_root) == [f"harbours/{release.version}", f"harbours/{again.version}"]


def damage(release):
    path = folder_of(release) / "README.md"
    path.chmod(0o644)
    path.write_text("something else")


def forget_releases():
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE exports_release CASCADE")


@contextmanager
def row_held(release):
    """Hold the row of a release, so that nobody can publish it meanwhile."""
    with psycopg.connect(conninfo()) as holder:
        holder.execute("SELECT 1 FROM exports_release WHERE id = %s FOR UPDATE", [release.pk])
        yield holder


def wait_until(happened, seconds=30):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def build_after_lock_is_free(dataset):
    """PostgreSQL notices within moments that the process on the other side is gone."""
    end = time.monotonic() + 10
    while True:
        try:
            return build(dataset)
        except ReleaseInProgress:
            assert time.monotonic() < end, "the lock outlived its holder"
            time.sleep(0.05)
