"""The texts of a release that people read: its data card, how it was made, what stays here, and how to cite it."""

import json

from django.conf import settings
from django.utils import translation

from exports.privacy import GIVEN_UP
from exports.schema import RATINGS, REASONS, SCHEMA_VERSION, TABLES
from exports.schema.scores import METHOD_VERSION
from exports.writers.contents import Contents
from ratings.models import Dataset
from ratings.queries.scales import get_scale
from ratings.scales import COMPARISON_SCALES, SCALES, Scale

README = """\
---
pretty_name: {pretty_name}
license: {hub_licence}
tags:
- image-quality
- human-feedback
configs:
{configs}
---

# {name}, release {version}

{description}{rating_count:,} ratings of {image_count:,} images, as of {moment}.

One row of `data/ratings` is what one rater said of one image. One row of `data/images` is one image. One row of
`data/comparisons` is what one rater found of images that they saw together.
`data/image_scores` has what the ratings of each image say together, `data/raters` how well each rater judges,
`data/ratings_excluded` what does not count and why, and `legacy_export.parquet` has those that say how good an image
looks once more, in the columns that programs of 2023 read. Every column is explained in `SCHEMA.md`, and for programs
in `schema.json` and `croissant.json`. The pictures themselves are not inside.

Only ratings that count are in `data/ratings`: none that a moderator voided, that are held or in quarantine, or that
another rating of the same person replaced; and none of images that are hidden or withdrawn. Answers given after
{until} are left to the next release.{excluded}

## The questions

{scales}

## Use

    from verify import load
    ratings = load("ratings")

`verify.py` checks what it reads, and needs pyarrow or DuckDB. `split` of an image is train, validation or test, the
same in every release. How images are chosen and scores computed is in `METHODS.md`; who can be recognised, in
`PRIVACY.md`; what changed, in `CHANGELOG.md`.

## Please

Do not try to find out who a rater is, and do not rank raters in public. Raters chose to take part and are no sample
of any population; a mean of few ratings says little.

## Check and cite

`sha256sum -c SHA256SUMS` or `python verify.py` checks every file. Cite the dataset by its name and this version,
`{slug} {version}`, or as `CITATION.cff` has it: a published version never changes. Licences are in `LICENSE`.
"""

METHODS = """\
# Methods

## Which image next

Whoever rates is given an image drawn at random among those of the dataset that are still open and that they have not
rated; nobody can ask for a certain one. An image is closed when it has the ratings it needs.

## What counts

A rating counts when its image was shown: the signed lease, or the hash of the picture, came back with it (`proof` says
which). A moderator can void ratings, and put a rater in quarantine, after which their ratings do not count.

## Scores, method {method}

`mean` is the plain arithmetic mean of the ratings in this release, `sd` their sample standard deviation, and the
histograms count each answer. Nothing is weighed or corrected for who rated. `artifacts` need not be answered; its
figures are of the ratings that answer it. How well a rater judges (`data/raters`) comes from how their answers go with
those of the others; who has answered fewer than twenty times has no figures.

## Splits

`split` comes from a hash of the prompt, or of the id of the image where it has no prompt: see `SCHEMA.md`.
"""

PRIVACY = """\
# Privacy

Raters are pseudonyms: an HMAC-SHA256 under a key that never leaves the service, over a random number of the rater. One
rater has one pseudonym in all releases of this dataset under one major schema version, and others elsewhere.

Times are cut to the hour. Counts and kudos are powers of ten, the age of an account is one of five bands: those of
the rater's first answer here, the same in every row and every release. Of the program only its name is told. There is
no user name, address, hash of an address or free text of a rater.

What is told of a rater is the same for at least {smallest} raters of this release. Where it was not, it was withheld
from those whom too few resemble, in this order, until enough did: {given_up}.
Who was one of few even so has no pseudonym. A country or a program of fewer than {smallest} raters is told of nobody.

Whoever knows when and how somebody rated may still recognise them: pseudonyms are no anonymity. Please do not try.
"""

LICENCE = """\
Licences

Ratings, and everything computed from them: {ratings} (SPDX).

Images: they are not part of this release. They are under {images} (SPDX) unless the column licence of the table images
says otherwise.
"""


