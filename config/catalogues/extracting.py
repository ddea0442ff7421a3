"""Every text of pages that is to be translated: from the code by Babel, from templates by Django's own reading."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

APPS = ("accounts", "config", "exports", "kudos", "ratings")
# The admin and its like stay English: those who run the service read its logs and its documents in English too.
ENGLISH = {"admin", "admin.py", "drf_spectacular", "management", "migrations"}
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
COMMENT_TAGS = ("Translators",)


def extract_texts(root: Path) -> Catalog:
    """Return a catalogue of every text in the code and the templates below ``root``, in the order of their files."""
    texts = Catalog()
    for path in sorted([*_modules(root), *(root / "templates").rglob("*.html")]):
        place = path.relative_to(root)
        if ENGLISH & set(place.parts) or place.name.startswith("admin_"):
            continue
        for message, comments, context in _texts_of(path):
            texts.add(message, locations=[(place.as_posix(), 0)], auto_comments=comments, context=context)
    return texts


def merge_texts(catalogue: Path, texts: Catalog) -> bytes:
    """Return the catalogue as it has to be: the texts of the code, and of the translations those that still fit.

    A text that is new has no translation, and one that is gone leaves with its own: nothing is guessed.
    """
    source = catalogue.read_bytes()
    merged = read_po(BytesIO(source), locale=catalogue.parts[-3])
    merged.update(texts, no_fuzzy_matching=True)
    merged.obsolete.clear()
    written = BytesIO()
    write_po(written, merged, width=120, include_lineno=False, omit_header=True)
    # The head is the translator's. Babel's own would carry times, over which every second merge would stumble.
    head = source.partition(b"\n\n")[0].rstrip(b"\n")
    return head + b"\n\n" + written.getvalue()


def _modules(root: Path) -> Iterator[Path]:
    for app in APPS:
        yield from (root / app).rglob("*.py")


def _texts_of(path: Path) -> Iterator[tuple[str | tuple[str, ...], list[str], str | None]]:
    source = path.read_text()
    if path.suffix == ".html":
        # What is left of a template is no Python, but its calls are; their indentation would mean something there.
        source = "\n".join(line.lstrip() for line in templatize(source, origin=str(path)).splitlines())
    found = extract("python", BytesIO(source.encode()), KEYWORDS, COMMENT_TAGS)
    for _, message, comments, context in found:
        yield message, comments, context
