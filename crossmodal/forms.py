"""Forms of signing in and of the people pages."""

import math
import re
import time
from typing import Any, NoReturn

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from crossmodal import throttle
from crossmodal.passwords import MAX_PASSWORD_LENGTH
from crossmodal.people import Role
from crossmodal.user_names import name_key

MAX_NAMES_AT_ONCE = 200
MAX_NAME_LENGTH = 150  # Django's limit for a user name


class ThrottledError(ValidationError):
    """A password that was not looked at, since too many were tried before."""

    def __init__(self, wait_s: int) -> None:
        count, unit = (wait_s, "second") if wait_s < 60 else (math.ceil(wait_s / 60), "minute")
        self.wait_s = wait_s
        super().__init__(
            "Too many attempts, so this password was not looked at. "
            f"Wait {count} {unit}{'' if count == 1 else 's'}, then try again.",
            code="throttled",
        )


class ThrottledForm(forms.Form):
    """A form that asks for a password; ``wait_s`` tells how long to wait before the next one is looked at."""

    wait_s = 0

    def spend(self, budgets: list[throttle.Budget]) -> None:
        """Count one guess before the password is hashed; raises ThrottledError."""
        if wait_s := throttle.spend(budgets):
            self.refuse(wait_s)

    def refuse(self, wait_s: int) -> NoReturn:
        self.wait_s = wait_s
        raise ThrottledError(wait_s)


class SignInForm(ThrottledForm, AuthenticationForm):
    """Django's form, which after too many guesses asks to wait before a password is looked at."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The name and the password do not match an active account. Capital letters matter.",
    }

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if len(username) > MAX_NAME_LENGTH:
            raise ValidationError(f"No name has more than {MAX_NAME_LENGTH} characters.")
        return username

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if len(password) > MAX_PASSWORD_LENGTH:
            raise ValidationError(f"No password has more than {MAX_PASSWORD_LENGTH} characters.")
        return password

    def clean(self) -> dict[str, Any]:
        if self.errors or self.request is None:
            return self.cleaned_data  # nothing to look up, and no password is hashed
        budgets = throttle.sign_in_budgets(self.request, self.cleaned_data["username"])
        with throttle.place_for(budgets) as free:
            if not free:
                self.refuse(throttle.BUSY_WAIT_S)
            return self._look_at_password(budgets)

    def _look_at_password(self, budgets: list[throttle.Budget]) -> dict[str, Any]:
        self.spend(budgets)
        started = time.monotonic()
        try:
            cleaned = super().clean()
        except ValidationError:
            throttle.charge_time(budgets, int(1000 * (time.monotonic() - started)))
            raise
        throttle.give_back(budgets)
        return cleaned


class ChangePasswordForm(ThrottledForm, PasswordChangeForm):
    """Django's form; whoever finds a session left open cannot try old passwords without end."""

    def clean_old_password(self) -> str:
        if len(self.cleaned_data["old_password"]) > MAX_PASSWORD_LENGTH:
            raise ValidationError(f"No password has more than {MAX_PASSWORD_LENGTH} characters.")
        budgets = throttle.password_change_budgets(self.user.pk)
        self.spend(budgets)
        old_password = super().clean_old_password()
        throttle.give_back(budgets)
        return old_password


class AddPeopleForm(forms.Form):
    """One or many new accounts."""

    names = forms.CharField(
        label="Names",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "off"}),
        help_text="The names to sign in with: letters, digits and @ . + - _, one per line or separated by commas.",
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR, widget=forms.RadioSelect)

    def clean_names(self) -> list[str]:
        # In the form that Django keeps: one character may become several, and then be none of a name's.
        written = User.normalize_username(self.cleaned_data["names"])
        names = [name.strip() for name in re.split(r"[\n,;]", written) if name.strip()]
        if not names:
            raise ValidationError("Write at least one name.")
        if len(names) > MAX_NAMES_AT_ONCE:
            raise ValidationError(f"{len(names)} names at once are too many; add at most {MAX_NAMES_AT_ONCE}.")
        valid = UnicodeUsernameValidator()
        for name in names:
            try:
                valid(name)
            except ValidationError:
                raise ValidationError(
                    f"“{name[:60]}” cannot be a name: use letters, digits and @ . + - _ only."
                ) from None
            if len(name) > MAX_NAME_LENGTH:
                raise ValidationError(f"“{name[:30]}…” is too long: at most {MAX_NAME_LENGTH} characters.")
        keys = [name_key(name) for name in names]
        if twice := sorted({name for name in names if keys.count(name_key(name)) > 1}):
            raise ValidationError(f"Given more than once: {', '.join(twice)}.")
        return names


class UpdatePersonForm(forms.Form):
    """What an admin may do with an account."""

    DEACTIVATE, REACTIVATE, RESET, ROLE = "deactivate", "reactivate", "reset-password", "change-role"
    action = forms.ChoiceField(choices=[(name, name) for name in (DEACTIVATE, REACTIVATE, RESET, ROLE)])
    role = forms.ChoiceField(choices=Role.choices, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("action") == self.ROLE and not cleaned.get("role"):
            raise ValidationError("Choose a role.")
        return cleaned


class LinkListenerForm(forms.Form):
    """The account whose votes an imported listener's are."""

    account = forms.CharField(max_length=MAX_NAME_LENGTH)
