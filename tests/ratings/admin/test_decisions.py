"""Who may decide: by real posts, forged ones included, for every decision."""

import re

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from kudos.models import Entry
from ratings.models import Dataset, Image, ModerationAction, Rater, Rating
from ratings.services.moderation import hide_images, pause_dataset
from ratings.services.quarantine import quarantine_rater, validate_rater
from ratings.services.voiding import void_ratings
from tests.accounts.staff import make_staff
from tests.people import now

pytestmark = pytest.mark.django_db

# Each decision, with the table it is taken in.
TABLES = {
    "void_ratings": "rating",
    "restore_ratings": "rating",
    "hide_images": "image",
    "restore_images": "image",
    "pause_dataset": "dataset",
    "open_dataset": "dataset",
    "quarantine_rater": "rater",
    "end_quarantine": "rater",
    "validate_rater": "rater",
    "end_validation": "rater",
}


@pytest.fixture(params=TABLES)
def decision(request, rater, rate):
    """One decision and a row that it could change: (its name, its table, the row)."""
    rating = rate(rater)[0]
    by = {"by": rater.user, "reason": "set-up", "now": now()}
    if request.param == "restore_ratings":
        void_ratings(rating_ids=[rating.pk], **by)
    elif request.param == "restore_images":
        hide_images(image_ids=[rating.image_id], **by)
    elif request.param == "open_dataset":
        pause_dataset(dataset=rating.dataset, **by)
    elif request.param == "end_quarantine":
        quarantine_rater(rater_id=rating.rater_id, **by)
    elif request.param == "end_validation":
        validate_rater(rater_id=rating.rater_id, **by)
    rows = {"rating": rating, "image": rating.image, "dataset": rating.dataset, "rater": rating.rater}
    return request.param, TABLES[request.param], rows[TABLES[request.param]]


def state_of_everything():
    return (
        list(Rating.objects.order_by("pk").values_list("pk", "state")),
        list(Image.objects.order_by("pk").values_list("pk", "status", "is_open")),
        list(Dataset.objects.values_list("pk", "state")),
        list(Rater.objects.order_by("pk").values_list("pk", "state", "is_trusted")),
        ModerationAction.objects.count(),
        Entry.objects.count(),
    )


def choose(client, decision):
    """Choose the action in the list, as the form there does."""
    name, table, row = decision
    data = {"action": name, ACTION_CHECKBOX_NAME: [str(row.pk)], "index": "0", "select_across": "0"}
    return client.post(reverse(f"admin:ratings_{table}_changelist"), data)


def confirm(client, decision, **fields):
    """Confirm on the page that asks."""
    name, _, row = decision
    data = {"keys": str(row.pk), "filters": "", "reason": "A script did it."} | fields
    return client.post(reverse(f"admin:ratings_{name}"), data)


def ask(client, decision):
    name, _, row = decision
    return client.get(reverse(f"admin:ratings_{name}"), {"keys": str(row.pk)})


def test_it_works(moderator, decision, adds_up):
    before = state_of_everything()
    assert choose(moderator.web, decision).status_code == 200
    assert ask(moderator.web, decision).status_code == 200
    assert state_of_everything() == before
    response = confirm(moderator.web, decision)
    assert (response.status_code, response["Location"]) == (
        302,
        reverse(f"admin:ratings_{decision[1]}_changelist") + "?",
    )
    action = ModerationAction.objects.latest("pk")
    assert (action.taken_by, action.reason, action.affected_count) == (moderator.user, "A script did it.", 1)
    assert state_of_everything() != before
    adds_up()


def test_superusers_may_decide(root, decision):
    assert choose(root.web, decision).status_code == 200
    assert confirm(root.web, decision).status_code == 302
    assert ModerationAction.objects.latest("pk").taken_by == root.user


def test_nobody_and_outsiders_are_sent_to_sign_in(outsider, decision):
    before = state_of_everything()
    for client in (Client(), outsider.web()):
        for response in (choose(client, decision), ask(client, decision), confirm(client, decision)):
            assert response.status_code == 302
            assert response["Location"].startswith(reverse("admin:login"))
    assert state_of_everything() == before


def test_staff_without_the_group_may_nothing(staff, decision):
    before = state_of_everything()
    for response in (choose(staff.web, decision), ask(staff.web, decision), confirm(staff.web, decision)):
        assert response.status_code == 403
    assert state_of_everything() == before


def test_who_may_only_look_cannot_decide_by_a_forged_post(decision):
    """The list opens, but the action is not among those that it takes."""
    viewer = make_staff("viewer")
    viewer.user.user_permissions.add(Permission.objects.get(codename=f"view_{decision[1]}"))
    before = state_of_everything()
    assert decision[0] not in viewer.web.get(reverse(f"admin:ratings_{decision[1]}_changelist")).content.decode()
    assert b"impact" not in choose(viewer.web, decision).content
    assert ask(viewer.web, decision).status_code == 403
    assert confirm(viewer.web, decision).status_code == 403
    assert state_of_everything() == before


def test_a_moderator_who_left_the_group_may_nothing(moderator, decision):
    moderator.user.groups.clear()
    assert confirm(moderator.web, decision).status_code == 403


