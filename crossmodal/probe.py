"""Whether this part of Crossmodal is healthy: ``python -m crossmodal.probe web|worker|proxy`` exits with 0 or 1."""

import argparse
import http.client
import os
import socket
import sys

from crossmodal import env

TIMEOUT_S = 5.0
PROXY_HEALTH_PORT = 8001


def host_header() -> str:
    """A name the web server accepts, whatever ALLOWED_HOSTS was set to."""
    first = next(iter(env.words("ALLOWED_HOSTS")), "localhost")
    return "localhost" if first == "*" else first.lstrip(".")


def ask_web(host: str, port: int, path: str = "/healthz", timeout_s: float = TIMEOUT_S) -> tuple[int, str]:
    """Status and text of a health page; status 0 when nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Host": host_header()})
        answer = connection.getresponse()
        return answer.status, answer.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def ask_workers(url: str, hostname: str) -> tuple[bool, str]:
    """Whether a worker of this machine is registered at the queue server (its entry expires when it goes silent)."""
    import redis

    try:
        with redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, decode_responses=True) as client:
            keys = [str(key) for key in client.smembers("rq:workers")]
            hosts = [client.hget(key, "hostname") for key in keys]
    except (redis.RedisError, OSError) as error:
        return False, str(error)
    return hostname in hosts, f"{hosts.count(hostname)} workers of {hostname}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="Example: python -m crossmodal.probe web")
    parser.add_argument("part", choices=("web", "worker", "proxy"), help="which part to ask")
    part = parser.parse_args(arguments).part
    if part == "worker":
        healthy, text = ask_workers(os.environ["REDIS_URL"], socket.gethostname())
    else:
        port = int(env.text("BIND", "127.0.0.1:8000").rpartition(":")[2])
        # The proxy runs also while the web server is away: it is then what tells people so.
        asked = (port, "/healthz") if part == "web" else (env.number("PROXY_HEALTH_PORT", PROXY_HEALTH_PORT), "/alive")
        status, text = ask_web("127.0.0.1", *asked)
        healthy = status == 200
        text = f"{status} {text}"
    sys.stdout.write(text.strip() + "\n")
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
