"""A page of somebody else's site that rates through the API, as every old client in a browser does: preflight included."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ratings.models import Rating
from tests.browser.conftest import wait_for_the_last_request

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FETCH = """
async ([url, options]) => {
  const response = await fetch(url, options);
  return { status: response.status, body: await response.json(), wait: response.headers.get("Retry-After") };
}
"""
SHOW = """
url => new Promise((resolve, reject) => {
  const image = new Image();
  image.onload = () => resolve(image.naturalWidth);
  image.onerror = () => reject(new Error("The image cannot be shown."));
  image.src = url;
})
"""


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another site</title>")

    def log_message(self, *args):
        pass


@pytest.fixture
def other_site():
    """Another origin: the same host, on another port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(chromium, live_server, gallery, other_site):
    context = chromium.new_context()
    context.set_default_timeout(5000)
    page = context.new_page()
    page.goto(other_site)
    yield page
    context.close()
    wait_for_the_last_request()


@pytest.fixture
def fetch(page, live_server):
    """Fetch from the API as the page would; the browser sends the preflights by itself."""

    def call(path, method="GET", body=None, **headers):
        options = {"method": method, "headers": headers, "mode": "cors"} | ({"body": body} if body else {})
        return page.evaluate(FETCH, [f"{live_server.url}/api/v1/{path}", options])

    return call


def test_it_works(fetch, page, ada):
    """What stable-ui sends: the key, who it is, and the type of a body."""
    headers = {
        "apikey": ada.key,
        "Client-Agent": "StableUI:1.1:(discord)aqualxx#5004",
        "Content-Type": "application/json",
    }
    image = fetch("rating/new", **headers)
    assert image["status"] == 200
    assert page.evaluate(SHOW, image["body"]["url"]) > 0
    answer = fetch(f"rating/{image['body']['id']}", "POST", '{"rating": 7, "artifacts": 0}', **headers)
    assert (answer["status"], answer["body"]["reward"]) == (201, 5)
    rating = Rating.objects.get()
    assert (rating.client_agent, rating.rater.identity_id) == (headers["Client-Agent"], ada.identity_id)


def test_lists_and_masks_cross_too(fetch, gallery):
    assert fetch("datasets", **{"X-Fields": "id"})["body"] == [{"id": str(gallery.pk)}]
    assert fetch("teams")["body"] == []
    assert fetch(f"rating/new/{gallery.pk}/a%20secret%20model", apikey="0000000000")["status"] == 200


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("rating/new", "GET", {"apikey": "wrong"}, 401),
        ("rating/undefined", "POST", {"Content-Type": "application/json"}, 403),
        ("rating/new/nothing", "GET", {}, 404),
        ("nothing", "GET", {"apikey": "0000000000"}, 404),
        ("rating/new", "POST", {"Content-Type": "application/json"}, 405),
    ],
)
def test_errors_can_be_read_on_the_other_origin(fetch, path, method, headers, status):
    answer = fetch(path, method, '{"rating": 7}' if method == "POST" else None, **headers)
    assert answer["status"] == status
    assert answer["body"]["message"]


def test_a_header_that_is_not_allowed_is_refused_by_the_browser(page, fetch):
    """So that the tests above would fail if the preflight allowed less."""
    with pytest.raises(Exception, match="Failed to fetch"):
        fetch("rating/new", **{"X-Not-Ours": "x"})
