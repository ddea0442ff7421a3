"""`make run`, as a process, over a small project that stands in for ours: what is tested is who starts and stops whom."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request

import pytest

from config import supervisor
from config.embedded import CHECKOUT
from config.embedded.process import wait_until
from config.supervisor import Child, GaveUp, open_door, take_port

slow = pytest.mark.slow

PROJECT = {
    "config/celery.py": """
        import os
        from celery import Celery
        app = Celery("stand-in")
        app.conf.broker_url = "redis+socket://" + os.environ["REDIS_URL"][7:-5]
    """,
    "config/settings/local.py": """
        import os
        from pathlib import Path
        host = os.environ["DATABASE_URL"].split("host=")[1]
        user = name = "kudoscope"
        database = {"ENGINE": "django.db.backends.postgresql", "HOST": host, "USER": user, "NAME": name}
        DATABASES = {"default": database}
        INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.staticfiles", "standin"]
        SECRET_KEY = "for a test"
        ROOT_URLCONF = "config.urls"
        STATIC_URL = "static/"
        STATIC_ROOT = Path(__file__).parents[2] / "var" / "static"
    """,
    "config/urls.py": """
        import os
        from django.db import connection
        from django.http import HttpResponse
        from django.urls import path
        def healthz(request):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return HttpResponse(os.environ["KUDOSCOPE_PORT"])
        urlpatterns = [path("healthz", healthz)]
    """,
    "config/wsgi.py": """
        from django.core.wsgi import get_wsgi_application
        application = get_wsgi_application()
    """,
    "standin/management/commands/load_demo.py": """
        import time
        from pathlib import Path
        from django.core.management.base import BaseCommand
        class Command(BaseCommand):
            def handle(self, **options):
                self.stdout.write("loading the demo")
                while Path("slow-demo").exists():
                    time.sleep(0.05)
    """,
    "standin/management/commands/draw_practice.py": """
        from django.core.management.base import BaseCommand
        class Command(BaseCommand):
            def handle(self, **options):
                pass
    """,
    "standin/management/commands/ensure_moderators.py": """
        from django.core.management.base import BaseCommand
        class Command(BaseCommand):
            def handle(self, **options):
                pass
    """,
    "standin/management/commands/ensure_superuser.py": """
        from django.core.management.base import BaseCommand
        class Command(BaseCommand):
            def handle(self, **options):
                self.stdout.write("first superuser: admin")
    """,
}


@pytest.fixture
def project(checkout):
    for name, text in PROJECT.items():
        file = checkout.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    shutil.copy(CHECKOUT / "config" / "supervisor.py", checkout.path / "config")
    return checkout


def start(project, **more):
    """Run the supervisor with a file for its output, so that nothing waits for somebody to read it."""
    with (project.path / "output").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "config.supervisor"],
            cwd=project.path,
            env=project.environment(**more),
            stdout=output,
            stderr=output,
            preexec_fn=hear_all_signals,  # noqa: PLW1509 - it touches no lock
        )


def hear_all_signals():
    """What started the tests may ignore signals (`nohup`, a job in the background), and that is inherited."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def read_output(project):
    return (project.path / "output").read_text()


def wait_for(project, text, seconds=60):
    assert wait_until(lambda: text in read_output(project), seconds), read_output(project)


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    return process.wait(60)


def find_address(project):
    return (project.path / "var" / "run" / "address").read_text()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_works_and_stops_all_it_started(project, number):
    port = free_port()
    process = start(project, PORT=str(port))
    wait_for(project, f"Kudoscope is ready: http://127.0.0.1:{port}/")
    assert "loading the demo\nfirst superuser: admin\n" in read_output(project)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
        assert answer.read() == str(port).encode()
    assert stop(process, number) == 0
    assert read_output(project).endswith("Stopped.\n")
    assert project.find_processes() == []


