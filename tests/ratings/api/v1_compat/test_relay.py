"""POST /rating/set, as AI Horde has sent it since January 2023 and reads the answers."""

import io
import json
import logging
import uuid
from ipaddress import ip_network

import pytest
import structlog
from django.core.management import call_command
from django.test import Client

from accounts.models import ApiKey, Identity, IdentityKind
from accounts.services import create_api_key
from config.logging import configure_logging
from ratings.models import Comparison, Dataset, Image, ImageSet, Rater, Rating
from tests.people import make_person, now
from tests.ratings.relayed import ADDRESS, SET, make_set, make_user, new_ids, post

pytestmark = pytest.mark.django_db
NIL = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def _relay(settings):
    settings.RELAY_NETWORKS = [ip_network("203.0.113.0/24"), ip_network("2001:db8::/48")]


def nothing_stored():
    kinds = (ImageSet, Comparison, Rating, Image, Rater, Identity, Dataset)
    return not any(kind.objects.exists() for kind in kinds)


def assert_error(response, status):
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    body = response.json()
    assert body["message"]
    assert body["rc"]
    return body


def rated(ids, *values, **fields):
    return [{"id": image_id, "rating": value, **fields} for image_id, value in zip(ids, values, strict=False)]


def test_it_works(adds_up):
    ids = new_ids(3)
    body = make_set(ids=ids, ratings=rated(ids, 4, 9, artifacts=2), best=ids[1])
    response = post(body)
    assert (response.status_code, response.json()) == (201, {"message": "Set submitted"})
    made = ImageSet.objects.get(pk=body["set"])
    assert [str(place.image_id) for place in made.places.order_by("position")] == ids
    assert (made.image_count, made.dataset.slug, made.dataset.image_count) == (3, "stable-horde", 3)
    comparison = Comparison.objects.get()
    assert (str(comparison.best_id), comparison.best_from, comparison.proof) == (ids[1], "highest", "relay")
    ratings = Rating.objects.order_by("aesthetic")
    assert [(str(r.image_id), r.aesthetic, r.artifacts) for r in ratings] == [(ids[0], 4, 2), (ids[1], 9, 2)]
    assert {(r.proof, r.reward, r.state, r.client_agent) for r in ratings} == {
        ("relay", 0, "counted", body["client_agent"])
    }
    assert {r.rater_id for r in ratings} == {comparison.rater_id}
    identity = comparison.rater.identity
    assert (identity.kind, identity.external_id, identity.name, identity.user_id) == (
        "horde",
        "42",
        "somebody#42",
        None,
    )
    adds_up()


def with_user(**fields):
    return {"user": make_user(**fields)}


def without(*names, **fields):
    return {name: value for name, value in make_user(**fields).items() if name not in names}


