"""User names: what makes two of them alike, and those of listeners that are no accounts.

Votes, places and agreement know people by their user row, so the listeners of vote tables and of the demonstration
have one too. It never signs in, and no account can have or take its name.
"""

import unicodedata
from typing import Any

# Django lets no account have a colon in its name: neither the pages, nor the admin site, nor createsuperuser.
IMPORTED_PREFIX = "imported:"
SIMULATED = ("listener-1-simulated", "listener-2-simulated", "listener-3-simulated")


def name_key(name: str) -> str:
    """What two names that people take for the same one share, as “RaCer2” and “racer2”."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_reserved(name: str) -> bool:
    """Whether a name belongs to a listener that is no account, letters' case aside."""
    key = name_key(name)
    return key.startswith(IMPORTED_PREFIX) or key in SIMULATED


def is_no_account(user: Any) -> bool:
    """Whether this user row is a listener who never signs in; told by its name, without a query."""
    name = user.get_username()
    return name.startswith(IMPORTED_PREFIX) or name in SIMULATED
