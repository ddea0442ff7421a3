"""`manage.py build_release` and `verify_release`: what a person reads, and the exit status."""

import re
import subprocess

import pytest
from django.core.management import CommandError, call_command

from exports.models import Release
from exports.services.lock import lock_releases
from tests.exports.made import FILES, build, folder_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works_and_says_how_to_check_it(harbours, capsys):
    call_command("build_release", "harbours")
    said = capsys.readouterr().out
    release = Release.objects.get()
    assert f"Published harbours {release.version}: 3 ratings, 3 images" in said
    (line,) = re.findall(r"^Check it: (.+)$", said, re.MULTILINE)
    assert subprocess.run(line, shell=True, capture_output=True, check=False).returncode == 0


def test_an_unknown_dataset_is_answered_with_those_there_are(harbours):
    for command in ("build_release", "verify_release"):
        with pytest.raises(CommandError, match=r"^There is no dataset 'harbour'; there is harbours\.$"):
            call_command(command, "harbour")


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
    call_command("verify_release", "harbours")
    assert capsys.readouterr().out == f"{release}: {len(FILES)} files are as they were published.\n"


def test_verify_takes_the_newest_or_one_or_all(harbours, release, capsys):
    again = build(harbours)
    call_command("verify_release", "harbours")
    call_command("verify_release", "harbours", release.version)
    call_command("verify_release", "harbours", "--all")
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [str(again), str(release), str(again), str(release)]


def test_verify_names_what_differs(release, capsys):
    path = folder_of(release) / "README.md"
    path.chmod(0o644)
    path.write_text("changed")
    with pytest.raises(CommandError, match=r"problems? found"):
        call_command("verify_release", "harbours")
    assert "README.md does not have the checksum it was published with." in capsys.readouterr().err


def test_verify_wants_a_release(harbours):
    with pytest.raises(CommandError, match=r"^There is no published release of harbours\.$"):
        call_command("verify_release", "harbours")
    with pytest.raises(CommandError, match=r"^There is no published release harbours 2000-01-01\.$"):
        call_command("verify_release", "harbours", "2000-01-01")
