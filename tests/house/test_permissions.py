"""Who may do what: every route of the service in one table, each tried by everybody.

A new route fails here until it has its line. Think of the outsider, who has an account and no business with this object.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import ApiKey, Identity, Scope
from accounts.numbers import OURS_FROM
from accounts.services import create_api_key
from exports.models import Release
from kudos.award import HordeAward
from kudos.models import Account, Entry, Payout, Transaction
from ratings.models import (
    Appeal,
    Comparison,
    ControlAnswer,
    GoldImage,
    Image,
    QualityAlarm,
    Rater,
    RaterScore,
    RaterSignal,
    RaterTransition,
    Rating,
    Report,
    Skip,
)
from ratings.selection import LeasedImage
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.voiding import void_ratings
from ratings.set_selection import LeasedSet
from tests.accounts.staff import make_moderator, make_staff, make_superuser
from tests.house.walk import routes
from tests.kudos.conftest import collect, make_horde_identity
from tests.people import Person, make_person, now
from tests.ratings.relayed import relay_set
from tests.ratings.services.test_rating import PRICES
from tests.settling import settle_rewards

# Staff may enter the administration and have been given nothing to do there.
PEOPLE = ("anonymous", "outsider", "owner", "staff", "moderator", "superuser")
EVERYBODY = frozenset(PEOPLE)
SIGNED_IN = EVERYBODY - {"anonymous"}
OWNER = frozenset({"owner"})
STAFF = frozenset({"staff", "moderator", "superuser"})
MODERATORS = frozenset({"moderator", "superuser"})
SUPERUSER = frozenset({"superuser"})
NOBODY: frozenset[str] = frozenset()
SIGN_IN_PAGES = {"/accounts/login/", "/admin/login/"}


@dataclass
class World:
    """Everybody, and something of the owner's of every kind."""

    owner: Person
    outsider: Person
    clients: dict[str, Client]
    keys: dict[str, str]
    leased: LeasedImage
    leased_set: LeasedSet
    linked_id: int
    objects: dict[str, object] = field(default_factory=dict)


class Route(NamedTuple):
    """One thing that can be asked for, and who gets it; all others are refused."""

    who: frozenset[str]
    arguments: Callable[[World], dict] = lambda _: {}
    method: str = "GET"
    data: Callable[[World], dict] = lambda _: {}


def image(world):
    return {"image_id": world.leased.image_id}


def image_in_path(world):
    return {"image_id": str(world.leased.image_id)}


def answer(world):
    return {"rating": 7, "lease": world.leased.lease}


def leased_set(world):
    return {"set_id": str(world.leased_set.set_id)}


def owner_number(world):
    return {"user_id": str(OURS_FROM + world.owner.identity_id)}


