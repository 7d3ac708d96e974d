"""Sessions of signed-in people: ended with their account, and cleared once they have expired."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session


def end_sessions(user: User) -> int:
    """Delete every session of a user; returns how many.

    Django only refuses the sessions of an inactive user: they would be good again once the account is.
    """
    own = [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)  # the owner stands inside the signed data alone
    ]
    deleted, _ = Session.objects.filter(pk__in=own).delete()
    return deleted


def clear_expired() -> None:
    """Delete what has expired, as ``manage.py clearsessions`` does; Django never does so by itself."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
