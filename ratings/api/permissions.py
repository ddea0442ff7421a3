"""What a key may do."""

from django.utils import timezone
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.access import InvalidApiKey, count_bad_key
from accounts.authentication import caller_of
from accounts.models import Scope


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
