"""The group of moderators, and exactly what it may do. docs/moderation.md tells moderators the same in words."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

GROUP = "moderators"
# To see: people by name, and all that belongs to ratings. To decide, where it says `change`: no form of the
# administration edits anything with it.
PERMISSIONS = (
    "accounts.view_identity",
    "accounts.view_user",
    "kudos.change_payout",
    "kudos.view_payout",
    "ratings.change_comparison",
    "ratings.change_dataset",
    "ratings.change_image",
    "ratings.change_rater",
    "ratings.change_rating",
    "ratings.view_appeal",
    "ratings.view_comparison",
    "ratings.view_dataset",
    "ratings.view_image",
    "ratings.view_imageinset",
    "ratings.view_imageset",
    "ratings.view_moderationaction",
    "ratings.view_qualityalarm",
    "ratings.view_rater",
    "ratings.view_raterscore",
    "ratings.view_ratersignal",
    "ratings.view_ratertransition",
    "ratings.view_rating",
    "ratings.view_rendition",
    "ratings.view_report",
    "ratings.view_revision",
    "ratings.view_skip",
)


class PermissionMissing(Exception):
    """A permission of the list is not in the database: the tables are older than the code."""


def ensure_moderators() -> bool:
    """Give the group exactly the permissions of the list; return whether anything had to change.

    Raises PermissionMissing before `migrate` has made them.
    """
    wanted = _wanted_permissions()
    with transaction.atomic():
        group, is_new = Group.objects.get_or_create(name=GROUP)
        if set(group.permissions.all()) == wanted:
            return is_new
        group.permissions.set(wanted)
    return True


def _wanted_permissions() -> set[Permission]:
    condition = Q()
    for name in PERMISSIONS:
        app, codename = name.split(".")
        condition |= Q(content_type__app_label=app, codename=codename)
    found = set(Permission.objects.filter(condition).select_related("content_type"))
    missing = set(PERMISSIONS) - {f"{found_one.content_type.app_label}.{found_one.codename}" for found_one in found}
    if missing:
        raise PermissionMissing(f"Not in the database: {', '.join(sorted(missing))}. Run `migrate` first.")
    return found
