"""`manage.py build_release` and `releases`: what a person reads, and the exit status."""

import re
import subprocess
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from exports.models import Release
from exports.services.lock import lock_releases
from tests.exports.made import FILES, build, folder_of, publish_on

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works_and_says_how_to_check_it(harbours, capsys):
    call_command("build_release", "harbours")
    said = capsys.readouterr().out
    release = Release.objects.get()
    assert f"Published harbours {release.version}: 3 ratings, 3 images" in said
    (line,) = re.findall(r"^Check it: (.+)$", said, re.MULTILINE)
    assert subprocess.run(line, shell=True, capture_output=True, check=False).returncode == 0


def test_it_says_what_is_held_back_and_takes_it_on_demand(harbours, settings, capsys):
    settings.RELEASE_HOLD_BACK = timedelta(hours=72)
    call_command("build_release", "harbours")
    said = capsys.readouterr().out
    assert "0 ratings, 3 images" in said
    assert "3 ratings that came too lately for this one will be in the next. With --hold-back 0 all are taken." in said
    call_command("build_release", "harbours", "--hold-back", "0")
    said = capsys.readouterr().out
    assert "3 ratings, 3 images" in said
    assert "too lately" not in said


@pytest.mark.parametrize("hours", ["soon", "1e400", ""])
def test_hours_are_a_number(harbours, hours):
    with pytest.raises(CommandError, match="is no number of hours"):
        call_command("build_release", "harbours", "--hold-back", hours)


def test_an_unknown_dataset_is_answered_with_those_there_are(harbours):
    for command in (["build_release"], ["releases", "verify"], ["releases", "list"], ["releases", "prune"]):
        with pytest.raises(CommandError, match=r"^There is no dataset 'harbour'; there is harbours\.$"):
            call_command(*command, "harbour")


def test_no_dataset_at_all(db):
    with pytest.raises(CommandError, match="there is none yet"):
        call_command("build_release", "harbours")


def test_a_failure_is_one_sentence(harbours, releases_root):
    releases_root.mkdir()
    (releases_root / "harbours").write_text("a file where a folder should be")
    with pytest.raises(CommandError, match=r"No release of harbours was published\. The files could not be written"):
        call_command("build_release", "harbours")


def test_a_build_under_way_is_one_sentence(harbours):
    with lock_releases(harbours), pytest.raises(CommandError, match="is being built already"):
        call_command("build_release", "harbours")


def test_help_is_worth_reading(capsys):
    with pytest.raises(SystemExit):
        call_command("build_release", "--help")
    said = capsys.readouterr().out
    for words in ("from then on\nthey never change", "examples:", "SLUG"):
        assert words in said


def test_verify_says_that_all_is_well(release, capsys):
    call_command("releases", "verify", "harbours")
    assert capsys.readouterr().out == f"{release}: {len(FILES)} files are as they were published.\n"


def test_verify_takes_the_newest_or_one_or_all(harbours, release, capsys):
    again = build(harbours)
    call_command("releases", "verify", "harbours")
    call_command("releases", "verify", "harbours", release.version)
    call_command("releases", "verify", "harbours", "--all")
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [str(again), str(release), str(again), str(release)]


def test_verify_names_what_differs(release, capsys):
    path = folder_of(release) / "README.md"
    path.chmod(0o644)
    path.write_text("changed")
    with pytest.raises(CommandError, match=r"problems? found"):
        call_command("releases", "verify", "harbours")
    assert "README.md does not have the checksum it was published with." in capsys.readouterr().err


def test_verify_wants_a_release(harbours):
    with pytest.raises(CommandError, match=r"^There is no published release of harbours\.$"):
        call_command("releases", "verify", "harbours")
    with pytest.raises(CommandError, match=r"^There is no published release harbours 2000-01-01\.$"):
        call_command("releases", "verify", "harbours", "2000-01-01")


def test_list_says_what_became_of_each(harbours, release, capsys):
    Release.objects.create(dataset=harbours, version="2000-01-01", schema_version="1", state="failed", failure="Why.")
    call_command("releases", "list")
    said = capsys.readouterr().out
    assert re.search(rf"^{release}  published  3 ratings, 3 images, [\d.]+ KB$", said, re.MULTILINE)
    assert "harbours 2000-01-01  failed  Why." in said


def test_an_action_is_wanted():
    with pytest.raises(CommandError, match="ACTION"):
        call_command("releases")


def test_prune_says_which_and_takes_them_on_demand(harbours, capsys):
    old, newer = publish_on(harbours, "2024-02-01"), publish_on(harbours, "2024-03-01")
    call_command("releases", "prune", "--dry-run")
    assert capsys.readouterr().out == f"{old}: would be retired.\n"
    assert folder_of(old).is_dir()
    call_command("releases", "prune")
    assert capsys.readouterr().out == f"{old}: is retired.\n"
    assert not folder_of(old).exists()
    assert folder_of(newer).is_dir()
    call_command("releases", "prune")
    assert capsys.readouterr().out == "No release has been kept long enough.\n"


def test_prune_waits_for_a_build(harbours):
    publish_on(harbours, "2024-02-01")
    publish_on(harbours, "2024-03-01")
    with lock_releases(harbours), pytest.raises(CommandError, match=r"built already\. Try again when it is done\."):
        call_command("releases", "prune")
