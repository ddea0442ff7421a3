"""How a person wants the rating page is stored on their account, and so follows it to every device."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import IdentityKind
from accounts.services import ensure_identity
from ratings.models import PagePreferences
from ratings.queries.preferences import Preferences, is_of_age, my_preferences

# What a key can do, and which key does it unless the person moved it: `KeyboardEvent.code`, which names the place of
# a key and not the letter on it. Digits answer the question and cannot be moved. One key may be for two actions if no
# page has both.
KEYS_EVERYWHERE = {"undo": "KeyZ", "skip": "KeyS", "report": "KeyX", "reveal": "KeyV", "full_size": "KeyF"}
KEYS_OF_RATING = KEYS_EVERYWHERE | {
    **{f"artifacts_{level}": f"Key{letter}" for level, letter in enumerate("QWERTY")},
    "unsure": "KeyN",
    "details": "KeyI",
}
KEYS_OF_COMPARING = KEYS_EVERYWHERE | {"tie": "KeyT", "all_bad": "KeyB"}
DEFAULT_KEYS = KEYS_OF_RATING | KEYS_OF_COMPARING
# Keys that write something: a page may not take others away from whoever moves or edits with them.
KEY_CODE = re.compile(
    r"Key[A-Z]|Comma|Period|Slash|Semicolon|Quote|Bracket(Left|Right)|Backquote|Backslash|Minus|Equal|Intl[A-Za-z0-9]{1,12}",
    re.ASCII,
)


class PreferencesInvalid(Exception):
    """They were not stored; the message says why in plain words."""


def save_preferences(*, user_id: int, changes: Mapping[str, Any], now: datetime) -> Preferences:
    """Store the changes and return what holds now. What is not named stays as it is. Raises PreferencesInvalid.

    Who takes back their year of birth sees safe images only.
    """
    wanted = dict(changes)
    if "keys" in wanted:
        check_keys(wanted["keys"])
    with transaction.atomic():
        identity_id = ensure_identity(kind=IdentityKind.ACCOUNT, external_id=str(user_id), user_id=user_id)
        PagePreferences.objects.get_or_create(identity_id=identity_id)
        row = PagePreferences.objects.select_for_update().get(identity_id=identity_id)
        _settle_age(row, wanted, now)
        PagePreferences.objects.filter(pk=row.pk).update(**wanted, updated_at=now)
    return my_preferences(identity_id)


def record_training(*, identity_id: int, now: datetime) -> None:
    """Remember when somebody finished practising; the first time counts."""
    with transaction.atomic():
        PagePreferences.objects.get_or_create(identity_id=identity_id)
        PagePreferences.objects.filter(identity_id=identity_id, trained_at=None).update(trained_at=now)


def check_keys(keys: object) -> None:
    """Raise PreferencesInvalid unless the keys are known actions, each on a key of its own."""
    if not isinstance(keys, dict):
        raise PreferencesInvalid(_("The keys have to be an object: an action, and the code of its key."))
    for action, code in keys.items():
        if action not in DEFAULT_KEYS:
            raise PreferencesInvalid(_("There is no action of the name “%(name)s”.") % {"name": str(action)[:40]})
        if not isinstance(code, str) or not KEY_CODE.fullmatch(code):
            raise PreferencesInvalid(_("This key cannot be used: “%(code)s”.") % {"code": str(code)[:40]})
    held = DEFAULT_KEYS | keys
    for page in (KEYS_OF_RATING, KEYS_OF_COMPARING):
        _check_one_each({action: held[action] for action in page})


def _check_one_each(keys: Mapping[str, str]) -> None:
    taken: dict[str, str] = {}
    for action, code in keys.items():
        if code in taken:
            raise PreferencesInvalid(
                _("One key for two actions: %(code)s is for “%(first)s” and “%(second)s”.")
                % {"code": code, "first": taken[code], "second": action}
            )
        taken[code] = action


def _settle_age(row: PagePreferences, wanted: dict[str, Any], now: datetime) -> None:
    birth_year = wanted.get("birth_year", row.birth_year)
    if is_of_age(birth_year, now=now):
        return
    if wanted.get("adult_classes"):
        raise PreferencesInvalid(
            _("These images are for people of 18 and over. State a year of birth that leaves no doubt.")
        )
    wanted["adult_classes"] = []
