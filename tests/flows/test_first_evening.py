"""The whole story: images come in, people rate them in a browser and by API, kudos settle, a release goes out."""

import hashlib
import io
import json
import re
import urllib.request

import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.management import call_command
from PIL import Image as Picture

from exports.models import Release
from exports.tasks import build_releases_task
from kudos.queries import balance_of
from ratings.models import Image, Rater, Rating
from ratings.tasks import settle_rewards_task
from tests.factories import PASSWORD
from tests.flows.conftest import wait_until

pytestmark = [pytest.mark.flow, pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def folder(tmp_path):
    """Sixty small pictures and an index of some of them."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    lines = []
    for n in range(60):
        Picture.effect_noise((96, 64), 20 + n).convert("RGB").save(pictures / f"picture-{n:02}.png")
        lines.append(json.dumps({"file": f"picture-{n:02}.png", "prompt": f"noise number {n}", "model": "noise"}))
    (pictures / "index.jsonl").write_text("\n".join(lines[:12]))
    (pictures / "broken.png").write_text("this is not a picture")
    return pictures


def test_import_sign_up_rate_settle_release_download(service, folder, page, adds_up):
    index = str(folder / "index.jsonl")
    call_command("import_images", "folder", str(folder), "--dataset=demo", "--licence=CC0-1.0", "--index", index)
    assert Image.objects.count() == 60

    sign_up(page, service)
    rate_in_browser(page, service, 10)
    key = make_key(page, service)
    rate_by_api(service, key, 10)
    assert Rating.objects.count() == 20
    assert Rating.objects.values("rater").distinct().count() == 1

    # Known to the engine after some twenty ratings that others agree with; here is nobody else.
    Rater.objects.update(state="calibrated")
    settle_rewards_task.delay()
    wait_until(lambda: Rating.objects.filter(settlement=None).count() == 0, what="the worker has settled the rewards")
    identity_id = Rating.objects.first().rater.identity_id
    assert balance_of(identity_id) == 100
    page.goto(f"{service}/kudos/")
    assert "100" in page.inner_text("main")

    build_releases_task.delay()
    wait_until(lambda: Release.objects.filter(state="published").exists(), what="the worker has published a release")
    rows = download_and_verify(page, service)
    in_database = Rating.objects.order_by("id").values_list("id", "image_id", "aesthetic", "artifacts")
    assert [tuple(row.values()) for row in rows] == [(pk, str(image), a, b) for pk, image, a, b in in_database]
    adds_up()


def sign_up(page, service):
    """Sign up as a person does, with the code that comes by e-mail."""
    page.goto(f"{service}/accounts/signup/")
    page.fill("input[name=email]", "ada@example.org")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password1]", PASSWORD)
    page.click("main form button[type=submit]")
    page.wait_for_selector("input[name=code]")
    [mail] = (settings.VAR_DIR / "mail").glob("*.log")
    page.fill("input[name=code]", re.search(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]*)\s*$", mail.read_text(), re.MULTILINE)[1])
    page.click("main form button[type=submit]")
    page.wait_for_url(re.compile(r"/rate/"))


def rate_in_browser(page, service, count):
    page.goto(f"{service}/rate/")
    for n in range(count):
        page.wait_for_function("document.documentElement.dataset.ready !== 'false'")
        before = Rating.objects.count()
        page.wait_for_timeout(400)
        page.keyboard.press(str(1 + n % 9))
        page.keyboard.press("q")
        page.keyboard.press("Enter")
        wait_until(lambda before=before: Rating.objects.count() == before + 1, what=f"rating {n + 1} is stored")


def make_key(page, service):
    page.goto(f"{service}/profile/")
    page.fill("input[name=name]", "a script")
    page.locator("form[action*='/profile/keys/'] button[type=submit]").last.click()
    page.wait_for_load_state()
    return re.search(r"\b[A-Za-z0-9]{22}\b", page.inner_text("main"))[0]


def rate_by_api(service, key, count):
    for n in range(count):
        image = ask(f"{service}/api/v1/rating/new", key)
        with urllib.request.urlopen(image["url"]) as picture:
            assert picture.headers["Content-Type"] == "image/webp"
        body = json.dumps({"rating": 1 + n % 10, "lease": image["lease"]}).encode()
        assert ask(f"{service}/api/v1/rating/{image['id']}", key, body)["reward"] == 5


def ask(url, key, body=None):
    request = urllib.request.Request(url, body, {"apikey": key, "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        assert response.status == (201 if body else 200)
        return json.load(response)


def download_and_verify(page, service):
    """Follow the download page, check every file against SHA256SUMS, and return the rows of the ratings."""
    page.goto(f"{service}/downloads/")
    links = page.eval_on_selector_all("a[href*='/files/']", "all => all.map(a => a.href)")
    places = {url: url.split("/files/")[1].split("/", 2) for url in links}
    # Beside the files there are the index and the feed of the dataset.
    files = {place[2]: read(url) for url, place in places.items() if len(place) == 3}
    sums = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    for name, digest in sums.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest, name
    manifest = json.loads(files["manifest.json"])
    table = pq.read_table(io.BytesIO(files["data/ratings/part-00000.parquet"]))
    assert "ratings" in json.dumps(manifest)
    assert table.num_rows == Rating.objects.count()
    columns = table.select(["rating_id", "image_id", "aesthetic", "artifacts"])
    return sorted(columns.to_pylist(), key=lambda row: row["rating_id"])


def read(url):
    with urllib.request.urlopen(url) as response:
        return response.read()
