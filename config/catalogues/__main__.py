"""`python -m config.catalogues`: collect the texts anew into every catalogue; with `--check` say only what is wrong."""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.pofile import read_po

from config.catalogues.checking import find_faults
from config.catalogues.extracting import extract_texts, merge_texts

ROOT = Path(__file__).resolve().parents[2]


def find_problems(root: Path) -> list[str]:
    """Return what is wrong with the catalogues below ``root``: out of date, incomplete, or not fitting."""
    texts = extract_texts(root)
    problems = []
    for path in _catalogues(root):
        merged = merge_texts(path, texts)
        place = path.relative_to(root)
        if path.read_bytes() != merged:
            problems.append(f"{place} is not what the code says: run `make messages`.")
        problems += [f"{place}: {fault}" for fault in find_faults(read_po(BytesIO(merged), locale=path.parts[-3]))]
    return problems


def update_catalogues(root: Path) -> None:
    """Write every catalogue anew from the texts of the code."""
    texts = extract_texts(root)
    for path in _catalogues(root):
        path.write_bytes(merge_texts(path, texts))


def _catalogues(root: Path) -> list[Path]:
    return sorted(root.glob("locale/*/LC_MESSAGES/django.po"))


if __name__ == "__main__":
    if sys.argv[1:] != ["--check"]:
        update_catalogues(ROOT)
    sys.exit("\n".join(find_problems(ROOT)) or None)
