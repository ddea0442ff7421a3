"""From django.po, which people edit and Git keeps, to django.mo, which gettext reads and nobody keeps."""

import os
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def compile_stale_catalogues(folders: Iterable[Path]) -> list[Path]:
    """Compile each catalogue below ``folders`` that is not compiled as it stands now, and return those.

    A compiled catalogue carries the time of its source, so one of another source never passes for it, be it older or
    newer. Processes that start at once write the same bytes aside and move them into place. Raises
    ImproperlyConfigured where a catalogue is stale and the folder may not be written to.
    """
    sources = [path for folder in folders for path in sorted(folder.glob("*/LC_MESSAGES/django.po"))]
    stale = [path for path in sources if not _is_compiled(path)]
    for path in stale:
        _compile(path)
    return stale


def _is_compiled(source: Path) -> bool:
    try:
        return source.with_suffix(".mo").stat().st_mtime_ns == source.stat().st_mtime_ns
    except FileNotFoundError:
        return False


def _compile(source: Path) -> None:
    # Imported here because a start finds everything compiled, as a rule.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    changed_at = source.stat().st_mtime_ns
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source.read_bytes())))
    aside = source.with_suffix(f".{os.getpid()}.new")
    try:
        aside.write_bytes(compiled.getvalue())
        os.utime(aside, ns=(changed_at, changed_at))
        aside.replace(source.with_suffix(".mo"))
    except OSError as error:
        raise ImproperlyConfigured(
            f"{source} is not compiled, and {source.parent} cannot be written to: {error}. "
            "Run any command of manage.py once as the owner of that folder, as when the static files are collected."
        ) from error
