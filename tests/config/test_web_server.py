"""The API behind the real web server: what Django's test client cannot send, and what the server answers by itself."""

import http.client
import json
import socket
import uuid
from urllib.parse import urlsplit

import pytest

from accounts.addresses import hash_address
from ratings.models import Rating
from tests.flows.conftest import answers, free_port, running, wait_until
from tests.people import now

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NEW = "/api/v1/rating/new"
CLOSE = b"Host: localhost\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def server(django_db_setup, tmp_path_factory):
    """Start one granian on the database of the tests, behind a proxy that writes Forwarded; return its address."""
    port = free_port()
    command = ["granian", "--interface", "wsgi", "config.wsgi:application", "--port", str(port)]
    log = tmp_path_factory.mktemp("server") / "web.log"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TRUSTED_PROXY_COUNT", "1")
        environment.setenv("TRUSTED_PROXY_HEADER", "Forwarded")
        with running([*command, "--blocking-threads", "4", "--no-access-log"], log):
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), what="the web server answers")
            yield "127.0.0.1", port


@pytest.fixture
def web(transactional_db, dataset, server):
    return server


@pytest.fixture
def ask(web):
    """Send one request; return its status, headers and body."""

    def send(method, path, body=None, **headers):
        connection = http.client.HTTPConnection(*web, timeout=10)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    return send


@pytest.fixture
def send_raw(web):
    """Send bytes as they are; return the status and the body."""

    def send(raw):
        with socket.create_connection(web, timeout=10) as connection:
            connection.sendall(raw)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    return send


def assert_error(answer, status):
    assert answer[0] == status
    body = json.loads(answer[-1])
    assert body["message"]
    return body


def take(ask, **headers):
    status, _, body = ask("GET", NEW, **headers)
    assert status == 200
    return json.loads(body)


def rate(ask, image, body=b'{"rating": 7}', **headers):
    return ask("POST", f"/api/v1/rating/{image['id']}", body, **{"Content-Type": "application/json", **headers})


def test_it_works(ask, rater):
    """The web server of production, with a key in any case, a type on a GET without a body, and any Accept."""
    odd = {"ApiKey": rater.key, "Content-Type": "application/json", "Accept": "text/html"}
    image = take(ask, **odd)
    assert urlsplit(image["url"]).path == f"/images/{image['id']}.webp"
    status, headers, body = rate(ask, image, APIKEY=rater.key)
    assert (status, headers["Content-Type"]) == (201, "application/json")
    assert json.loads(body)["reward"] == 5


def test_head_and_options_hand_out_nothing(ask, rater):
    for path in (NEW, f"{NEW}/demo", "/api/v1/datasets", "/api/v1/teams"):
        status, headers, body = ask("HEAD", path, apikey=rater.key)
        assert (status, headers["Content-Type"], body) == (200, "application/json", b"")
        assert ask("OPTIONS", path)[0] == 200
    assert ask("OPTIONS", f"/api/v1/rating/{uuid.uuid4()}")[0] == 200


@pytest.mark.parametrize(
    "path", [NEW, f"{NEW}/demo", f"{NEW}/demo/a%20model", "/api/v1/rating/x", "/api/v1/datasets", "/api/v1/teams"]
)
def test_a_preflight_needs_no_key(ask, path):
    status, headers, _ = ask(
        "OPTIONS",
        path,
        Origin="https://artbot.example",
        **{
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "apikey,client-agent,content-type,x-fields",
        },
    )
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == "*"
    allowed = {name.strip() for name in headers["Access-Control-Allow-Headers"].split(",")}
    assert {"apikey", "client-agent", "content-type", "x-fields"} <= allowed


@pytest.mark.parametrize("header", ["client_agent", "Client-Agent", "CLIENT-AGENT"])
def test_the_client_agent_comes_with_a_hyphen_or_an_underscore(ask, header):
    """horde_sdk spells it with an underscore."""
    assert rate(ask, take(ask), **{header: "AAAIUI:1.0:Discord Sgt. Chaos#0812"})[0] == 201
    assert Rating.objects.get().client_agent == "AAAIUI:1.0:Discord Sgt. Chaos#0812"


def test_too_large_a_body_is_told(ask):
    image = take(ask)
    assert_error(rate(ask, image, b'{"rating": 7, "x": "' + b"x" * 300_000 + b'"}'), 413)
    assert rate(ask, image)[0] == 201


