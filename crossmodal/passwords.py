"""Rules for passwords besides Django's."""

from django.core.exceptions import ValidationError

# As Django itself had it once (CVE-2013-1443); far more than a phrase, and little to hash.
MAX_PASSWORD_LENGTH = 4096


class MaximumLengthValidator:
    """No password that the sign-in page would not take."""

    def validate(self, password: str, user: object = None) -> None:
        if len(password) > MAX_PASSWORD_LENGTH:
            raise ValidationError(f"This password is too long: at most {MAX_PASSWORD_LENGTH} characters.")

    def get_help_text(self) -> str:
        return f"Your password can have at most {MAX_PASSWORD_LENGTH} characters."