PAGES = {
    # Pages that are the same for everybody, or everybody's own.
    "ratings:home": Route(EVERYBODY),
    "ratings:datasets": Route(EVERYBODY),
    "ratings:rules": Route(EVERYBODY),
    "ratings:dataset": Route(EVERYBODY, lambda _: {"slug": "demo"}),
    "ratings:rate": Route(EVERYBODY),
    "ratings:rating_session": Route(EVERYBODY),
    "ratings:rate_dataset": Route(EVERYBODY, lambda _: {"slug": "demo"}),
    "ratings:page_settings": Route(EVERYBODY),
    "ratings:practice": Route(EVERYBODY),
    "ratings:practice_picture": Route(NOBODY, image),
    "ratings:claim": Route(SIGNED_IN),
    "ratings:appeal": Route(SIGNED_IN, method="POST"),
    "ratings:compare": Route(EVERYBODY),
    "ratings:compare_dataset": Route(EVERYBODY, lambda _: {"slug": "demo"}),
    "ratings:manifest": Route(EVERYBODY),
    "ratings:service_worker": Route(EVERYBODY),
    "ratings:offline": Route(EVERYBODY),
    "accounts:choose_language": Route(EVERYBODY, method="POST", data=lambda _: {"language": "de", "next": "/"}),
    "ratings:profile": Route(SIGNED_IN),
    "kudos:history": Route(SIGNED_IN),
    "accounts:create_api_key": Route(SIGNED_IN),
    "ratings:link_horde": Route(SIGNED_IN, method="POST"),
    "ratings:unlink_horde": Route(OWNER, lambda world: {"identity_id": world.linked_id}, "POST"),
    # The lists of moderators, which staff of other kinds may not see.
    "ratings:moderate_ratings": Route(MODERATORS),
    "ratings:moderate_user": Route(MODERATORS, lambda world: {"number": owner_number(world)["user_id"]}),
    "ratings:moderate_image": Route(MODERATORS, image),
    # Pictures and releases are for the whole internet; what is not published is not there. Tests of both have more.
    "ratings:image": Route(NOBODY, image),
    "ratings:image_sized": Route(NOBODY, lambda world: image(world) | {"size": 1024}),
    "exports:downloads": Route(EVERYBODY),
    "exports:index": Route(NOBODY, lambda _: {"slug": "demo"}),
    "exports:feed": Route(NOBODY, lambda _: {"slug": "demo"}),
    "exports:state": Route(NOBODY, lambda _: {"slug": "demo"}),
    "api-releases": Route(EVERYBODY),
    "exports:public_key": Route(EVERYBODY),
    "exports:latest_file": Route(NOBODY, lambda _: {"slug": "demo", "path": "data/ratings/part-00000.parquet"}),
    "exports:file": Route(
        NOBODY, lambda _: {"slug": "demo", "version": "2026-01-01", "path": "data/ratings/part-00000.parquet"}
    ),
    # The API. Who is asked for by key, which is never the session.
    "api-docs": Route(EVERYBODY),
    "api-schema": Route(EVERYBODY),
    "api-rating-new": Route(EVERYBODY),
    "api-rating-new-dataset": Route(EVERYBODY, lambda _: {"dataset_id": "demo"}),
    "api-rating-new-model": Route(EVERYBODY, lambda _: {"dataset_id": "demo", "model_name": "a model 2.1"}),
    "api-datasets": Route(EVERYBODY),
    "api-teams": Route(EVERYBODY),
    # What is there for moderators, with keys of the scope `moderate`.
    "api-check-user": Route(MODERATORS, owner_number),
    "api-validate-user": Route(MODERATORS, owner_number),
    "api-user-ratings": Route(MODERATORS),
    "api-user-ratings-slash": Route(MODERATORS),
    "api-image-ratings": Route(MODERATORS, lambda world: {"image_id": str(world.leased.image_id)}),
    "api-flag-user": Route(MODERATORS, owner_number, "POST"),
    "api-modify-user": Route(MODERATORS, owner_number, "POST", lambda _: {"flagged": False}),
    "api-rating-lease": Route(EVERYBODY, method="DELETE", data=lambda world: {"leases": [world.leased.lease]}),
    "api-rating-skip": Route(OWNER, image_in_path, "POST", lambda world: {"lease": world.leased.lease}),
    "api-rating-report": Route(
        OWNER, image_in_path, "POST", lambda world: {"lease": world.leased.lease, "reason": "gore"}
    ),
    "api-rate": Route(OWNER, lambda world: {"image_id": str(world.leased.image_id)}, "POST", answer),
    "api-comparison-new": Route(EVERYBODY),
    "api-comparison-new-dataset": Route(EVERYBODY, lambda _: {"dataset_id": "demo"}),
    "api-comparison-skip": Route(OWNER, leased_set, "POST", lambda world: {"lease": world.leased_set.lease}),
    "api-comparison-report": Route(
        OWNER,
        leased_set,
        "POST",
        lambda world: {
            "image": str(world.leased_set.images[0].image_id),
            "lease": world.leased_set.lease,
            "reason": "gore",
        },
    ),
    "api-compare": Route(OWNER, leased_set, "POST", lambda world: {"outcome": "tie", "lease": world.leased_set.lease}),
    "api-comparison-lease": Route(EVERYBODY, method="DELETE", data=lambda world: {"leases": [world.leased_set.lease]}),
    "api-rating-set": Route(NOBODY, method="POST"),  # for relays, which are none of these
    "api-rating-set-slash": Route(NOBODY, method="POST"),
    "api-download": Route(NOBODY, lambda _: {"filename": "demo_export.parquet"}),
    # For machines.
    "healthz": Route(EVERYBODY),
    "readyz": Route(EVERYBODY),
    "metrics": Route(NOBODY),
    "robots": Route(EVERYBODY),
    # allauth's.
    "account_login": Route(EVERYBODY),
    "account_logout": Route(EVERYBODY),
    "account_signup": Route(EVERYBODY),
    "account_inactive": Route(EVERYBODY),
    "account_reauthenticate": Route(SIGNED_IN),
    "account_email": Route(SIGNED_IN),
    "account_change_password": Route(SIGNED_IN),
    "account_set_password": Route(SIGNED_IN),
    "account_reset_password": Route(EVERYBODY),
    "account_reset_password_done": Route(EVERYBODY),
    "account_reset_password_from_key": Route(EVERYBODY, lambda _: {"uidb36": "1", "key": "x-y"}),
    "account_reset_password_from_key_done": Route(EVERYBODY),
    # With nothing to confirm these lead on: to the sign-in page whoever is not signed in.
    "account_email_verification_sent": Route(SIGNED_IN),
    "account_confirm_login_code": Route(SIGNED_IN),
    # Last, because the owner's key is gone afterwards.
    "accounts:revoke_api_key": Route(OWNER, lambda world: {"key_id": world.objects["accounts.apikey"].pk}, "POST"),
}