def make_readme(contents: Contents) -> str:
    """Return README.md, the data card, with the front matter that hubs read."""
    dataset = contents.dataset
    return README.format(
        pretty_name=json.dumps(f"{dataset.name}, {contents.version}", ensure_ascii=False),
        hub_licence=json.dumps(dataset.ratings_licence.lower()),
        configs="\n".join(
            f"- config_name: {table.name}\n  data_files: {json.dumps(table.parts_path)}"
            + ("\n  default: true" if table is RATINGS else "")
            for table in TABLES
        ),
        name=dataset.name,
        slug=dataset.slug,
        version=contents.version,
        description=f"{dataset.description}\n\n" if dataset.description else "",
        rating_count=contents.rating_count,
        image_count=contents.image_count,
        moment=contents.moment,
        until=contents.until.isoformat(timespec="seconds").replace("+00:00", "Z"),
        excluded=_excluded_text(contents),
        scales="\n\n".join([*(_scale_text(version) for version in sorted(SCALES)), _comparison_text()]),
    )


def _excluded_text(contents: Contents) -> str:
    if not contents.excluded:
        return ""
    counts = "; ".join(f"{count:,} {code} ({REASONS[code]})" for code, count in contents.excluded.items())
    return f" Left out, and in\n`data/ratings_excluded`: {counts}."


def _comparison_text() -> str:
    asked = [
        f"Version {scale.version}: “{scale.question}” One image, “{scale.tie}” (tie), or “{scale.all_bad}” (all_bad)."
        for scale in COMPARISON_SCALES.values()
    ]
    return " ".join(["Comparisons.", *asked])


def _scale_text(version: int) -> str:
    """Return how the two questions were asked, in each language of the pages."""
    asked = [f"Scale version {version}. {_in_words(SCALES[version])}"]
    for code, language in settings.LANGUAGES:
        if code != settings.LANGUAGE_CODE:
            with translation.override(code):
                asked.append(f"On pages in {language} ({code}): {_in_words(get_scale(version))}")
    return "\n\n".join(asked)


def _in_words(scale: Scale) -> str:
    levels = "; ".join(f"{level.value} {level.word.lower()} ({level.meaning})" for level in scale.artifacts)
    ends = f"1 ({scale.aesthetic_low}), 10 ({scale.aesthetic_high})"
    return f"`aesthetic`: “{scale.aesthetic_question}” {ends}. `artifacts`: “{scale.artifacts_question}” {levels}."


def make_licence_text(dataset: Dataset) -> str:
    return LICENCE.format(ratings=dataset.ratings_licence, images=dataset.licence)


def make_methods() -> str:
    return METHODS.format(method=METHOD_VERSION)


def make_privacy() -> str:
    """Return PRIVACY.md: who could be recognised, and what is withheld so that nobody is."""
    given_up = ", ".join(name.replace("_", " ") for name in GIVEN_UP)
    return PRIVACY.format(smallest=settings.RELEASE_SMALLEST_CELL, given_up=given_up)


def make_changelog(contents: Contents) -> str:
    """Return CHANGELOG.md: what this release has that the one before had not."""
    lines = [f"# {contents.dataset.slug} {contents.version}", ""]
    before = contents.earlier
    if before is None:
        lines.append(f"The first release: {contents.rating_count:,} ratings of {contents.image_count:,} images.")
    else:
        ratings, images = contents.rating_count - before.rating_count, contents.image_count - before.image_count
        lines.append(f"Since {before.version}: {ratings:+,} ratings, {images:+,} images.")
        if before.schema_version != SCHEMA_VERSION:
            lines += ["", f"The schema is {SCHEMA_VERSION}; it was {before.schema_version}."]
    return "\n".join(lines) + "\n"


def make_citation(contents: Contents) -> str:
    """Return CITATION.cff (https://citation-file-format.github.io/); texts are quoted as JSON, which is YAML."""
    dataset = contents.dataset
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use these ratings, please cite them.",
        "type": "dataset",
        "title": f"{dataset.name}: ratings of images",
        "version": contents.version,
        "date-released": contents.day,
        "license": dataset.ratings_licence,
        **({"url": contents.site} if contents.site else {}),
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return (
        "\n".join([*lines, "authors:", f"- name: {json.dumps(f'Raters of {dataset.name}', ensure_ascii=False)}"]) + "\n"
    )
