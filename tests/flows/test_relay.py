"""AI Horde submits what its users say, over HTTP, to a server as production runs it; and a release is made."""

import json
import urllib.error
import urllib.request

import pytest
from django.utils import timezone

from exports.services import build_release, verify_release
from ratings.models import Comparison, Dataset, Image
from tests.exports.made import rows_of
from tests.factories import make_images
from tests.flows.conftest import answers, free_port, running, wait_until
from tests.ratings.relayed import ADDRESS, make_set, make_user, new_ids

pytestmark = [pytest.mark.flow, pytest.mark.slow]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "web.log"


@pytest.fixture
def base(transactional_db, log):
    """A web server that takes this machine for AI Horde, and logs as much as it can."""
    port = free_port()
    command = ["granian", "--interface", "wsgi", "config.wsgi:application", "--port", str(port), "--access-log"]
    loud = {"DJANGO_SETTINGS_MODULE": "config.settings.local", "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}
    with running(command, log, RELAY_NETWORKS="127.0.0.1/32", **loud):
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/healthz"), what="the web server answers")
        yield address


def post(url, body):
    """Post as a client does that follows redirects, turning a POST into a GET; return status and JSON."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=3) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_relay_submits_sets_and_a_release_is_made(base, log, settings, tmp_path, adds_up):
    settings.RELEASES_ROOT = tmp_path / "releases"
    ids = new_ids(2)
    ratings = [{"id": ids[0], "rating": 4, "artifacts": 2}, {"id": ids[1], "rating": 9}]
    body = make_set(ids=ids, ratings=ratings)
    assert post(f"{base}/api/v1/rating/set", body) == (201, {"message": "Set submitted"})
    for path in ("/api/v1/rating/set", "/api/v1/rating/set/"):
        status, answer = post(base + path, body)
        assert (status, answer["message"]) == (403, "This generation appears already rated")
    status, answer = post(f"{base}/api/v1/rating/set", make_set(user=make_user() | {"username": ADDRESS}))
    assert (status, list(answer["errors"])) == (400, ["user.username"])
    status, answer = post(f"{base}/api/v1/rating/set/", make_set(user=make_user("Anonymous", number=0)))
    assert status == 201
    assert Comparison.objects.count() == 2

    dataset = Dataset.objects.get(slug="stable-horde")
    release = build_release(dataset=dataset, now=timezone.now())
    assert (release.image_count, release.rating_count) == (0, 0), "Without pixels there is nothing to publish."
    make_images(dataset, 1)
    # The pixels of one arrive.
    Image.objects.filter(pk=ids[1]).update(status="active", is_open=True, adult_class="safe", width=512, height=512)
    release = build_release(dataset=dataset, now=timezone.now())
    verify_release(release=release)
    [row] = rows_of(release, "ratings")
    assert (row["image_id"], row["aesthetic"], row["proof"], row["anonymous"]) == (ids[1], 9, "relay", False)
    assert (row["account_age_band"], row["kudos_band"], row["is_trusted"]) == ("under 180 days", 1000, False)
    adds_up()

    said = log.read_text()
    assert "request_finished" in said
    assert "/api/v1/rating/set" in said
    assert ADDRESS not in said
