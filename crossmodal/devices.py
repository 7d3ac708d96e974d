"""Devices that signed in before, known by a signed cookie.

The cookie gives no right but to guesses of its own, for the accounts in it; a new one is made at each sign-in.
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.crypto import salted_hmac

COOKIE = "known_device"
SALT = "crossmodal.devices"
MAX_AGE_S = 365 * 24 * 3600
# One browser in a laboratory is used by several people; more than these would make a long cookie.
MAX_ACCOUNTS = 8


def device_of(request: HttpRequest, account: str) -> str:
    """Return the device's random name under which it signed in to this account; empty where it never did."""
    return _read(request).get(_tag(account), "")


def remember_device(request: HttpRequest, response: HttpResponseBase, account: str) -> None:
    """Note a successful sign-in on the device, for the sign-in page alone."""
    tag = _tag(account)
    others = [(known, device) for known, device in _read(request).items() if known != tag]
    kept = [*others[1 - MAX_ACCOUNTS :], (tag, secrets.token_urlsafe(12))]
    response.set_cookie(
        COOKIE,
        signing.dumps(kept, salt=SALT),
        max_age=MAX_AGE_S,
        path=reverse("login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def _read(request: HttpRequest) -> dict[str, str]:
    try:
        return dict(signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=MAX_AGE_S))
    except signing.BadSignature:
        return {}


def _tag(account: str) -> str:
    """Return what stands for an account in a cookie, which others may read on a shared device."""
    return salted_hmac(f"{SALT} tag", account, algorithm="sha256").hexdigest()[:20]
