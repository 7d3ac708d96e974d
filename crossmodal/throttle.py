"""Slowing down whoever guesses passwords: counted per user name and address, kept in the database.

The database is the one store that all web processes share on one machine as on many.
"""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from crossmodal.models import SignInFailure

# OWASP's Authentication Cheat Sheet leaves the numbers open; ten slips are more than a person with a written-down
# password makes, and ten guesses per five minutes are too few to try a dictionary.
FAILURES_ALLOWED = 10
WINDOW = timedelta(minutes=5)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; behind a trusted proxy, what that proxy wrote last."""
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.SECURE_PROXY_SSL_HEADER and forwarded:
        return forwarded.rsplit(",", 1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def source_of(request: HttpRequest, username: str) -> str:
    return hashlib.sha256(f"{username.strip().casefold()}\0{address_of(request)}".encode()).hexdigest()


def wait_s(source: str) -> int:
    """Seconds until this source may try again; 0 where it may now."""
    now = timezone.now()
    recent = SignInFailure.objects.filter(source=source, created_at__gt=now - WINDOW).order_by("-created_at")
    moments = list(recent.values_list("created_at", flat=True)[:FAILURES_ALLOWED])
    if len(moments) < FAILURES_ALLOWED:
        return 0
    return max(1, round((moments[-1] + WINDOW - now).total_seconds()))


def record_failure(source: str) -> None:
    SignInFailure.objects.filter(created_at__lt=timezone.now() - WINDOW).delete()
    SignInFailure.objects.create(source=source)


def forget(source: str) -> None:
    SignInFailure.objects.filter(source=source).delete()
