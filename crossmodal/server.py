"""Configuration of gunicorn: ``gunicorn --config python:crossmodal.server crossmodal.wsgi``."""

import os
from typing import Any

from crossmodal import env, exposure
from crossmodal.incoming import MAX_FIELD_BYTES, MAX_FIELDS, MAX_LINE_BYTES
from crossmodal.processes import die_with_parent

bind = env.text("BIND", "127.0.0.1:8000")
worker_class = "crossmodal.web_worker.WebWorker"
# Pages wait for the database, and playing audio for the listener's network, far more than for the processor.
workers = env.number("WEB_WORKERS", min(2, os.cpu_count() or 1))
threads = env.number("WEB_THREADS", 8)
preload_app = True
timeout = 60
graceful_timeout = 10
keepalive = 5
# Per worker. When there are more, those that wait longest make way, see crossmodal.web_worker.
worker_connections = 400
limit_request_line = MAX_LINE_BYTES
limit_request_fields = MAX_FIELDS
limit_request_field_size = MAX_FIELD_BYTES
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True
# Of what proxies say, Django alone reads X-Forwarded-Proto and -For, and with BEHIND_PROXY only. Gunicorn would take
# the scheme and SCRIPT_NAME, with which any client moves the path, from whoever its list of addresses names.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
loglevel = env.text("LOG_LEVEL", "info").lower()
if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK):  # noqa: PTH112, S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108  (workers touch a file there to show that they live; never a slow disk)


def on_starting(server: Any) -> None:
    """Refuse to serve with settings that the checks call errors."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crossmodal.settings")
    import django
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError
    from django.db import connections

    django.setup()
    try:
        call_command("check")
    except SystemCheckError as error:
        raise SystemExit(f"Crossmodal does not start:\n{error}") from None
    finally:
        connections.close_all()  # a check may have opened one, which forked workers must not share


def when_ready(server: Any) -> None:
    """Say it once where others can reach the pages."""
    for address in server.cfg.address:
        if isinstance(address, tuple) and (
            said := exposure.sentence(address[0], behind_proxy=env.proxies("BEHIND_PROXY") > 0)
        ):
            server.log.warning(said)


def post_fork(server: Any, worker: Any) -> None:
    """A worker frees the port the moment its master is killed, and has temporary files of its own."""
    from crossmodal import scratch

    die_with_parent()
    scratch.enter_web()
