"""The last files of a release, each of which vouches for those before: texts, manifest, checksums, signature."""

from pathlib import Path

from django.conf import settings

from exports.models import Release
from exports.queries import latest_release_of
from exports.writers import card, croissant, documents, reader
from exports.writers.contents import Contents, Earlier
from exports.writers.files import WrittenFile
from exports.writers.folders import write_text
from exports.writers.signature import PublicKey, SigningKey


def signing_key() -> SigningKey:
    """Return the key that signs releases of this service."""
    return SigningKey.from_secret(str(getattr(settings, "SIGNING_KEY")))


def trusted_keys() -> list[PublicKey]:
    """Return the public keys whose signatures hold: that of today, and those of before. Raises ValueError."""
    return [signing_key().public, *(PublicKey.parse(text) for text in settings.SIGNING_KEYS_BEFORE)]


def find_earlier(slug: str) -> Earlier | None:
    """Return what the newest published release of a dataset had."""
    release = latest_release_of(slug)
    if release is None:
        return None
    return Earlier(release.version, release.schema_version, release.rating_count, release.image_count)


def describe_release(*, release: Release, folder: Path, contents: Contents, tables: list[WrittenFile]) -> None:
    """Write what describes the tables, the manifest of all that, the checksums of everything, and their signature."""
    texts = {
        "CHANGELOG.md": card.make_changelog(contents),
        "CITATION.cff": card.make_citation(contents),
        "LICENSE": card.make_licence_text(contents.dataset),
        "METHODS.md": card.make_methods(),
        "PRIVACY.md": card.make_privacy(),
        "README.md": card.make_readme(contents),
        "SCHEMA.md": documents.make_schema_text(),
        "croissant.json": croissant.make_croissant(contents, tables),
        "schema.json": documents.make_schema_json(),
        "verify.py": Path(reader.__file__).read_text(encoding="utf-8"),
    }
    files = [*tables, *(write_text(folder, path, text) for path, text in texts.items())]
    files.append(write_text(folder, documents.MANIFEST, documents.make_manifest(contents, files)))
    sums = documents.make_checksums(files)
    write_text(folder, documents.CHECKSUMS, sums)
    write_text(folder, documents.SIGNATURE, signing_key().sign(sums.encode(), comment=str(release)))
