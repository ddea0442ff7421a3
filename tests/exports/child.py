"""Builds in a process of their own, which tests may kill or starve."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from exports.writers.snapshot import conninfo

BUILD = """
import sys, time, django
django.setup()
from django.utils import timezone
from exports.services import build_release
from ratings.models import Dataset

def tell(progress):
    print(progress.table, flush=True)
    if progress.table == {stop_after!r}:
        time.sleep(60)

build_release(dataset=Dataset.objects.get(slug={slug!r}), now=timezone.now(), on_progress=tell)
# Not getrusage: what it calls the peak of a child includes that of the process which started it.
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""


def child_environment() -> dict[str, str]:
    """Return what makes a child process work on the database and the folders of this test."""
    assert Path(settings.RELEASES_ROOT).name == "releases"
    return os.environ | {
        "DATABASE_URL": conninfo(),
        "DJANGO_SETTINGS_MODULE": "config.settings.testing",
        "KUDOSCOPE_TEST_CHILD": "1",
        "REDIS_URL": settings.REDIS_URL,
        "SIGNING_KEY": settings.SIGNING_KEY,
        "VAR_DIR": str(Path(settings.RELEASES_ROOT).parent),
    }


def start_build(slug: str, *, stop_after: str = "", file_limit: int | None = None) -> subprocess.Popen[str]:
    """Start to build a release in a child process, which falls asleep once ``stop_after`` has been read.

    No file of it can grow beyond ``file_limit`` bytes.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", BUILD.format(slug=slug, stop_after=stop_after)],
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if file_limit is not None:
        # Django takes longer to start than this.
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (file_limit, file_limit))
    return child


def wait_for_line(child: subprocess.Popen[str], line: str) -> None:
    for said in child.stdout:
        if said.strip() == line:
            return
    raise AssertionError(f"the child never said {line!r}: {child.stderr.read()}")


def kill(child: subprocess.Popen[str]) -> None:
    """Kill without warning, as the kernel does when memory runs out."""
    child.kill()
    child.communicate()


def peak_memory(child: subprocess.Popen[str]) -> int:
    """Wait for a build to end; return the most memory it had, in bytes."""
    _, said = child.communicate(timeout=300)
    assert child.returncode == 0, said
    return int(re.findall(r"VmHWM:\s+(\d+) kB", said)[-1]) * 1024
