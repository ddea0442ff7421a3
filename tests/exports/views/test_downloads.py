"""The downloads page, and that what it tells people to type works."""

import html
import os
import re
import subprocess
import sys
from datetime import timedelta

import duckdb
import pytest
from django.urls import reverse

from exports.models import Release
from exports.schema import RATINGS
from tests.exports.made import FILES, build, folder_of
from tests.factories import DatasetFactory
from tests.people import now

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(client):
    return html.unescape(client.get(reverse("exports:downloads")).content.decode())


def test_it_works(client, release):
    page = page_of(client)
    assert f"Release <strong>{release.version}</strong>: 3 ratings, 3 images" in page
    for file in release.files.all():
        assert reverse("exports:file", args=["harbours", release.version, file.path]) in page
        assert file.sha256 in page.replace("<wbr>", "")


def test_an_empty_page_says_so_in_plain_words(client, db):
    assert "No release has been published yet." in page_of(client)


def test_only_published_releases_are_shown(client, harbours):
    fields = {"dataset": harbours, "schema_version": "1.0"}
    Release.objects.create(version="2000-01-01", state="failed", failure="the disk was full", **fields)
    Release.objects.create(version="2000-01-02", **fields)
    page = page_of(client)
    assert "2000-01-0" not in page
    assert "disk was full" not in page


def test_the_latest_release_comes_first(client, harbours, release):
    again = build(harbours)
    page = page_of(client)
    assert page.index(f"Release <strong>{again.version}</strong>") < page.index(f"<h3>{release.version}</h3>")
    assert "1 older release" in page


def test_every_release_stays_reachable(client, harbours):
    moment = now()
    for number in range(13):
        Release.objects.create(
            dataset=harbours,
            version=f"2000-01-{number + 1:02}",
            schema_version="1.0",
            state="published",
            snapshot_at=moment + timedelta(days=number),
            published_at=moment,
        )
    page = page_of(client)
    assert "12 older releases" in page
    assert page.count("<h3>2000-01-") == 9
    for version in ("2000-01-01", "2000-01-02", "2000-01-03"):
        assert f"/files/harbours/{version}/manifest.json" in page


def test_the_number_of_queries_does_not_grow_with_releases(client, harbours, release, django_assert_num_queries):
    build(harbours)
    build(DatasetFactory(slug="other"))
    with django_assert_num_queries(2):
        page_of(client)


def test_an_outsider_sees_what_everybody_sees(client, outsider, release):
    assert outsider.web().get(reverse("exports:downloads")).status_code == 200


def test_nobody_posts_here(client, release):
    assert client.post(reverse("exports:downloads")).status_code == 405


def test_there_is_no_script_or_style_in_the_page(client, release):
    page = page_of(client)
    assert "<script" not in page
    assert "style=" not in page
    assert "<style" not in page


def test_addresses_are_those_of_the_public_site(client, release, settings):
    assert "curl -fL --retry 9 -C - -O http://testserver/files/harbours/" in page_of(client)
    settings.PUBLIC_URL = "https://ratings.example.org/"
    assert "curl -fL --retry 9 -C - -O https://ratings.example.org/files/harbours/" in page_of(client)


@pytest.fixture
def site(live_server, settings):
    settings.PUBLIC_URL = live_server.url
    return live_server


@pytest.fixture
def downloaded(client, site, release, tmp_path):
    """The files of the release, fetched from a live server with the page's line for curl."""
    (line,) = re.findall(r"^<pre><code>(curl .+ --create-dirs .+)$", page_of(client).replace("  ", ""), re.MULTILINE)
    folder = tmp_path / "downloaded"
    folder.mkdir()
    subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=True)
    return folder


PRINTED = {
    "duckdb": r"│ +1 │ +1 │",
    "pandas": r"(?m)^1 +1$",
    "polars": r"│ 1 +┆ 1 +│",
    "datasets": r"^3\n$",
}


@pytest.mark.slow
@pytest.mark.parametrize("library", PRINTED)
def test_the_lines_for_python_work(client, downloaded, library, tmp_path):
    """Each in a process and a home of its own; those that fetch do so from the live server."""
    (lines,) = re.findall(rf"<code>(import {library}\n.+?)</code>", page_of(client), re.DOTALL)
    environment = os.environ | {"HOME": str(tmp_path), "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", lines], cwd=downloaded, env=environment, capture_output=True, text=True, check=False
    )
    assert re.search(PRINTED[library], ran.stdout), ran.stdout + ran.stderr


def test_the_line_for_the_ratings_alone_resumes(client, site, release, tmp_path):
    (line,) = re.findall(r"<code>(curl -fL --retry 9 -C - .+)</code>", page_of(client))
    content = (folder_of(release) / RATINGS.path).read_bytes()
    (tmp_path / "part-00000.parquet").write_bytes(content[:100])
    subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "part-00000.parquet").read_bytes() == content


def test_a_release_of_before_is_read_by_its_own_names(client, harbours):
    moment = now()
    fields = {"version": "2000-01-01", "schema_version": "1.2", "snapshot_at": moment}
    old = Release.objects.create(dataset=harbours, **fields)
    for path in ("ratings.parquet", "SHA256SUMS", "CHANGELOG.md"):
        old.files.create(path=path, media_type="text/plain", byte_count=1, sha256="0" * 64)
    Release.objects.filter(pk=old.pk).update(state="published", published_at=moment)
    page = page_of(client)
    assert "-C - -O http://testserver/files/harbours/2000-01-01/ratings.parquet" in page
    assert "FROM 'ratings.parquet'" in page
    assert "verify.py" not in page


def test_the_line_that_checks_everything_works(client, release, downloaded):
    (command,) = re.findall(r"^(sha256sum .+?)(?:</code>)?</pre>$", page_of(client), re.MULTILINE)
    command = command.removesuffix("</code>")
    checked = subprocess.run(command.split(), cwd=downloaded, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK") == len(FILES) - 2


def test_the_line_that_checks_the_signature_works(client, release, downloaded):
    (arguments,) = re.findall(r"^python3 (verify\.py --key \S+?)</code>", page_of(client), re.MULTILINE)
    ran = subprocess.run(
        [sys.executable, *arguments.split()], cwd=downloaded, capture_output=True, text=True, check=True
    )
    assert f"The signature is good: {release}." in ran.stdout
    key = arguments.split()[-1]
    assert f"minisign -Vm SHA256SUMS -P {key}" in page_of(client)
    answer = client.get(reverse("exports:public_key"))
    assert (answer.status_code, answer.content.decode().splitlines()[1]) == (200, key)


def test_the_line_for_duckdb_works(client, release, downloaded, monkeypatch):
    (statement,) = re.findall(r'duckdb -c "(.+?)"', page_of(client))
    monkeypatch.chdir(downloaded)
    assert duckdb.sql(statement).fetchall() == [(1, 1), (4, 1), (9, 1)]


def test_the_address_for_old_programs_is_shown_where_it_leads_somewhere(client, release):
    (address,) = set(re.findall(r'href="(/api/v1/download/\S+?)"', page_of(client)))
    assert address == "/api/v1/download/harbours_export.parquet"
    assert client.head(address).status_code == 200
