import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import ApiKey, User
from accounts.providers.own import digest_of
from config.moderators import GROUP, PERMISSIONS, ensure_moderators
from tests.accounts.staff import make_moderator, make_staff, make_superuser
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

INDEX = "/admin/"
USERS = "/admin/accounts/user/"
KEYS = "/admin/accounts/apikey/"


@pytest.fixture
def moderator():
    return make_moderator()


@pytest.fixture
def staff():
    return make_staff()


@pytest.fixture
def root():
    return make_superuser()


def sign_in(login):
    """Sign in where the administration sends somebody who has not."""
    client = Client()
    response = client.get(INDEX, follow=True)
    address = response.redirect_chain[-1][0]
    assert address.startswith(reverse("account_login"))
    return client, client.post(address, {"login": login, "password": PASSWORD}, follow=True)


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def revoke(client, key, **fields):
    data = {"action": "revoke", ACTION_CHECKBOX_NAME: [str(key.pk)], "index": "0"} | fields
    return client.post(KEYS, data)


@pytest.mark.parametrize("login", ["moderator", "moderator@example.org"])
def test_staff_sign_in_by_name_or_address(moderator, login):
    _, response = sign_in(login)
    assert response.request["PATH_INFO"] == INDEX
    assert response.status_code == 200
    assert "Kudoscope" in response.content.decode()


def test_somebody_who_is_no_staff_is_refused_after_signing_in(outsider):
    client, response = sign_in("outsider")
    assert response.status_code == 403
    assert client.get(INDEX)["Location"].startswith(reverse("admin:login"))


def test_staff_who_were_made_inactive_are_out_at_once(moderator):
    assert moderator.web.get(INDEX).status_code == 200
    User.objects.filter(pk=moderator.user.pk).update(is_active=False)
    assert moderator.web.get(INDEX).status_code == 302


def test_the_password_form_of_the_administration_itself_is_not_there(moderator):
    """It would be a door without the limits on attempts."""
    response = Client().post(reverse("admin:login"), {"username": "moderator", "password": PASSWORD})
    assert response["Location"].startswith(reverse("account_login"))


def test_staff_without_a_group_see_nothing(staff):
    response = staff.web.get(INDEX)
    assert response.status_code == 200
    assert response.context["app_list"] == []
    for address in (USERS, KEYS, "/admin/accounts/identity/", "/admin/auth/group/", "/admin/account/emailaddress/"):
        assert staff.web.get(address).status_code == 403


def test_moderators_see_what_their_group_says_and_no_more(moderator):
    apps = moderator.web.get(INDEX).context["app_list"]
    seen = {model["object_name"] for app in apps for model in app["models"]}
    assert seen == {
        "User",
        "Identity",
        "Appeal",
        "Comparison",
        "Dataset",
        "Image",
        "ImageSet",
        "Rating",
        "Rater",
        "RaterScore",
        "RaterSignal",
        "RaterTransition",
        "QualityAlarm",
        "Report",
        "Skip",
        "ModerationAction",
        "Payout",
    }
    for address in (KEYS, "/admin/auth/group/", "/admin/account/emailaddress/", "/admin/kudos/account/"):
        assert moderator.web.get(address).status_code == 403


def test_moderators_see_names_and_no_addresses(moderator, outsider):
    listed, page = (moderator.web.get(address).content.decode() for address in (USERS, page_of(outsider.user)))
    for html in (listed, page):
        assert "outsider" in html
        assert "outsider@example.org" not in html
    found = moderator.web.get(USERS, {"q": "outsider@"}).context["cl"].result_count
    assert found == 0
    for query in ("?email__startswith=o", "?password__startswith=m", "?is_superuser__exact=1"):
        assert moderator.web.get(f"{USERS}{query}").status_code == 400


