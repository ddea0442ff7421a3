"""What is wrong with a catalogue: a page is offered in a language when every one of its texts is there and fits."""

import re
from collections import Counter
from collections.abc import Iterator
from textwrap import shorten

from babel.messages.catalog import Catalog, Message

# Filled in by Django (`%(name)s`) and by scripts (`{name}`).
PLACEHOLDERS = re.compile(r"%\(\w+\)[#0+-]*[a-z]|%[a-z%]|\{\w+\}")
TAGS = re.compile(r"</?\w+")


def find_faults(catalogue: Catalog) -> list[str]:
    """Return one sentence for each fault of a catalogue, in its order."""
    return [
        f"{_shown(message)}: {fault}" for message in catalogue if message.id for fault in _faults(catalogue, message)
    ]


def _faults(catalogue: Catalog, message: Message) -> Iterator[str]:
    sources, forms = _texts(message.id), _texts(message.string)
    if message.fuzzy:
        yield "it is marked fuzzy; make it right and take the mark away."
    if not all(forms):
        yield "it is not translated."
        return
    if len(forms) != (catalogue.num_plurals if message.pluralizable else 1):
        yield f"it has {len(forms)} forms."
        return
    for number, form in enumerate(forms):
        is_single = message.pluralizable and number == 0
        # The form for a single thing may say the number in a word: "an image".
        yield from _differences(sources[min(number, len(sources) - 1)], form, may_drop=is_single)


def _texts(held: object) -> tuple[str, ...]:
    """Return the forms of a text, of which most have one."""
    return tuple(held) if isinstance(held, tuple | list) else (str(held or ""),)


def _differences(source: str, form: str, *, may_drop: bool) -> Iterator[str]:
    wanted, held = set(PLACEHOLDERS.findall(source)), set(PLACEHOLDERS.findall(form))
    if held - wanted or (wanted != held and not may_drop):
        yield f"its placeholders are {sorted(held)} and not {sorted(wanted)}."
    if Counter(TAGS.findall(source)) != Counter(TAGS.findall(form)):
        yield f"its tags are {TAGS.findall(form)} and not {TAGS.findall(source)}."
    if source[:1].isspace() != form[:1].isspace() or source[-1:].isspace() != form[-1:].isspace():
        yield "it begins or ends with a space, or should."


def _shown(message: Message) -> str:
    return f"“{shorten(_texts(message.id)[0], 60, placeholder='…')}”"
