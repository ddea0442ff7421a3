"""Who the browser is now: answers that waited in it ask before they are sent, and need a token that is fresh."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import Caller, browser_holder, remember_browser
from accounts.queries import claimed_browsers
from ratings.countermeasures.limits import Action
from ratings.leases.token import label_of
from ratings.queries.goals import my_week
from ratings.queries.progress import dataset_progress
from ratings.queries.raters import my_standing
from ratings.views.profile import start_of_today
from ratings.views.rate_actions import admit


@never_cache
@require_safe
def rating_session(request: HttpRequest) -> HttpResponse:
    """Say under which identity answers are taken, with a token for them, how that identity stands, and the dataset."""
    caller = admit(request, Action.READ)
    known = {"csrf_token": get_token(request), "signed_in": request.user.is_authenticated}
    response = JsonResponse(known | _names_of(caller) | _standing_of(caller, request.GET.get("dataset", "")))
    remember_browser(request, response)
    return response


def _names_of(caller: Caller) -> dict[str, Any]:
    claimed = claimed_browsers(caller.user_id) if caller.user_id else []
    former = [label_of(browser_holder(name)) for name in claimed]
    return {"identity": label_of(caller.holder), "former_identities": former}


def _standing_of(caller: Caller, slug: str) -> dict[str, Any]:
    standing = my_standing(identity_id=caller.identity_id, today=start_of_today())
    progress = dataset_progress(slug)
    return {
        "today": standing.today_count,
        "pending": standing.pending_kudos,
        "progress": asdict(progress) if progress else None,
        "week": asdict(my_week(identity_id=caller.identity_id, today=timezone.localdate())),
    }
