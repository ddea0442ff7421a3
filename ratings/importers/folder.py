"""Pictures in a folder and its sub-folders, with or without an index beside them."""

import os
import re
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from ratings.importers.index import IndexEntry, read_index
from ratings.importers.sources import Refusal, SourceImage
from ratings.models import AdultClass

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".gif")
LONGEST_SOURCE_ID = 300
UUID_NAME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class NoSuchFolder(Exception):
    """There is no folder to read; the message says what is there instead."""


class _FileRefused(Exception):
    pass


class Folder:
    """One reading of a folder: first what the index names, in its order, then the other files by name.

    ``licence`` and ``adult_class`` hold where the index says nothing else.
    """

    def __init__(
        self, root: Path, *, index: Path | None = None, licence: str = "", adult_class: AdultClass = AdultClass.SAFE
    ) -> None:
        if not root.is_dir():
            raise NoSuchFolder(f"{root} is {'a file, not a folder' if root.exists() else 'not there'}.")
        if index is not None and not index.is_file():
            raise NoSuchFolder(f"The index {index} is {'not a file' if index.exists() else 'not there'}.")
        self.root = root.resolve()
        self.index = index.resolve() if index else None
        self.licence = licence
        self.adult_class = adult_class

    def find_images(self) -> Iterator[SourceImage | Refusal]:
        """Yield every picture that may be imported and a refusal for everything else that lies here."""
        lines: dict[Path, int] = {}
        for entry in read_index(self.index) if self.index else ():
            yield entry if isinstance(entry, Refusal) else self._from_index(entry, lines)
        for found in self._walk(self.root):
            if isinstance(found, Refusal):
                yield found
            elif found not in lines and found != self.index:
                yield self._from_file(found)

    def _from_index(self, entry: IndexEntry, lines: dict[Path, int]) -> SourceImage | Refusal:
        name = f"{entry.file} (index, line {entry.line_number})"
        try:
            path = self._path_of(entry.file)
            _check_named_once(path, entry.line_number, lines)
            self._check_inside(path)
            source_id = entry.id or self._source_id_of(path)
        except _FileRefused as refused:
            return Refusal(name=name, reason=str(refused))
        return SourceImage(
            name=name,
            source_id=source_id,
            content=path,
            has_stated_id=bool(entry.id),
            image_id=entry.image_id if entry.id else _uuid_in_name(path),
            adult_class=entry.adult_class or self.adult_class,
            licence=entry.licence or self.licence,
            source_url=entry.source_url,
            prompt=entry.prompt,
            model_name=entry.model_name,
            generation=entry.generation,
            stated=entry.stated,
        )

    def _from_file(self, path: Path) -> SourceImage | Refusal:
        name = str(path.relative_to(self.root))
        try:
            self._check_inside(path)
            _check_suffix(path)
            source_id = self._source_id_of(path)
        except _FileRefused as refused:
            return Refusal(name=name, reason=str(refused))
        return SourceImage(
            name=name,
            source_id=source_id,
            content=path,
            image_id=_uuid_in_name(path),
            licence=self.licence,
            adult_class=self.adult_class,
        )

    def _path_of(self, file: str) -> Path:
        """Return where the index points; `..` is resolved by name alone, before anything on disk is asked."""
        path = Path(os.path.normpath(self.root / file))
        if not path.is_relative_to(self.root) or path == self.root:
            raise _FileRefused("points outside the folder")
        return path

    def _check_inside(self, path: Path) -> None:
        if any(part.startswith(".") for part in path.relative_to(self.root).parts):
            raise _FileRefused("hidden file")
        try:
            target = path.resolve(strict=True)
            mode = target.stat().st_mode
        except FileNotFoundError as error:
            raise _FileRefused("a link to nothing" if path.is_symlink() else "not there") from error
        except OSError as error:
            raise _FileRefused(f"cannot be read: {error.strerror}") from error
        except RuntimeError as error:  # Python 3.11 and 3.12 say so of links that go in a circle
            raise _FileRefused("a link that leads to itself") from error
        if not target.is_relative_to(self.root):
            raise _FileRefused("a link that leaves the folder")
        if not stat.S_ISREG(mode):
            raise _FileRefused("not a regular file")

    def _source_id_of(self, path: Path) -> str:
        source_id = path.relative_to(self.root).as_posix()
        if len(source_id) > LONGEST_SOURCE_ID:
            raise _FileRefused(f"its path is longer than {LONGEST_SOURCE_ID} characters")
        try:
            source_id.encode()
        except UnicodeEncodeError as error:
            raise _FileRefused("its name is not UTF-8") from error
        return source_id

    def _walk(self, start: Path) -> Iterator[Path | Refusal]:
        """Yield every file below by name; refusals stand for hidden folders and for links to folders."""
        folders = [start]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                yield self._folder_refusal(folder, f"cannot be listed: {error.strerror}")
                continue
            inner: list[Path] = []
            for entry in entries:
                path = Path(entry.path)
                if not _is_folder(entry):
                    yield path
                elif entry.name.startswith("."):
                    yield self._folder_refusal(path, "hidden folder, not entered")
                elif entry.is_symlink():
                    yield self._folder_refusal(path, "a link to a folder, not followed")
                else:
                    inner.append(path)
            folders.extend(reversed(inner))

    def _folder_refusal(self, folder: Path, reason: str) -> Refusal:
        return Refusal(name=f"{folder.relative_to(self.root)}/", reason=reason)


def _uuid_in_name(path: Path) -> uuid.UUID | None:
    """Return the UUID that a file is named by, as those of DiffusionDB are: what its source calls the image."""
    return uuid.UUID(path.stem) if UUID_NAME.fullmatch(path.stem.lower()) else None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link into a place that we may not see: refused later, as a file
        return False


def _check_named_once(path: Path, line_number: int, lines: dict[Path, int]) -> None:
    if path in lines:
        raise _FileRefused(f"line {lines[path]} of the index names the same file")
    lines[path] = line_number


def _check_suffix(path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        raise _FileRefused("not a picture; an index is read only when the import names it")
    if suffix not in SUFFIXES:
        raise _FileRefused(f"not a picture by its name; pictures end in {', '.join(SUFFIXES)}")