@slow
def test_a_second_run_of_the_same_folder_is_refused(project):
    process = start(project)
    wait_for(project, "is ready")
    address = find_address(project)
    refused = subprocess.run(
        [sys.executable, "-m", "config.supervisor"],
        cwd=project.path,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    said = f"Kudoscope already runs from this folder ({address}): stop that one with Ctrl-C first.\n"
    assert refused.stderr == said
    stop(process)


@slow
def test_a_stop_while_the_demo_loads_stops_that_too(project):
    (project.path / "slow-demo").touch()
    process = start(project)
    wait_for(project, "loading the demo")
    assert stop(process) == 0
    assert project.find_processes() == []


@slow
def test_killing_the_supervisor_leaves_nothing_running(project):
    process = start(project)
    wait_for(project, "is ready")
    process.kill()
    process.wait()
    assert wait_until(lambda: project.find_processes() == [], 30)


@slow
def test_a_web_server_that_dies_is_started_again(project):
    process = start(project)
    wait_for(project, "is ready")
    [leader] = find_leaders(process.pid, "granian")
    os.killpg(leader, signal.SIGKILL)
    wait_for(project, "web ended (exit code -9); starting it again in 1 s.")
    assert wait_until(lambda: answers(f"{find_address(project)}healthz"), 20)
    stop(process)


def find_leaders(parent, name):
    shown = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in shown.splitlines()]
    return [int(pid) for pid, owner, command in rows if int(owner) == parent and name in command]


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


@slow
def test_a_failing_preparation_ends_the_run(project):
    (project.path / "standin/management/commands/load_demo.py").write_text("raise RuntimeError('out of order')")
    process = start(project)
    assert process.wait(60) == 1
    assert read_output(project).endswith("The database could not be prepared; the reason is above.\n")


def test_a_port_in_use_that_was_asked_for_is_one_sentence(project):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start(project, PORT=str(port))
        assert process.wait(20) == 1
    assert read_output(project) == (
        f"Port {port} is in use: stop what listens there, or choose another, as in `PORT=9000 make run`.\n"
    )


@pytest.mark.parametrize("named", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(named):
    with pytest.raises(GaveUp, match="must be a number from 1 to 65535"):
        open_door(named)


def test_the_next_free_port_is_taken_when_none_was_asked_for(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(supervisor, "FIRST_PORT", port)
        monkeypatch.setattr(supervisor, "LAST_PORT", port + 20)
        with open_door(None) as door:
            assert port < door.getsockname()[1] <= port + 20
    assert capsys.readouterr().out.startswith(f"Port {port} is in use; taking ")


def test_a_taken_port_is_held():
    port = free_port()
    with take_port(port) as door:
        assert door.getsockname() == ("127.0.0.1", port)
        assert take_port(port) is None
    with take_port(port) as door:
        assert door is not None


@pytest.fixture
def make_child(monkeypatch, tmp_path):
    """Make a child that runs a line of Python, with its log in a folder of the test."""
    (tmp_path / "log").mkdir()
    monkeypatch.setattr(supervisor, "VAR", tmp_path)
    made = []

    def make(code, patience=5.0):
        child = Child("web", [sys.executable, "-S", "-c", code], dict(os.environ), patience)
        made.append(child)
        child.start()
        return child

    yield make
    for child in made:
        child.stop(lambda: True)


def test_a_child_that_cannot_stay_alive_ends_the_run_with_its_log(make_child, capsys):
    child = make_child("raise RuntimeError('out of order')")

    def live(now):
        if child.process is not None:
            child.process.wait()
        child.tend(float(now))

    with pytest.raises(GaveUp, match=r"web ended 5 times within a minute(.|\n)*RuntimeError: out of order"):
        list(map(live, range(60)))
    assert capsys.readouterr().out.count("starting it again") == 4


def test_only_alarms_of_a_log_are_echoed(make_child, capsys):
    make_child("print('all well'); 1/0").process.wait()
    child = make_child("import time; time.sleep(60)")
    with child.log.open("a") as log:
        log.write("info: fine\nTraceback (most recent call last):\n  File x\nValueError: no\nfine again\nERROR half")
    child.echo_alarms()
    shown = capsys.readouterr().out
    assert shown == "web | Traceback (most recent call last):\nweb |   File x\nweb | ValueError: no\n"


def test_a_child_that_ignores_the_signal_is_killed_in_time(make_child):
    child = make_child(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)", 0.3
    )
    assert wait_until(lambda: child.log.read_text() == "1\n", 10)
    process, started = child.process, time.monotonic()
    child.stop(lambda: False)
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 5


def test_a_hurried_stop_does_not_wait(make_child):
    child = make_child(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)", 60
    )
    assert wait_until(lambda: child.log.read_text() == "1\n", 10)
    process = child.process
    child.stop(lambda: True)
    assert process.returncode == -signal.SIGKILL


def test_what_a_dead_child_left_in_its_group_is_killed(make_child):
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    child = make_child(code)
    child.process.wait()
    grandchild = int(child.log.read_text())
    child.tend(time.monotonic())
    assert wait_until(lambda: not is_running(grandchild), 5)


def is_running(pid):
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(shown.strip()) and not shown.startswith("Z")
