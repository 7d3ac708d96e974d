"""The two roles of Crossmodal, kept as Django groups: ``admin`` and ``annotator``."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from crossmodal.user_names import is_no_account

ADMIN = "admin"
ANNOTATOR = "annotator"

View = Callable[..., HttpResponseBase]


def roles_of(user: User | AnonymousUser) -> frozenset[str]:
    """Roles of a user, read from the database once per user object."""
    if not user.is_authenticated:
        return frozenset()
    cached: frozenset[str] | None = getattr(user, "_crossmodal_roles", None)
    if cached is None:
        cached = frozenset(user.groups.filter(name__in=[ADMIN, ANNOTATOR]).values_list("name", flat=True))
        if user.is_superuser:
            cached |= {ADMIN}
        user._crossmodal_roles = cached  # type: ignore[attr-defined]
    return cached


def is_admin(user: User | AnonymousUser) -> bool:
    return ADMIN in roles_of(user)


def is_annotator(user: User | AnonymousUser) -> bool:
    return ANNOTATOR in roles_of(user)


class RoleBackend(ModelBackend):
    """Members of the group ``admin`` hold every permission, so that Django's admin site works for them.

    Listeners that are no accounts are never let in, whatever is done to their user rows.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        return super().user_can_authenticate(user) and not is_no_account(user)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return (user_obj.is_active and is_admin(user_obj)) or super().has_perm(user_obj, perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return (user_obj.is_active and is_admin(user_obj)) or super().has_module_perms(user_obj, app_label)


def _required(test: Callable[[Any], bool], message: str) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not test(request.user):
                raise PermissionDenied(message)
            return view(request, *args, **kwargs)

        return login_required(wrapper)

    return decorate


admin_required = _required(is_admin, "This page is for admins.")
annotator_required = _required(is_annotator, "This page is for annotators.")


def context(request: HttpRequest) -> dict[str, bool]:
    """Template variables ``is_admin`` and ``is_annotator``."""
    user = getattr(request, "user", AnonymousUser())
    return {"is_admin": is_admin(user), "is_annotator": is_annotator(user)}