def in_chunks(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


@pytest.mark.parametrize("parts", [[b'{"rating"', b": 7}"], [b'{"rating": 7, "x": "', b"x" * 200_000, b'"}']])
def test_a_body_in_chunks_is_read(ask, send_raw, parts):
    path = f"/api/v1/rating/{take(ask)['id']}".encode()
    head = b"POST " + path + b" HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    assert send_raw(head + in_chunks(*parts))[0] == 201


def test_chunks_without_end_are_too_large_or_not_json(ask, send_raw):
    path = f"/api/v1/rating/{take(ask)['id']}".encode()
    head = b"POST " + path + b" HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    assert_error(send_raw(head + in_chunks(*[b" " * 60_000] * 5)), 413)
    assert_error(send_raw(head + in_chunks()), 400)


@pytest.mark.parametrize("header", ["X_Forwarded_For", "X-Forwarded-For", "X_FORWARDED_FOR"])
def test_a_client_cannot_choose_its_address(ask, header):
    """The server gives us X_Forwarded_For under the name of the proxy's X-Forwarded-For, whichever came last."""
    for spoofed in ("198.51.100.9", "198.51.100.10", "198.51.100.11, 198.51.100.12"):
        proxied = {"Forwarded": 'for="192.0.2.7"', header: spoofed}
        assert rate(ask, take(ask, **proxied), **proxied)[0] == 201
    hashes = set(Rating.objects.values_list("address_hash", flat=True))
    assert hashes == {hash_address("192.0.2.7", now=now())}


@pytest.mark.parametrize(
    "path",
    [b"/api/v1/%FF%FE", b"/api/v1/%00", b"/api/v1/rating/new/%FF", b"/api/v1/rating/new/demo/%00", b"/api/v1//x",
     b"/api/v1/rating/new/demo/%ED%A0%80", b"/api/v1/rating/new/" + b"a" * 60_000, b"/api/v1/rating/new/demo/" + b"%41" * 20_000],
    ids=lambda path: path[:40].decode(),
)  # fmt: skip
def test_an_address_that_cannot_be_is_told_in_json(send_raw, path):
    assert_error(send_raw(b"GET " + path + b" HTTP/1.1\r\n" + CLOSE + b"\r\n"), 404)


@pytest.mark.parametrize(
    "header",
    [
        b"apikey: " + b"x" * 100_000,
        b"apikey: caf\xe9",
        b"Authorization: Bearer \xff\xff",
        b"X-Fields: " + b"a," * 50_000,
    ],
    ids=lambda header: header[:20].decode("latin-1"),
)
def test_a_header_that_cannot_be_is_no_500(send_raw, header):
    status, body = send_raw(b"GET " + NEW.encode() + b" HTTP/1.1\r\n" + CLOSE + header + b"\r\n\r\n")
    assert status in {200, 401}
    assert json.loads(body).keys() & {"id", "message"}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_a_wrong_method_is_told_in_json(ask, method):
    for path in (NEW, "/api/v1/teams", "/api/v1/datasets"):
        assert_error(ask(method, path), 405)
    assert_error(ask(method, "/api/v1/nothing"), 404)


HEADERS = b"".join(b"X%d: a\r\n" % number for number in range(120))


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /api/v1/" + b"a" * 65_536 + b" HTTP/1.1\r\n" + CLOSE + b"\r\n", 414),
        (b"GET " + NEW.encode() + b" HTTP/1.1\r\n" + CLOSE + HEADERS + b"\r\n", 431),
        (b"GET " + NEW.encode() + b" HTTP/1.1\r\n" + CLOSE + b"Bad Header: x\r\n\r\n", 400),
        (b"GET /api/v1/\xff HTTP/1.1\r\n" + CLOSE + b"\r\n", 400),
        (b"POST /api/v1/rating/x HTTP/1.1\r\n" + CLOSE + b"Content-Length: many\r\n\r\n", 400),
    ],
    ids=["long address", "many headers", "bad header", "bad address", "bad length"],
)
def test_what_is_not_http_the_server_refuses_by_itself_and_without_a_body(send_raw, raw, status):
    """No old client sends such a thing; docs/operations.md has a proxy in front say it in JSON."""
    assert send_raw(raw) == (status, b"")