def test_a_post_from_elsewhere_is_refused(moderator, decision):
    client = Client(enforce_csrf_checks=True)
    client.force_login(moderator.user)
    before = state_of_everything()
    assert confirm(client, decision).status_code == 403
    assert state_of_everything() == before


@pytest.mark.parametrize("reason", ["", "   ", "\n", "x" * 501, "null \x00 byte"])
def test_a_reason_is_required_and_of_a_length_that_can_be_kept(moderator, decision, reason):
    before = state_of_everything()
    response = confirm(moderator.web, decision, reason=reason)
    assert response.status_code == 200
    assert b"errorlist" in response.content
    assert state_of_everything() == before


def test_a_reason_of_500_characters_with_line_breaks_is_kept(moderator, decision):
    reason = "x" * 249 + "\n" + "ü" * 250
    assert confirm(moderator.web, decision, reason=reason.replace("\n", "\r\n")).status_code == 302
    assert ModerationAction.objects.latest("pk").reason == reason


@pytest.mark.parametrize("keys", ["", ",", "x", "1;2", "' OR 1=1", "9" * 5000])
def test_keys_that_are_none_are_refused(moderator, decision, keys):
    before = state_of_everything()
    assert confirm(moderator.web, decision, keys=keys).status_code in {400, 200}
    assert moderator.web.get(reverse(f"admin:ratings_{decision[0]}"), {"keys": keys}).status_code in {400, 200}
    assert state_of_everything() == before


def test_a_selection_that_is_no_key_is_refused(moderator, decision):
    name, table, _ = decision
    data = {"action": name, ACTION_CHECKBOX_NAME: ["x"], "index": "0", "select_across": "0"}
    assert moderator.web.post(reverse(f"admin:ratings_{table}_changelist"), data).status_code == 400


def test_what_is_done_already_is_not_done_twice(moderator, decision):
    confirm(moderator.web, decision)
    before = state_of_everything()
    response = confirm(moderator.web, decision)
    assert response.status_code == 200
    assert b"here is nothing to" in response.content
    assert state_of_everything() == before


def test_the_message_leads_to_the_action_and_back(moderator, decision):
    before = state_of_everything()[:3]
    page = moderator.web.get(confirm(moderator.web, decision)["Location"])
    action = ModerationAction.objects.latest("pk")
    message = str(next(iter(page.context["messages"])))
    assert reverse("admin:ratings_moderationaction_change", args=[action.pk]) in message
    undo = re.findall(r'href="([^"]+)"', message)[1]
    asked = moderator.web.get(undo)
    assert asked.status_code == 200
    inverse = asked.context["decision"].name
    keys = asked.context["form"].initial["keys"]
    moderator.web.post(reverse(f"admin:ratings_{inverse}"), {"keys": keys, "reason": "It was a mistake."})
    assert state_of_everything()[:3] == before


def test_the_filters_of_the_list_are_kept(moderator, decision):
    name, table, row = decision
    data = {"action": name, ACTION_CHECKBOX_NAME: [str(row.pk)], "index": "0", "select_across": "0"}
    address = reverse(f"admin:ratings_{table}_changelist")
    query = {
        "rating": "is_late__exact=0",
        "image": "adult_class__exact=safe",
        "dataset": "q=d",
        "rater": "is_shared__exact=0",
    }[table]
    asked = moderator.web.post(f"{address}?{query}", data)
    filters = asked.context["form"].initial["filters"]
    assert confirm(moderator.web, decision, filters=filters)["Location"] == f"{address}?{query}"


@pytest.mark.parametrize("filters", ["//evil.example", "\r\nSet-Cookie: a=b", "https://evil.example"])
def test_the_way_back_leads_nowhere_else(moderator, decision, filters):
    response = confirm(moderator.web, decision, filters=filters)
    assert response.status_code in {200, 302}
    assert response.get("Location", "/admin/").startswith("/admin/ratings/")
    assert "Set-Cookie: a=b" not in str(response.headers)


@pytest.mark.parametrize("table", ["rating", "image", "dataset", "rater", "skip", "moderationaction"])
def test_moderators_edit_add_and_delete_nothing(moderator, decision, table):
    del decision
    model = {"rating": Rating, "image": Image, "dataset": Dataset}.get(table)
    pk = model.objects.first().pk if model else 1
    before = state_of_everything()
    posts = [
        (reverse(f"admin:ratings_{table}_add"), {}),
        (reverse(f"admin:ratings_{table}_change", args=[pk]), {"licence": "WTFPL", "state": "counted"}),
        (reverse(f"admin:ratings_{table}_delete", args=[pk]), {"post": "yes"}),
    ]
    for address, data in posts:
        assert moderator.web.post(address, data).status_code in {302, 403}
    data = {"action": "delete_selected", ACTION_CHECKBOX_NAME: [str(pk)], "index": "0", "post": "yes"}
    moderator.web.post(reverse(f"admin:ratings_{table}_changelist"), data)
    assert state_of_everything() == before
    assert set(Dataset.objects.values_list("licence", flat=True)) == {"CC0-1.0"}
    assert User.objects.filter(is_superuser=True).count() == 0
