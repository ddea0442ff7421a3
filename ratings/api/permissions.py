"""What a key may do."""

from django.utils import timezone
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.access import InvalidApiKey, count_bad_key
from accounts.authentication import caller_of
from accounts.models import Scope, User


class HasScope(BasePermission):
    """The caller's key has the scope that the operation needs."""

    scope: Scope

    @classmethod
    def of(cls, scope: Scope) -> type["HasScope"]:
        return type(f"HasScope{scope.name.title()}", (cls,), {"scope": scope})

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        if self.scope in caller_of(request).scopes:
            return True
        if request.method == "GET":
            # Never 403 on GET: some old clients ask again at once, and for ever.
            count_bad_key(caller_of(request).address_hash, now=timezone.now())
            raise InvalidApiKey(f"This key may not do that: it lacks the scope “{self.scope.value}”.")
        self.message = f"This key may not do that: it lacks the scope “{self.scope.value}”."
        return False


class IsModerator(BasePermission):
    """The caller's key has the scope `moderate`, and its user has the permission of a moderator.

    Without a key nobody is asked to be somebody else: that is 401. A key that may not do it is 403, on GET as well:
    only clients that moderate come here, and none of them asks again by itself.
    """

    permission: str

    @classmethod
    def of(cls, permission: str) -> type["IsModerator"]:
        return type("IsModeratorWithPermission", (cls,), {"permission": permission})

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        _user_id_of(request)
        if Scope.MODERATE not in caller_of(request).scopes:
            self.message = f"This key may not do that: it lacks the scope “{Scope.MODERATE.value}”."
            return False
        self.message = "This is for moderators."
        return moderator_of(request).has_perm(self.permission)


def moderator_of(request: Request) -> User:
    """Return the user of the key, whom IsModerator has let in. Raises InvalidApiKey where there is none."""
    return User.objects.get(pk=_user_id_of(request))


def _user_id_of(request: Request) -> int:
    user_id = caller_of(request).user_id
    if user_id is None:
        raise InvalidApiKey("This takes the key of a moderator.")
    return user_id
