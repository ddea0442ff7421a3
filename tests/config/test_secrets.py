"""Where secrets come from, and which are refused."""

import json
import secrets
import stat
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.embedded import CHECKOUT
from config.settings.secrets import NAMES, read_environment_secrets, read_or_generate_secrets

PRINT = "import json; from pathlib import Path; from config.settings.secrets import read_or_generate_secrets as read"


def good_secret(number):
    return f"{number}" + "abcdefghijklmnopqrstuvwxyz0123456789" * 2


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Have every secret in the environment, for the test to spoil."""
    for number, name in enumerate(NAMES):
        monkeypatch.setenv(name, good_secret(number))
    return monkeypatch


@pytest.fixture
def bare(environment):
    for name in NAMES:
        environment.delenv(name)
    return environment


@pytest.fixture
def path(tmp_path):
    return tmp_path / "var" / "secrets.json"


def read_in_processes(path, count):
    """Read in as many processes at once; return what each got."""
    command = [sys.executable, "-c", f"{PRINT}; print(json.dumps(read(Path({str(path)!r}))))"]
    running = [subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return [json.loads(process.communicate(timeout=60)[0]) for process in running]


def test_it_works():
    assert read_environment_secrets() == {name: good_secret(number) for number, name in enumerate(NAMES)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spoilt", [None, "", "short", "x" * 49, "django-insecure-" + "x" * 60], ids=repr)
def test_production_refuses_a_secret_that_is_missing_or_weak(environment, name, spoilt):
    if spoilt is None:
        environment.delenv(name)
    else:
        environment.setenv(name, spoilt)
    with pytest.raises(ImproperlyConfigured, match=f"{name} must be set.*token_urlsafe"):
        read_environment_secrets()


def test_production_refuses_one_secret_for_two_purposes(environment):
    environment.setenv(NAMES[1], good_secret(0))
    with pytest.raises(ImproperlyConfigured, match="must all differ"):
        read_environment_secrets()


def test_no_refusal_repeats_a_secret(environment):
    environment.setenv("SECRET_KEY", "hunter2")
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_environment_secrets()
    assert "hunter2" not in str(refusal.value)


def test_they_are_made_once_and_kept(bare, path):
    made = read_or_generate_secrets(path)
    assert set(made) == set(NAMES)
    assert len(set(made.values())) == len(NAMES)
    assert all(len(value) >= 64 for value in made.values())
    assert read_or_generate_secrets(path) == made == json.loads(path.read_text())


def test_nobody_else_may_read_the_file(bare, path):
    read_or_generate_secrets(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {file.name for file in path.parent.iterdir()} == {"secrets.json", "secrets.lock"}


def test_two_installations_have_nothing_in_common(bare, path, tmp_path):
    here, there = read_or_generate_secrets(path), read_or_generate_secrets(tmp_path / "other.json")
    assert not set(here.values()) & set(there.values())


def test_the_environment_wins_over_the_file(bare, path):
    made = read_or_generate_secrets(path)
    own = secrets.token_urlsafe(48)
    bare.setenv("LEASE_KEY", own)
    assert read_or_generate_secrets(path) == made | {"LEASE_KEY": own}
    assert json.loads(path.read_text()) == made


def test_a_weak_one_in_the_environment_is_refused_everywhere(bare, path):
    bare.setenv("SECRET_KEY", "short")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY must be set"):
        read_or_generate_secrets(path)


def test_a_new_version_adds_its_secret_and_keeps_the_others(bare, path):
    made = read_or_generate_secrets(path)
    path.write_text(json.dumps({name: made[name] for name in NAMES[:-1]}))
    path.chmod(0o644)
    added = read_or_generate_secrets(path)
    assert {name: added[name] for name in NAMES[:-1]} == {name: made[name] for name in NAMES[:-1]}
    assert added[NAMES[-1]] not in made.values()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "7", "[1]"])
def test_a_damaged_file_is_said_and_left_alone(bare, path, content):
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(ImproperlyConfigured, match="is damaged"):
        read_or_generate_secrets(path)
    assert path.read_text() == content


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 3])
def test_eight_processes_that_start_at_once_agree(bare, path, kept):
    if kept:
        path.parent.mkdir()
        path.write_text(json.dumps({name: good_secret(number) for number, name in enumerate(NAMES[:kept])}))
    first, *others = read_in_processes(path, 8)
    assert all(other == first for other in others)
    assert json.loads(path.read_text()) == first
