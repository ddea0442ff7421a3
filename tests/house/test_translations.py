"""A language is offered whole: every text of the code is in its catalogue, translated, and with the same gaps to fill."""

import gettext
import os
import re
from io import BytesIO
from pathlib import Path

import allauth
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.catalogues.__main__ import find_problems, update_catalogues
from config.catalogues.borrowed import TEXTS
from config.catalogues.checking import find_faults
from config.catalogues.compiling import compile_stale_catalogues
from config.embedded import CHECKOUT

GERMAN = CHECKOUT / "locale" / "de" / "LC_MESSAGES" / "django.po"
HEAD = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'


def read(path):
    return read_po(BytesIO(path.read_bytes()), locale=path.parts[-3])


def test_every_text_is_translated():
    assert len(read(GERMAN)) > 400
    assert not find_problems(CHECKOUT)


def test_every_language_has_a_catalogue_and_the_other_way_round():
    catalogues = {path.parts[-3] for path in CHECKOUT.glob("locale/*/LC_MESSAGES/django.po")}
    assert {code for code, name in settings.LANGUAGES} - {"en"} == catalogues


@pytest.mark.parametrize(
    ("source", "translation", "flags", "fault"),
    [
        ("Rate", "", (), "not translated"),
        (("one", "%(n)d of them"), ("eines", ""), (), "not translated"),
        ("Rate", "Bewerten", ("fuzzy",), "marked fuzzy"),
        ("%(n)d images", "Bilder", (), "placeholders"),
        ("%(n)d images", "%(m)d Bilder", (), "placeholders"),
        ("%(n)d images", "%(n)s Bilder", (), "placeholders"),
        ("{count} images", "{anzahl} Bilder", (), "placeholders"),
        ("100 %% of it", "100 % davon", (), "placeholders"),
        (("%(n)d image", "%(n)d images"), ("ein Bild", "Bilder"), (), "placeholders"),
        (("%(n)d image", "%(n)d images"), ("%(n)d Bild",), (), "has 1 forms"),
        ("a <strong>b</strong>", "a <em>b</em>", (), "tags"),
        ("Rate", "Bewerten ", (), "space"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_fault_is_found(source, translation, flags, fault):
    catalogue = Catalog(locale="de")
    catalogue.add(source, translation, flags=flags)
    assert [fault in found for found in find_faults(catalogue)] == [True]


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("Rate %(n)d of {all}", "Von {all} %(n)d bewerten"),
        (("%(n)d image", "%(n)d images"), ("ein Bild", "%(n)d Bilder")),
        ('<a href="%(url)s">Go</a> on', 'Weiter <a href="%(url)s">gehen</a>'),
    ],
    ids=["other order", "one in words", "tags"],
)
def test_what_fits_is_no_fault(source, translation):
    catalogue = Catalog(locale="de")
    catalogue.add(source, translation)
    assert not find_faults(catalogue)


@pytest.fixture
def project(tmp_path):
    """A small project: code, an admin, a template, and a catalogue that knows one text of them and one that is gone."""
    for name, text in {
        "ratings/views.py": 'from x import gettext as _\n_("Saved.")\nngettext("%d image", "%d images", 2)\n',
        "ratings/scales.py": 'gettext_noop("not at all")\n',
        "ratings/admin/image.py": '_("Only moderators read this")\n',
        "templates/home.html": '{% if x %}\n  {% trans "Hello" %}\n{% endif %}{% firstof m _("Nothing") %}\n'
        "{% blocktranslate count n=n %}{{ n }} set{% plural %}{{ n }} sets{% endblocktranslate %}",
        "templates/admin/base_site.html": '{% trans "Only moderators see this" %}',
        "locale/de/LC_MESSAGES/django.po": HEAD + '\nmsgid "Saved."\nmsgstr "Gespeichert."\n\nmsgid "x"\nmsgstr "y"\n',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_texts_are_collected_and_translations_that_fit_stay(project):
    assert any("make messages" in problem for problem in find_problems(project))
    update_catalogues(project)
    catalogue = read(project / "locale/de/LC_MESSAGES/django.po")
    assert {message.id: message.string for message in catalogue if message.id} == {
        "Saved.": "Gespeichert.",
        ("%d image", "%d images"): ("", ""),
        "not at all": "",
        "Hello": "",
        "Nothing": "",
        ("%(n)s set", "%(n)s sets"): ("", ""),
    }
    assert (project / "locale/de/LC_MESSAGES/django.po").read_text().startswith(HEAD)
    assert not any("make messages" in problem for problem in find_problems(project))


def spoken(folder):
    return gettext.GNUTranslations(BytesIO((folder / "de/LC_MESSAGES/django.mo").read_bytes())).gettext("Rate")


def write(path, word, changed_at):
    catalogue = Catalog(locale="de")
    catalogue.add("Rate", word)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue)
    os.utime(path, (changed_at, changed_at))


def test_what_is_compiled_is_never_stale(tmp_path):
    source = tmp_path / "de/LC_MESSAGES/django.po"
    write(source, "Bewerten", 2_000_000_000)
    assert compile_stale_catalogues([tmp_path]) == [source]
    assert spoken(tmp_path) == "Bewerten"
    assert compile_stale_catalogues([tmp_path]) == []
    # Also an older source than the one that was compiled, as a copied folder brings it.
    write(source, "Benoten", 1_000_000_000)
    assert compile_stale_catalogues([tmp_path]) == [source]
    assert spoken(tmp_path) == "Benoten"


def test_what_cannot_be_compiled_is_said(tmp_path):
    source = tmp_path / "de/LC_MESSAGES/django.po"
    write(source, "Bewerten", 2_000_000_000)
    source.with_suffix(".mo").mkdir()
    with pytest.raises(ImproperlyConfigured, match="is not compiled"):
        compile_stale_catalogues([tmp_path])


def german_texts():
    for message in read(GERMAN):
        if message.id:
            yield from message.string if isinstance(message.string, tuple) else (message.string,)


@pytest.mark.parametrize(
    "wrong",
    [
        r'"(?![^<]*>)|(?<!\w)\'|“(?=\w)|”',  # quotes are „ and “, outside of tags
        r"\.\.\.",  # three dots are …
        r"(?<!^)(?<![.!?:] )\b(Sie|Ihnen|Ihr|Ihre[mnrs]?)\b",  # we say du
        r"  | [,.;!]",
        r"\b(Artefakt|Rating|Dataset|Moderator|Email|[Üü]berspr[iu]ng)",  # words of the glossary, at the head of the catalogue
    ],
    ids=["quotes", "dots", "address", "spaces", "glossary"],
)
def test_german_is_written_as_the_head_of_its_catalogue_says(wrong):
    texts = [re.sub(r"<[^>]*>", "", text) for text in german_texts()]
    assert not [text for text in texts if re.search(wrong, text)]


def german_of_allauth():
    return {message.id: message for message in read(Path(allauth.__path__[0]) / "locale/de/LC_MESSAGES/django.po")}


def test_what_is_borrowed_is_there_to_borrow():
    assert set(TEXTS) <= german_of_allauth().keys(), "The library says these differently now."


def test_no_page_and_no_email_of_the_library_says_sie():
    shown = re.compile(r"account/|templates/account/(email|messages)/")
    formal = {
        text
        for text, message in german_of_allauth().items()
        if any(shown.match(place) for place, line in message.locations)
        and re.search(r"\b(Sie|Ihnen|Ihre?[mnrs]?)\b", str(message.string))
    }
    assert len(formal) > 10
    assert formal <= set(TEXTS), "Name these in config/catalogues/borrowed.py and translate them."