class Table(NamedTuple):
    """Who may do what with one table of the administration."""

    see: frozenset[str]
    change: frozenset[str] = NOBODY
    add: frozenset[str] = NOBODY
    delete: frozenset[str] = NOBODY


TABLES = {
    "accounts.apikey": Table(SUPERUSER),
    "accounts.identity": Table(MODERATORS),
    "accounts.user": Table(MODERATORS, change=SUPERUSER),
    "account.emailaddress": Table(SUPERUSER, SUPERUSER, SUPERUSER, SUPERUSER),
    "auth.group": Table(SUPERUSER, SUPERUSER, SUPERUSER, SUPERUSER),
    "exports.release": Table(SUPERUSER),
    "kudos.account": Table(SUPERUSER),
    "kudos.entry": Table(SUPERUSER),
    "kudos.payout": Table(MODERATORS),
    "kudos.transaction": Table(SUPERUSER),
    "ratings.appeal": Table(MODERATORS),
    "ratings.comparison": Table(MODERATORS),
    "ratings.controlanswer": Table(SUPERUSER),
    "ratings.dataset": Table(MODERATORS, change=SUPERUSER),
    "ratings.goldimage": Table(SUPERUSER),
    "ratings.image": Table(MODERATORS),
    "ratings.imageset": Table(MODERATORS),
    "ratings.moderationaction": Table(MODERATORS),
    "ratings.qualityalarm": Table(MODERATORS),
    "ratings.rater": Table(MODERATORS),
    "ratings.raterscore": Table(MODERATORS),
    "ratings.ratersignal": Table(MODERATORS),
    "ratings.ratertransition": Table(MODERATORS),
    "ratings.rating": Table(MODERATORS),
    "ratings.report": Table(MODERATORS),
    "ratings.skip": Table(MODERATORS),
}


def keys_of(label):
    return lambda world: {"keys": str(world.objects[label].pk)}


ADMINISTRATION = {
    "admin:index": Route(STAFF),
    "admin:login": Route(STAFF),
    "admin:logout": Route(EVERYBODY, method="POST"),
    "admin:password_change": Route(STAFF),
    "admin:password_change_done": Route(STAFF),
    "admin:jsi18n": Route(STAFF),
    "admin:autocomplete": Route(NOBODY),
    "admin:app_list": Route(MODERATORS, lambda _: {"app_label": "ratings"}),
    "admin:view_on_site": Route(NOBODY, lambda _: {"content_type_id": 1, "object_id": 1}),
    "admin:auth_user_password_change": Route(SUPERUSER, lambda world: {"id": world.owner.user.pk}),
    "admin:ratings_pause_dataset": Route(MODERATORS, data=keys_of("ratings.dataset")),
    "admin:ratings_open_dataset": Route(MODERATORS, data=keys_of("ratings.dataset")),
    "admin:ratings_hide_images": Route(MODERATORS, data=keys_of("ratings.image")),
    "admin:ratings_restore_images": Route(MODERATORS, data=keys_of("ratings.image")),
    "admin:ratings_void_ratings": Route(MODERATORS, data=keys_of("ratings.rating")),
    "admin:ratings_restore_ratings": Route(MODERATORS, data=keys_of("ratings.rating")),
    "admin:ratings_void_comparisons": Route(MODERATORS, data=keys_of("ratings.comparison")),
    "admin:ratings_restore_comparisons": Route(MODERATORS, data=keys_of("ratings.comparison")),
    "admin:ratings_quarantine_rater": Route(MODERATORS, data=keys_of("ratings.rater")),
    "admin:ratings_end_quarantine": Route(MODERATORS, data=keys_of("ratings.rater")),
    "admin:ratings_validate_rater": Route(MODERATORS, data=keys_of("ratings.rater")),
    "admin:ratings_end_validation": Route(MODERATORS, data=keys_of("ratings.rater")),
    "admin:ratings_image_picture": Route(NOBODY, image),
    "admin:kudos_decide_payout": Route(MODERATORS, lambda world: {"payout_id": world.objects["kudos.payout"].pk}),
    "admin:exports_release_build": Route(SUPERUSER, method="POST"),
}
# Without a name: they lead on to another line of the table, or to nothing.
UNNAMED = {"api/^v1(/.*)?$", "admin/(?P<url>.*)$"} | {
    f"admin/{label.replace('.', '/')}/<path:object_id>/" for label in TABLES
}


