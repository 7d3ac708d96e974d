"""Whether a site can be reached from here, directly or through the proxy, within a few seconds."""

import base64
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass

from pipeline.stages.download_options import own_certificates, without_password
from pipeline.stages.downloader_state import Problem

TIMEOUT_S: Final = 5.0
HTTPS_PORT: Final = 443
CHECK_PROXY: Final = "Check the proxy's address in DOWNLOAD_PROXY (or HTTPS_PROXY) and that it runs."
CHECK_NETWORK: Final = (
    "Check this machine's network connection and firewall; if the web is reached through a proxy, set DOWNLOAD_PROXY."
)


@dataclass(frozen=True)
class Reach:
    """How far a connection came.

    Attributes
    ----------
    problem : Problem or None
        None where the site was reached.
    proxy_reached : bool or None
        None where no proxy is used.
    """

    host: str
    problem: Problem | None
    proxy_reached: bool | None


def probe(host: str, proxy: str, *, port: int = HTTPS_PORT, timeout_s: float = TIMEOUT_S) -> Reach:
    """Open a TLS connection to a site and close it again; nothing is asked for.

    Parameters
    ----------
    host : str
    proxy : str
        "http://host:port", or "" for a direct connection.
    """
    if proxy:
        return _probe_proxy(host, port, proxy, timeout_s)
    failure = _resolve(host, port, timeout_s) or _connect(_connection(host, port, timeout_s))
    if failure is None:
        return Reach(host, None, None)
    text, remedy = _direct_failure(host, port, failure)
    return Reach(host, Problem(text, remedy), None)


def proxy_for(host: str, proxies: dict[str, str]) -> str:
    """Return which of the environment's proxies is used for HTTPS to a host; "" for none."""
    proxy = proxies.get("https") or proxies.get("http") or proxies.get("all") or ""
    return "" if not proxy or proxy_bypass(host) else proxy


def _probe_proxy(host: str, port: int, proxy: str, timeout_s: float) -> Reach:
    parts = urlsplit(proxy)
    near, near_port = str(parts.hostname), parts.port or 80
    shown = without_password(proxy)
    if unreached := _resolve(near, near_port, timeout_s) or _knock(near, near_port, timeout_s):
        text = f"The proxy {shown} cannot be reached ({_words(unreached)})."
        return Reach(host, Problem(text, CHECK_PROXY), proxy_reached=False)
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    connection = _connection(near, near_port, timeout_s)
    connection.set_tunnel(host, port, headers)
    failure = _connect(connection)
    if failure is None:
        return Reach(host, None, proxy_reached=True)
    if isinstance(failure, ssl.SSLError):
        text, remedy = _direct_failure(host, port, failure)
    else:
        text, remedy = f"The proxy {shown} does not lead to {host} ({_words(failure)}).", CHECK_PROXY
    return Reach(host, Problem(text, remedy), proxy_reached=True)


def _connection(host: str, port: int, timeout_s: float) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=_context())


def _context() -> ssl.SSLContext:
    """The certificates that yt-dlp trusts: certifi's, or the environment's where it names some."""
    if own_certificates():
        return ssl.create_default_context()
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _resolve(host: str, port: int, timeout_s: float) -> OSError | None:
    """Without a name server the system's own resolver may wait for half a minute, so it is not waited for."""
    found: list[OSError | None] = []

    def ask() -> None:
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            found.append(error)
        except UnicodeError:
            found.append(socket.gaierror("not a host name"))
        else:
            found.append(None)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return found[0] if found else socket.gaierror(f"no answer within {timeout_s:.0f} s")


def _knock(host: str, port: int, timeout_s: float) -> OSError | None:
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError as error:
        return error
    return None


def _connect(connection: http.client.HTTPSConnection) -> Exception | None:
    try:
        connection.connect()
    except (OSError, http.client.HTTPException) as error:
        return error
    finally:
        connection.close()
    return None


def _direct_failure(host: str, port: int, failure: Exception) -> tuple[str, str]:
    if isinstance(failure, socket.gaierror):
        return f"No network: the name {host} was looked up, and not found ({_words(failure)}).", CHECK_NETWORK
    if isinstance(failure, ssl.SSLCertVerificationError):
        return (
            f"The certificate shown for {host} is not trusted ({failure.verify_message}).",
            "If a proxy of your network opens encrypted connections, set SSL_CERT_FILE to a file with its certificate.",
        )
    return f"No network: a connection to {host}, port {port}, was tried, and failed ({_words(failure)}).", CHECK_NETWORK


def _words(failure: Exception) -> str:
    return str(getattr(failure, "strerror", None) or failure) or "no answer"
