"""Where releases lie on disk, and the steps that make a folder whole, final and lasting."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.validators import validate_slug

from exports.writers.files import HashingFile, WrittenFile

BUILDING_PREFIX = ".building-"
VERSION = re.compile(r"\d{4}-\d\d-\d\d(\.[1-9]\d*)?")
FINAL_FILE, FINAL_FOLDER = 0o444, 0o555


def dataset_folder(slug: str) -> Path:
    """Return the folder of a dataset's releases; a slug that is no slug is refused, as it would lead elsewhere."""
    validate_slug(slug)
    return Path(settings.RELEASES_ROOT) / slug


def release_folder(slug: str, version: str) -> Path:
    return dataset_folder(slug) / version


def building_folder(slug: str, version: str) -> Path:
    return dataset_folder(slug) / f"{BUILDING_PREFIX}{version}"


def state_path(slug: str) -> Path:
    """Return the file that says which release of a dataset is the newest."""
    return dataset_folder(slug) / "state.json"


def write_state(slug: str, text: str) -> None:
    """Put new text into the place of the old in one step: a reader sees one or the other."""
    aside = state_path(slug).with_suffix(".new")
    aside.unlink(missing_ok=True)
    with HashingFile(aside) as file:
        file.write(text.encode())
    aside.replace(state_path(slug))
    _sync_folder(dataset_folder(slug))


def finished_folders(slug: str) -> Iterator[Path]:
    """Yield the folders that bear the name of a version, whether or not anybody published them."""
    return (path for path in _entries(dataset_folder(slug)) if VERSION.fullmatch(path.name) and path.is_dir())


def unfinished_folders(slug: str) -> Iterator[Path]:
    return (path for path in _entries(dataset_folder(slug)) if path.name.startswith(BUILDING_PREFIX) and path.is_dir())


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def files_below(folder: Path) -> list[str]:
    """Return the paths of all files in a folder and the folders in it, relative to it, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def write_text(folder: Path, name: str, text: str) -> WrittenFile:
    """Write a new text file that is on disk when this returns."""
    with HashingFile(folder / name) as file:
        file.write(text.encode())
    return WrittenFile(name, file.byte_count, file.sha256)


def make_final(folder: Path) -> None:
    """Take away the right to write, and see that the names in the folders are on disk as well."""
    for name in files_below(folder):
        (folder / name).chmod(FINAL_FILE)
    for inner in (*(path for path in folder.rglob("*") if path.is_dir()), folder):
        inner.chmod(FINAL_FOLDER)
        _sync_folder(inner)


def put_in_place(building: Path, final: Path) -> None:
    """Give a finished folder its name, in one step; a folder of that name is never replaced."""
    if final.exists():
        raise FileExistsError(f"{final.name} exists on disk already.")
    building.rename(final)
    _sync_folder(final.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it, read-only or not; one that is not there is no concern."""
    if not folder.is_dir():
        return
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        path.chmod(path.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(folder)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