def test_moderators_change_nobody(moderator, outsider):
    data = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    for address in (page_of(moderator.user), page_of(outsider.user), f"{USERS}add/"):
        assert moderator.web.post(address, data).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[outsider.user.pk])
    assert moderator.web.get(password).status_code == 403
    assert moderator.web.post(password, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 403
    assert not User.objects.filter(is_superuser=True).exists()


def test_somebody_with_every_permission_but_no_superuser_changes_nobody(staff):
    staff.user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    assert staff.web.get(page_of(staff.user)).status_code == 200
    assert staff.web.post(page_of(staff.user), {"is_superuser": "on"}).status_code == 403


def test_a_superuser_makes_somebody_a_moderator(root, outsider):
    group = Group.objects.get(name=GROUP)
    data = {"is_active": "on", "is_staff": "on", "groups": [group.pk], "username": "other", "email": "x@example.org"}
    with CaptureQueriesContext(connection) as captured:
        assert root.web.post(page_of(outsider.user), data).status_code == 302
    user = User.objects.get(pk=outsider.user.pk)
    assert (user.is_staff, list(user.groups.all())) == (True, [group])
    assert (user.username, user.email) == ("outsider", "outsider@example.org")
    updates = [entry["sql"] for entry in captured if entry["sql"].startswith('UPDATE "accounts_user"')]
    assert updates == [f'UPDATE "accounts_user" SET "is_staff" = true WHERE "accounts_user"."id" = {user.pk}']


def test_people_are_neither_added_nor_deleted_here(root, outsider):
    assert root.web.get(f"{USERS}add/").status_code == 403
    assert (
        root.web.post(reverse("admin:accounts_user_delete", args=[outsider.user.pk]), {"post": "yes"}).status_code
        == 403
    )


def test_a_key_is_never_shown(root, outsider):
    key = ApiKey.objects.get(user=outsider.user)
    page = root.web.get(reverse("admin:accounts_apikey_change", args=[key.pk])).content.decode()
    listed = root.web.get(KEYS).content.decode()
    for html in (page, listed):
        assert key.prefix in html
        assert not [secret for secret in (key.digest, digest_of(outsider.key), outsider.key) if secret in html]
    assert root.web.get(f"{KEYS}?digest__startswith=a").status_code == 400


def test_a_superuser_revokes_keys(root, outsider):
    key = ApiKey.objects.get(user=outsider.user)
    assert outsider.api().get("/api/v1/rating/new").status_code != 401
    assert revoke(root.web, key).status_code == 302
    assert "1 key is revoked." in root.web.get(KEYS).content.decode()
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert outsider.api().get("/api/v1/rating/new").status_code == 401
    assert LogEntry.objects.get().object_id == str(key.pk)
    revoke(root.web, key)
    assert "revoked already" in root.web.get(KEYS).content.decode()
    assert LogEntry.objects.count() == 1


def test_nobody_else_revokes_keys(moderator, staff, outsider):
    key = ApiKey.objects.get(user=outsider.user)
    viewer = make_staff("viewer")
    viewer.user.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    statuses = [revoke(client, key).status_code for client in (Client(), outsider.web(), staff.web, moderator.web)]
    assert statuses == [302, 302, 403, 403]
    assert "revoke" not in viewer.web.get(KEYS).content.decode().split("<main")[1].replace("revoked", "")
    revoke(viewer.web, key)
    assert ApiKey.objects.get(pk=key.pk).revoked_at is None


def test_the_group_is_made_and_corrected(db):
    Group.objects.get(name=GROUP).delete()
    assert ensure_moderators()
    assert not ensure_moderators()
    group = Group.objects.get(name=GROUP)
    names = {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.select_related("content_type")}
    assert names == set(PERMISSIONS)
    group.permissions.remove(group.permissions.first())
    group.permissions.add(Permission.objects.get(codename="delete_user"))
    assert ensure_moderators()
    assert {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()} == set(PERMISSIONS)


def test_the_command_says_what_it_did(capsys):
    Group.objects.get(name=GROUP).delete()
    call_command("ensure_moderators")
    call_command("ensure_moderators")
    assert capsys.readouterr().out.count(GROUP) == 1
    Permission.objects.get(codename="view_skip").delete()
    with pytest.raises(CommandError, match=r"ratings\.view_skip.*migrate"):
        call_command("ensure_moderators")
