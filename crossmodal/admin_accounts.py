"""Accounts and groups in the admin site, under the rules of the people pages."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin  # registers Django's own, which make way below
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from crossmodal import people
from crossmodal.people import NameTakenError, RefusedError
from crossmodal.sessions import end_sessions
from crossmodal.user_names import is_no_account


class NameOnceMixin:
    """A name that differs from another account's in more than its capital letters."""

    cleaned_data: dict[str, Any]
    instance: User

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        try:
            people.refuse_taken([name], besides=self.instance.pk or 0)
        except NameTakenError as error:
            raise ValidationError(str(error)) from error
        return name


class NewAccountForm(NameOnceMixin, AdminUserCreationForm):  # type: ignore[type-arg]
    pass


class AccountForm(NameOnceMixin, UserChangeForm):  # type: ignore[type-arg]
    pass


class KeepsAnAdminMixin:
    """Whatever is changed or deleted, who does so is still an active admin afterwards; else nothing was done."""

    def _keeping_an_admin(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            with people.locked():
                response = view(request, *args, **kwargs)
                people.refuse_former_admin(request.user)  # type: ignore[arg-type]
                return response
        except RefusedError as error:
            list(messages.get_messages(request))  # those of the change that is not made
            messages.error(request, str(error))
            return redirect(request.get_full_path())

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self._keeping_an_admin(request, super().changeform_view, *args, **kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self._keeping_an_admin(request, super().delete_view, *args, **kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self._keeping_an_admin(request, super().changelist_view, *args, **kwargs)  # type: ignore[misc]


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class AccountAdmin(KeepsAnAdminMixin, UserAdmin):  # type: ignore[type-arg, misc]
    add_form = NewAccountForm
    form = AccountForm

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Also of its password; listeners that are no accounts are looked at alone."""
        return not (obj and is_no_account(obj)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and is_no_account(obj)) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change and "is_active" in form.changed_data:
            end_sessions(obj)
        super().save_model(request, obj, form, change)


@admin.register(Group)
class RoleAdmin(KeepsAnAdminMixin, GroupAdmin):  # type: ignore[misc]
    pass