def table_routes():
    """Yield each route of each table of the administration."""
    for label, table in TABLES.items():
        name = f"admin:{label.replace('.', '_')}"

        def one(world, label=label):
            return {"object_id": world.objects[label].pk}

        yield f"{name}_changelist", Route(table.see)
        yield f"{name}_history", Route(table.see, one)
        yield f"{name}_add", Route(table.add)
        yield f"{name}_delete", Route(table.delete, one)
        yield f"{name}_change", Route(table.see, one)
        yield f"{name}_change", Route(table.change, one, "POST")


def quality_rows(rater, dataset_id):
    """Make what the quality engine writes down of a rater and a dataset."""
    about = {"dataset_id": dataset_id, "task": "aesthetic"}
    step = {"from_state": "new", "to_state": "calibrated", "reason": "follows the images", "taken_at": now()}
    alarm = {"kind": "drift", "message": "drifted apart", "value": 0.9, "raised_at": now()}
    image = Image.objects.filter(dataset_id=dataset_id).first()
    answer = {"kind": "gold", "rater": rater, "image": image, "dataset_id": dataset_id, "state": "voided"}
    return {
        "ratings.appeal": Appeal.objects.create(rater=rater, opened_at=now()),
        "ratings.controlanswer": ControlAnswer.objects.create(id=10**9, created_at=now(), **answer),
        "ratings.goldimage": GoldImage.objects.create(image=image, dataset_id=dataset_id),
        "ratings.qualityalarm": QualityAlarm.objects.create(**about, **alarm),
        "ratings.raterscore": RaterScore.objects.create(rater=rater, **about),
        "ratings.ratersignal": RaterSignal.objects.create(
            rater=rater, dataset_id=dataset_id, kind="runs", value=1, answer_count=1, measured_at=now()
        ),
        "ratings.ratertransition": RaterTransition.objects.create(rater=rater, **step),
    }


@pytest.fixture
def world(dataset, lease, lease_set, settings, tmp_path):
    Image.objects.update(model_name="a model 2.1")
    owner, outsider = make_person("owner"), make_person("outsider")
    moderator, superuser = make_moderator(), make_superuser()
    clients = {"anonymous": Client(), "outsider": outsider.web(), "owner": owner.web()}
    staff = make_staff()
    clients |= {"staff": staff.web, "moderator": moderator.web, "superuser": superuser.web}
    keys = {"owner": owner.key, "outsider": outsider.key}
    for name, one in (("staff", staff), ("moderator", moderator), ("superuser", superuser)):
        keys[name] = create_api_key(
            user=one.user, name="tests", scopes=[Scope.RATE, Scope.READ, Scope.MODERATE], now=now()
        )[1]
    linked = Identity.objects.create(kind="horde", external_id="4711", name="owner#4711", user=owner.user)
    made = World(owner, outsider, clients, keys, lease(owner.caller), lease_set(owner.caller), linked.pk)
    rated = lease(owner.caller)
    submission = RatingSubmission(image_id=rated.image_id, aesthetic=7, lease=rated.lease)
    rating_id = submit_rating(caller=owner.caller, submission=submission, prices=PRICES, now=now()).rating_id
    settle_rewards(hold=now() - now(), now=now())
    action = void_ratings(rating_ids=[rating_id], by=moderator.user, reason="a test", now=now())
    rater = Rater.objects.get(identity_id=owner.identity_id)
    relay_set()
    comparison = Comparison.objects.get()
    made.objects = {
        "accounts.apikey": ApiKey.objects.get(user=owner.user),
        "accounts.identity": Identity.objects.get(pk=owner.identity_id),
        "accounts.user": owner.user,
        "account.emailaddress": owner.user.emailaddress_set.get(),
        "auth.group": Group.objects.get(),
        "exports.release": Release.objects.create(dataset=dataset, version="2026-11-24", schema_version="1"),
        "kudos.account": Account.objects.get(identity_id=owner.identity_id),
        "kudos.entry": Entry.objects.first(),
        "kudos.payout": make_payout(owner),
        "kudos.transaction": Transaction.objects.first(),
        "ratings.comparison": comparison,
        "ratings.dataset": dataset,
        "ratings.image": Image.objects.get(pk=rated.image_id),
        "ratings.imageset": comparison.image_set,
        "ratings.moderationaction": action,
        "ratings.rater": rater,
        "ratings.rating": Rating.objects.get(pk=rating_id),
        "ratings.report": Report.objects.create(rater=rater, image_id=rated.image_id, reason="gore"),
        "ratings.skip": Skip.objects.create(rater=rater, image_id=rated.image_id),
        **quality_rows(rater, rated.dataset_id),
    }
    return made


