"""Forms of signing in and of the people pages."""

import math
import re
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from crossmodal import throttle
from crossmodal.people import Role, name_key

MAX_NAMES_AT_ONCE = 200
MAX_NAME_LENGTH = 150  # Django's limit for a user name


class SignInForm(AuthenticationForm):
    """Django's form, which after too many failures asks to wait before the password is looked at."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The name and the password do not match an active account. Capital letters matter.",
    }

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if not username or not self.request:
            return super().clean()
        source = throttle.source_of(self.request, username)
        if wait_s := throttle.wait_s(source):
            minutes = math.ceil(wait_s / 60)
            unit = "minute" if minutes == 1 else "minutes"
            raise ValidationError(
                f"Too many failed attempts to sign in. Wait {minutes} {unit}, then try again.",
                code="throttled",
            )
        try:
            cleaned = super().clean()
        except ValidationError:
            throttle.record_failure(source)
            raise
        if self.user_cache is not None:
            throttle.forget(source)
        return cleaned


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
