"""Typed readers of environment variables, and the places derived from them.

Kept apart from ``settings.py`` so that the supervisor can ask where things are before Django is set up.
"""

import hashlib
import json
import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

SITE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
# Linux allows 108 bytes for a Unix socket's path, macOS 104.
MAX_SOCKET_PATH_BYTES = 100


def text(name: str, default: str = "") -> str:
    """Value of an environment variable; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if not value else value in {"1", "true", "yes", "on"}
    raise ValueError(f"{name} is {value!r}; write 1 or 0.")


def number(name: str, default: int) -> int:
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise ValueError(f"{name} is {value!r}; write a whole number.") from None


def proxies(name: str) -> int:
    """How many trusted proxies stand in a row in front; a flag says one or none."""
    value = text(name).lower()
    if re.fullmatch(r"[0-9]", value):
        return int(value)
    try:
        return int(flag(name))
    except ValueError:
        raise ValueError(f"{name} is {value!r}; write how many proxies stand in front, from 0 to 9.") from None


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list without blanks."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def site_name() -> str:
    """The one name under which others reach the pages over HTTPS, where the proxy of this project ends it."""
    name = text("SITE_NAME").lower()
    if name and not SITE.fullmatch(name):
        raise ValueError(f"SITE_NAME is {name!r}; write a name alone, as in crossmodal.example.org.")
    return name


def seconds(name: str, default: float) -> float:
    """A number of seconds, not negative, with or without a fraction."""
    value = text(name)
    return _seconds(value, f"{name} is {value!r}") if value else default


def pauses(name: str, default: float) -> dict[str, float]:
    """Seconds per site, as in ``5,youtube.com=10``: the number without a site is for all others, kept under ``""``."""
    found = {"": default}
    for word in words(name):
        site, separator, value = word.rpartition("=")
        site = site.strip().lower().rstrip(".").removeprefix("www.")
        if separator and not SITE.fullmatch(site):
            raise ValueError(f"{name} holds {word!r}; write a site's name and seconds, as in youtube.com=10.")
        found[site] = _seconds(value.strip(), f"{name} holds {word!r}")
    return found


def _seconds(value: str, told: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", value):
        raise ValueError(f"{told}; write a number of seconds, as in 5 or 0.5.")
    return float(value)


def mapping(name: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        value = json.loads(text(name, "{}"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {value!r}; write a JSON object.")  # noqa: TRY004 - as for all variables here
    return value


def socket_path(var_dir: Path) -> Path:
    """Where the private Valkey listens: under ``var/``, or in the temporary folder where that path is too long."""
    path = var_dir / "valkey.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"crossmodal-{os.getuid()}-{name}" / "valkey.sock"


def production() -> bool:
    """Whether this is a deployed service, as the container image says of itself: nothing is made up there."""
    return flag("CROSSMODAL_PRODUCTION")


def secret_key(var_dir: Path) -> str:
    """``SECRET_KEY`` from the environment, else one made on first use and readable by its owner only."""
    if key := text("SECRET_KEY"):
        return key
    if production():
        return secrets.token_urlsafe(50)  # for this process alone; crossmodal.checks lets none go on with it
    path = var_dir / "secret_key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}): it belongs to whoever runs Crossmodal there. Work as that "
            "user, or set VAR_DIR to a folder of your own."
        ) from error
    try:
        return _made_key(path)
    except OSError as error:
        raise ValueError(
            f"The folder {var_dir} cannot be written ({error.strerror}): make room or change its permissions, or set "
            "VAR_DIR."
        ) from error


def _made_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(temporary, path)  # two processes at once: the first one's key stays
    finally:
        temporary.unlink()
    return path.read_text().strip()