def make_payout(owner):
    """Put kudos into the outbox that the owner earned as a user of AI Horde."""
    make_horde_identity(7, 50, user=owner.user)
    collect(HordeAward(url="http://127.0.0.1:1", key="key", allow_private=False))
    return Payout.objects.get()


def ask(world, person, name, route):
    address = reverse(name, kwargs=route.arguments(world))
    if name.startswith("api-"):
        headers = {"apikey": world.keys[person]} if person in world.keys else {}
        content = {"content_type": "application/json"} if route.method != "GET" else {}
        return getattr(Client(), route.method.lower())(address, route.data(world), headers=headers, **content)
    return getattr(world.clients[person], route.method.lower())(address, route.data(world))


def is_refused(response):
    if response.status_code in {301, 302, 303}:
        return urlsplit(response["Location"]).path in SIGN_IN_PAGES
    return response.status_code in {401, 403, 404}


def differences(world, person, table: Iterable[tuple[str, Route]]):
    """Return what was answered where it is not what the table says."""
    found = []
    for name, route in table:
        response = ask(world, person, name, route)
        if is_refused(response) == (person in route.who):
            expected = "to get it" if person in route.who else "to be refused"
            found.append(f"{name}: {person} was {expected}, and was answered {response.status_code}")
        elif response.status_code >= 500 and name != "readyz":
            found.append(f"{name}: {person} was answered {response.status_code}")
    return found


def test_every_route_is_in_the_table():
    names = {
        pattern if name.endswith(":") or not name else name for pattern, name in routes(get_resolver().url_patterns)
    }
    known = {*PAGES, *ADMINISTRATION, *(name for name, _ in table_routes()), *UNNAMED}
    missing, gone = names - known, known - names
    assert not missing, f"State who may use these in tests/house/test_permissions.py: {sorted(missing)}"
    assert not gone, f"These routes are no more; take them out of the table: {sorted(gone)}"


def test_every_model_of_the_administration_is_in_the_table():
    assert {model._meta.label_lower for model in admin.site._registry} == TABLES.keys()
    assert all(apps.get_model(label) for label in TABLES)


@pytest.mark.parametrize("person", PEOPLE)
def test_pages_and_operations_are_for_whom_the_table_says(world, person):
    assert differences(world, person, PAGES.items()) == []


@pytest.mark.slow
@pytest.mark.parametrize("person", PEOPLE)
def test_the_administration_is_for_whom_the_table_says(world, person):
    last = ("admin:logout", ADMINISTRATION["admin:logout"])
    rest = [(name, route) for name, route in ADMINISTRATION.items() if name != last[0]]
    assert differences(world, person, [*table_routes(), *rest, last]) == []


@pytest.mark.parametrize("name", ["ratings:profile", "kudos:history"])
def test_a_page_of_ones_own_holds_nothing_of_others(world, name):
    marks = {world.objects["accounts.apikey"].prefix, world.objects["ratings.image"].pk.hex, "owner"}
    marks |= {str(world.objects["ratings.image"].pk), world.objects["kudos.transaction"].note}
    seen = {person: world.clients[person].get(reverse(name)).content.decode() for person in ("owner", "outsider")}
    assert any(mark in seen["owner"] for mark in marks)
    assert not any(mark in seen["outsider"] for mark in marks)
