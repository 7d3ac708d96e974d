"""What a deployed Crossmodal refuses to start with: every command runs these checks, and so does the web server."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from crossmodal import env

# As it stands in .env.example, where a comment says how to make a real one.
EXAMPLE_SECRET_KEY = "replace-this-with-a-secret-key-of-your-own-made-as-shown-above"  # noqa: S105
# As many characters, and as many different ones, as Django's own check asks for.
SHORTEST_SECRET_KEY = 50
FEWEST_DIFFERENT_CHARACTERS = 5

MAKE_A_KEY = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(50))"'


@register(Tags.security)
def check_production(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Nothing on a machine of one's own; errors and warnings where CROSSMODAL_PRODUCTION=1."""
    if not env.production():
        return []
    return [*_check_debug(), *_check_secret_key(), *_check_hosts(), *_check_servers()]


def _check_debug() -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [Error("DEBUG is on.", hint="Remove DEBUG: it shows settings and code to visitors.", id="crossmodal.E001")]


def _check_secret_key() -> list[CheckMessage]:
    key = env.text("SECRET_KEY")
    if not key:
        return [Error("SECRET_KEY is not set.", hint=MAKE_A_KEY, id="crossmodal.E002")]
    if key == EXAMPLE_SECRET_KEY:
        return [Error("SECRET_KEY is the documented example.", hint=MAKE_A_KEY, id="crossmodal.E003")]
    if len(key) < SHORTEST_SECRET_KEY or len(set(key)) < FEWEST_DIFFERENT_CHARACTERS:
        return [Error("SECRET_KEY is too easy to guess.", hint=MAKE_A_KEY, id="crossmodal.E004")]
    return []


def _check_hosts() -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error("ALLOWED_HOSTS allows every name.", hint="Name the hosts people will use.", id="crossmodal.E005"),
    ]


def _check_servers() -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        messages.append(
            Warning(
                "The database is an SQLite file.",
                hint="Set DATABASE_URL to a PostgreSQL server: only that one can be shared by several machines.",
                id="crossmodal.W001",
            )
        )
    if settings.EMBEDDED_VALKEY:
        messages.append(
            Warning(
                "No queue server is named.",
                hint="Set REDIS_URL: the private one belongs to `manage.py up` on one machine.",
                id="crossmodal.W002",
            )
        )
    return messages