# What each change of the sender made of the payload (wire protocol, section 2), by the day of the change.
FIRST = {"user": ..., "client_agent": ...}
VARIANTS = {
    "01-07 no user": FIRST,
    "01-08 user, account_age without its days": {
        "client_agent": ...,
        "user": {"username": "somebody#42", "trusted": False, "account_age": 80737},
    },
    "01-08 team null": {"client_agent": ..., "team": None, "user": without("kudos", "kudos_accumulated", "ipaddr")},
    "01-08 team": {"client_agent": ..., "team": "0bed257b-e57c-4327-ac64-40cdfb1ac5e6"},
    "01-11 typo, usage_requests": {
        "client_agent": ...,
        "user": without("kudos_accumulated", "ipaddr") | {"kudos_accumulared": 5.5, "usage_requests": 17},
    },
    "01-11 ipaddr": {"client_agent": ..., **with_user(usage_requests=17, account_age=80737)},
    "01-12 client_agent": with_user(usage_requests=17, account_age=80737),
    "03-21 account_age as a float": with_user(usage_requests=17, account_age=80737.123456),
    "05-02 no usage_requests": with_user(),
    "today": {},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("says", ["ratings and best", "best only", "ratings only", "ratings without artifacts"])
def test_every_form_that_the_payload_has_had_is_accepted(variant, says, adds_up):
    ids = new_ids(2)
    ratings = rated(ids, 3, 8, artifacts=1)
    forms = {
        "ratings and best": {"ratings": ratings},
        "best only": {},
        "ratings only": {"ratings": ratings, "best": ...},
        "ratings without artifacts": {"ratings": rated(ids, 3, 8)},
    }
    response = post(make_set(ids=ids, **VARIANTS[variant], **forms[says]))
    assert response.status_code == 201, response.json()
    assert Comparison.objects.count() == (says != "ratings only")
    assert Rating.objects.count() == (0 if says == "best only" else 2)
    adds_up()


@pytest.mark.parametrize(
    "fields",
    [{"best": NIL}, {"best": None}, {"best": ...}, {"dummy": True}, {"best": NIL, "dummy": True}],
    ids=str,
)
def test_a_best_or_a_rating_that_stands_for_none_is_none(fields):
    ids = new_ids(2)
    ratings = rated(ids, 3) + rated([NIL], 1) * fields.pop("dummy", False)
    assert post(make_set(ids=ids, ratings=ratings, **fields)).status_code == 201
    assert Rating.objects.count() == 1
    assert Comparison.objects.count() == (not fields)


@pytest.mark.parametrize(
    ("rest", "stored"),
    [({"artifacts": None}, None), ({"artifacts": "GARBAGE"}, 5), ({"artifacts": "2"}, 2), ({"lease": "x"}, None)],
)
def test_artifacts_are_optional_and_may_be_named(rest, stored):
    ids = new_ids(1)
    assert post(make_set(ids=ids, ratings=rated(ids, 3, **rest))).status_code == 201
    assert Rating.objects.get().artifacts == stored


@pytest.mark.parametrize("path", [SET, f"{SET}/"])
def test_it_is_answered_directly_with_and_without_a_slash(path):
    assert post(make_set(), path=path).status_code == 201


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_another_method_is_405_in_json(method):
    response = getattr(Client(REMOTE_ADDR="203.0.113.5"), method)(SET)
    assert_error(response, 405)


def test_set_is_no_image(rater, dataset):
    """The route of one image would answer a stranger with 403."""
    assert_error(post(make_set(), address="192.0.2.1"), 401)


def test_a_repeated_set_is_403_whoever_sends_it_and_changes_nothing(adds_up):
    body = make_set()
    assert post(body).status_code == 201
    before = [list(kind.objects.order_by("pk").values()) for kind in (Image, Rater, Comparison, Rating, Dataset)]
    again = [body, body | with_user(name="another", number=43), make_set(3, set=body["set"])]
    for other in again:
        assert assert_error(post(other), 403) == {
            "message": "This generation appears already rated",
            "rc": "AestheticsAlreadyExist",
        }
    assert before == [
        list(kind.objects.order_by("pk").values()) for kind in (Image, Rater, Comparison, Rating, Dataset)
    ]
    assert not Identity.objects.filter(external_id="43").exists()
    adds_up()


ONE, TWO, THREE = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
BAD = [
    (b"", "body"),
    (b"{", "body"),
    (b"[]", "body"),
    (b"null", "body"),
    (b"\xff\xfe", "body"),
    (b"set=1&best=2", "body"),
    (b"[" * 10_000, "body"),
    ({"set": ...}, "set"),
    ({"set": None}, "set"),
    ({"set": "no uuid"}, "set"),
    ({"set": 7}, "set"),
    ({"all_set_ids": ...}, "all_set_ids"),
    ({"all_set_ids": []}, "all_set_ids"),
    ({"all_set_ids": None}, "all_set_ids"),
    ({"all_set_ids": ONE}, "all_set_ids"),
    ({"all_set_ids": [ONE, "x"]}, "all_set_ids[1]"),
    ({"all_set_ids": [ONE, ONE, TWO]}, "all_set_ids"),
    ({"all_set_ids": [ONE, TWO, NIL]}, "all_set_ids"),
    ({"all_set_ids": [str(uuid.UUID(int=n)) for n in range(1, 102)]}, "all_set_ids"),
    ({"best": THREE}, "best"),
    ({"best": "x"}, "best"),
    ({"best": [ONE]}, "best"),
    ({"best": ...}, "body"),
    ({"best": ..., "ratings": []}, "body"),
    ({"best": NIL, "ratings": [{"id": NIL, "rating": 1}]}, "body"),
    ({"ratings": {}}, "ratings"),
    ({"ratings": [ONE]}, "ratings[0]"),
    ({"ratings": [{"id": ONE}]}, "ratings[0].rating"),
    ({"ratings": [{"rating": 5}]}, "ratings[0].id"),
    ({"ratings": rated([THREE], 5)}, "ratings"),
    ({"ratings": rated([ONE, ONE], 5, 5)}, "ratings"),
    ({"ratings": rated([ONE, ONE], 5, 6)}, "ratings"),
    ({"ratings": rated([ONE], 0)}, "ratings[0].rating"),
    ({"ratings": rated([ONE], 11)}, "ratings[0].rating"),
    ({"ratings": rated([ONE], 5.5)}, "ratings[0].rating"),
    ({"ratings": rated([ONE], None)}, "ratings[0].rating"),
    ({"ratings": rated([ONE], 5, artifacts=6)}, "ratings[0].artifacts"),
    ({"ratings": rated([ONE], 5, artifacts="BAD")}, "artifacts"),
    ({"client_agent": 7}, "client_agent"),
    ({"user": "somebody#42"}, "user"),
    ({"user": {}}, "user.username"),
    ({"user": {"username": None}}, "user.username"),
    *(
        ({"user": {"username": name}}, "user.username")
        for name in (
            "",
            "somebody",
            "#",
            "somebody#",
            "somebody#x",
            "a#-1",
            "a#1.5",
            "a#\u0665",
            f"a#{'9' * 19}",
            "a" * 300,
        )
    ),
    (with_user(trusted="perhaps"), "user.trusted"),
    (with_user(account_age=-1), "user.account_age"),
    (with_user(account_age=1e300), "user.account_age"),
    (with_user(account_age="old"), "user.account_age"),
    (with_user(kudos=1e300), "user.kudos"),
    (with_user(kudos=[1]), "user.kudos"),
    (with_user(usage_requests=-1), "user.usage_requests"),
    (with_user(ipaddr=7), "user.ipaddr"),
    (with_user(ipaddr="1" * 300), "user.ipaddr"),
]


@pytest.mark.parametrize(("wrong", "field"), BAD, ids=lambda value: repr(value)[:60])
def test_bad_input_is_400_with_the_field_and_stores_nothing(wrong, field):
    body = make_set(ids=[ONE, TWO])
    bad = wrong if isinstance(wrong, bytes) else {k: v for k, v in (body | wrong).items() if v is not ...}
    answer = assert_error(post(bad), 400)
    assert answer["message"] == "Input payload validation failed"
    assert field in answer["errors"], answer
    assert all(isinstance(text, str) for text in answer["errors"].values())
    assert nothing_stored()
    assert post(body).status_code == 201


def test_a_set_may_have_as_many_images_as_the_settings_say(settings, adds_up):
    ids = new_ids(100)
    assert post(make_set(ids=ids, ratings=rated(ids, *[5] * 100, artifacts=0))).status_code == 201
    settings.RELAY_SET_LIMIT = 3
    assert "1 to 3" in assert_error(post(make_set(4)), 400)["errors"]["all_set_ids"]
    assert post(make_set(3)).status_code == 201
    adds_up()


def test_a_body_of_a_quarter_megabyte_is_413():
    assert_error(post(make_set(team="x" * 300_000)), 413)


def test_numbers_and_truths_may_come_as_text():
    user = make_user(trusted="true", account_age="86400.5", kudos="-50", usage_requests="7")
    assert post(make_set(user=user)).status_code == 201
    rater = Rater.objects.get()
    assert (rater.is_trusted_elsewhere, rater.external_kudos, rater.images_generated) == (True, -50, 7)


@pytest.mark.parametrize("agent", ["\x00\x01", "x" * 5000, "", None, "naïve:1:☃"])
@pytest.mark.parametrize("name", ["\x00", "☃" * 190, "#with#hash", "\u202e", ""])
def test_any_name_and_any_agent_can_be_stored(agent, name):
    assert post(make_set(client_agent=agent, user=make_user(name))).status_code == 201
    stored = Comparison.objects.select_related("rater__identity").get()
    assert 0 < len(stored.client_agent) <= 200
    assert stored.rater.identity.name.endswith("#42")
    assert stored.rater.identity.name.isprintable()


class TestWhoMayCall:
    """A key with the scope, or a network of the settings; nobody else, and nobody finds out what is wrong."""

    @pytest.fixture
    def key(self):
        _, secret = create_api_key(user=make_person("horde").user, name="relay", scopes=["relay"], now=now())
        return secret

    @pytest.mark.parametrize(
        "address", ["192.0.2.1", "203.0.114.1", "", "unix:", "localhost", "::1", "2001:db8:1::1", "203.0.113.5, 1"]
    )
    def test_an_address_elsewhere_is_401(self, address):
        assert_error(post(make_set(), address=address), 401)
        assert nothing_stored()

    @pytest.mark.parametrize("address", ["203.0.113.5", "::ffff:203.0.113.5", "2001:db8::7"])
    def test_an_address_of_a_relay_needs_no_key(self, address):
        assert post(make_set(), address=address).status_code == 201

    def test_with_no_network_in_the_settings_no_address_will_do(self, settings):
        settings.RELAY_NETWORKS = []
        assert_error(post(make_set()), 401)

    def test_a_key_with_the_scope_may_call_from_anywhere(self, key):
        assert post(make_set(), address="192.0.2.1", apikey=key).status_code == 201
        assert post(make_set(), address="192.0.2.1", Authorization=f"Bearer {key}").status_code == 201

    def test_a_key_of_a_relay_may_do_nothing_else(self, key, dataset):
        assert_error(Client(headers={"apikey": key}).get("/api/v1/rating/new"), 401)

    @pytest.mark.parametrize("key", ["", "0000000000", "A" * 22, "x", "é" * 22])
    def test_a_key_without_the_scope_is_401(self, key, rater):
        headers = {"apikey": key.encode().decode("latin-1")}
        assert_error(post(make_set(), address="192.0.2.1", **headers), 401)
        assert_error(post(make_set(), address="192.0.2.1", apikey=rater.key), 401)
        assert not ImageSet.objects.exists()

    def test_a_revoked_key_is_401(self, key):
        ApiKey.objects.filter(prefix=key[:8]).update(revoked_at=now())
        assert_error(post(make_set(), address="192.0.2.1", apikey=key), 401)

    @pytest.mark.parametrize(
        ("forwarded", "status"),
        [("203.0.113.5", 201), ("192.0.2.1", 401), ("203.0.113.5, 192.0.2.1", 401), ("192.0.2.1, 203.0.113.5", 201)],
    )
    def test_behind_a_proxy_what_the_proxy_saw_decides(self, settings, forwarded, status):
        settings.TRUSTED_PROXY_COUNT = 1
        headers = {"X-Forwarded-For": forwarded}
        assert post(make_set(), address="127.0.0.1", **headers).status_code == status

    def test_without_a_proxy_nobody_can_claim_an_address(self):
        assert_error(post(make_set(), address="192.0.2.1", **{"X-Forwarded-For": "203.0.113.5"}), 401)

    def test_a_stranger_is_refused_before_the_body_is_looked_at(self):
        assert_error(post(b"{", address="192.0.2.1"), 401)

    def test_without_valkey_relays_are_known_all_the_same(self, key, settings):
        settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
        assert post(make_set()).status_code == 201
        assert post(make_set(), address="192.0.2.1", apikey=key).status_code == 201
        assert_error(post(make_set(), address="192.0.2.1", apikey="A" * 22), 401)

    def test_nobody_makes_themselves_a_key_of_a_relay(self, rater):
        client = rater.web()
        assert client.post("/profile/keys/", {"name": "mine", "scopes": ["relay"]}).status_code == 400
        assert b"relay" not in client.get("/profile/keys/").content

    def test_the_command_makes_a_key(self, rater, capsys):
        call_command("make_relay_key", "rater")
        secret = capsys.readouterr().out.split()[-1]
        assert post(make_set(), address="192.0.2.1", apikey=secret).status_code == 201


@pytest.fixture
def log(monkeypatch):
    """Everything that is logged, at the level at which most is, as production writes it."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging(json=True, level="DEBUG")
    logging.getLogger("psycopg").setLevel(logging.DEBUG)
    yield stream
    monkeypatch.undo()
    configure_logging(json=False, level="WARNING")


@pytest.mark.parametrize("address", [ADDRESS, "2001:db8:dead:beef::7", "not an address at all"])
@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"best": THREE},
        {"best": 7},
        {"user": ["ADDRESS"]},
        {"user": {"username": 7, "ipaddr": "ADDRESS"}},
        {"user": {"username": "nobody", "ipaddr": "ADDRESS"}},
        {"user": {"username": "a#1", "ipaddr": ["ADDRESS"]}},
        {"user": {"username": "a#1", "ipaddr": "ADDRESS" * 100}},
    ],
    ids=str,
)
def test_the_address_reaches_no_log_no_answer_and_no_table(log, address, wrong):
    body = json.loads(json.dumps(make_set(user=make_user(ipaddr=address)) | wrong).replace("ADDRESS", address))
    responses = [post(body), post(body), post(json.dumps(body).encode()[:-1])]
    structlog.get_logger("tests").warning("the log is being read")
    assert "the log is being read" in log.getvalue()
    assert address not in log.getvalue()
    assert all(address not in response.content.decode() for response in responses)
    rows = [kind.objects.values() for kind in (Comparison, Rating, Rater, Identity, ImageSet, Image)]
    assert address not in repr([list(row) for row in rows])
    if not wrong:
        assert len(Comparison.objects.get().address_hash) == 32


@pytest.mark.usefixtures("settings")
def test_the_address_is_not_in_what_an_unexpected_failure_says(log):
    """The dataset cannot be made: an error that nobody expected, with a traceback in the log and 500 as the answer."""
    Dataset.objects.create(slug="other", name="x", licence="MIT")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ratings_dataset ADD CONSTRAINT full_up CHECK (slug <> 'stable-horde')")
    body = json.dumps(make_set(user=make_user(ipaddr=ADDRESS)))
    client = Client(REMOTE_ADDR="203.0.113.5", raise_request_exception=False)
    response = client.post(SET, body, content_type="application/json")
    assert_error(response, 500)
    assert "full_up" in log.getvalue()
    assert ADDRESS not in log.getvalue() + response.content.decode()


def test_the_same_person_is_one_rater_whatever_their_name_is_now(adds_up):
    for name in ("old name", "new name"):
        assert post(make_set(user=make_user(name, number=7))).status_code == 201
    assert Rater.objects.count() == 1
    assert Identity.objects.get(kind=IdentityKind.HORDE).name == "new name#7"
    adds_up()
