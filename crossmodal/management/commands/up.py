"""Runs all of Crossmodal on one machine, under one supervisor."""

import os
import time
from argparse import ArgumentParser
from http import HTTPStatus
from typing import Any

import redis
from django.conf import settings
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from crossmodal import embedded, exposure, firststart, preflight, probe, scratch
from crossmodal.processes import FolderInUseError, FolderLock
from crossmodal.supervisor import Service, ServiceError, Supervisor, python_command
from pipeline.stages.errors import StageError

READY_TIMEOUT_S = 90.0
# Downloads wait for the network, so that more of them than processors run at once.
DOWNLOAD_WORKERS = 2
# One job per worker, and a worker per processor: numeric libraries must not start threads of their own besides.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}


class Command(BaseCommand):
    help = (
        "Run Crossmodal on this machine: queue server, workers and web server, until Ctrl-C. "
        "Example: manage.py up --port 8001"
    )
    requires_system_checks = [Tags.security]  # the web server runs all of them before it answers

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="address to listen on (127.0.0.1: this machine only); with 0.0.0.0 others reach it, "
            "without encryption: a proxy with HTTPS belongs in front",
        )
        parser.add_argument("--port", type=int, default=8000, help="port of the web pages (8000)")
        parser.add_argument(
            "--workers", type=int, default=os.cpu_count() or 1, help="jobs computed at once (one per processor)"
        )
        parser.add_argument("--demo", action="store_true", help="begin the demonstration as soon as everything runs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            preflight.check_python()
            preflight.check_folder(settings.VAR_DIR)
            with FolderLock(settings.VAR_DIR / "up.lock"):
                scratch.sweep()
                try:
                    self._run(**options)
                finally:
                    scratch.sweep()  # what was stopped in the middle
        except FolderInUseError:
            raise CommandError(
                f"Crossmodal already runs on {settings.VAR_DIR}: use that one, or stop it with Ctrl-C first."
            ) from None
        except (preflight.NotReadyError, embedded.EmbeddedError, ServiceError, StageError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {str(error).strip()}") from error
        except OSError as error:
            raise CommandError(f"{error.filename or 'A file'} cannot be used: {error.strerror}.") from error

    def _run(self, *, host: str, port: int, workers: int, demo: bool, **_: Any) -> None:
        preflight.check_space(settings.VAR_DIR)
        preflight.check_port(host, port, f"stop what uses it, or choose another, as in `make run PORT={port + 1}`")
        preflight.check_port("127.0.0.1", settings.DEMO_SITE_PORT, "set DEMO_SITE_PORT to another one")
        chief = Supervisor(settings.VAR_DIR / "logs", self.stdout.write, cwd=settings.BASE_DIR)
        chief.on_restart = self._on_restart
        with chief.stopping_at_the_end():
            self._start_queue(chief)
            self._prepare()
            self._start_web(chief, host, port)
            if self._wait_until_ready(chief, host, port):
                self._welcome(host, port)
                self._start_workers(chief, workers)
                self._resume_jobs()
                if demo:
                    self._begin_demonstration()
                chief.run()

    # ------------------------------------------------------------ starting

    def _start_queue(self, chief: Supervisor) -> None:
        if not settings.EMBEDDED_VALKEY:
            try:
                redis.Redis.from_url(settings.REDIS_URL).ping()
            except redis.RedisError as error:
                raise CommandError(f"The queue server named by REDIS_URL cannot be reached: {error}") from error
            return
        var_dir = settings.VAR_DIR
        embedded.prepare_folder(var_dir)
        queue = Service("queue", embedded.command(var_dir), before=lambda: embedded.clear(var_dir), last=True)
        chief.start(queue)
        assert queue.process is not None  # noqa: S101
        embedded.wait_until_ready(queue.process, var_dir)

    def _prepare(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if login := firststart.make_first_admin():
            name, password = login
            self.stdout.write(
                f"First start: sign in as {self.style.SUCCESS(name)} with the password {self.style.SUCCESS(password)}\n"
                "(shown only now; change it on the page, or later with `.venv/bin/python manage.py changepassword`)"
            )
        firststart.collect_static_files()
        connections.close_all()

    def _start_web(self, chief: Supervisor, host: str, port: int) -> None:
        bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        command = python_command("-m", "gunicorn", "--config", "python:crossmodal.server", "--bind", bind)
        chief.start(Service("web", [*command, "crossmodal.wsgi"], env=UNBUFFERED))

    def _start_workers(self, chief: Supervisor, workers: int) -> None:
        """Workers load for some seconds; by now the pages are there."""
        chief.start(Service("demo-site", python_command("manage.py", "demo_site"), env=UNBUFFERED))
        counts = {"download": DOWNLOAD_WORKERS, "compute": max(1, workers)}
        for queue, count in counts.items():
            for number in range(1, count + 1):
                command = python_command("manage.py", "rqworker", queue)
                chief.start(Service(f"{queue}-{number}", command, env={**UNBUFFERED, **ONE_THREAD}, needs="queue"))

    def _wait_until_ready(self, chief: Supervisor, host: str, port: int) -> bool:
        """Wait for /healthz; False when asked to stop meanwhile."""
        web = next(service for service in chief.services if service.name == "web")
        asked = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not chief.stop_requests:
            status, text = probe.ask_web(asked, port)
            if status == HTTPStatus.OK:
                return True
            chief.fail_if_dead(web)
            if time.monotonic() > deadline:
                raise ServiceError(f"The web server is not healthy: {status} {text} (log: {chief.log_of(web)})")
            time.sleep(0.1)
        return False

    # ------------------------------------------------------------ running

    def _resume_jobs(self, *, queue_restarted: bool = False) -> None:
        """Queue what was under way when Crossmodal last stopped: the private queue server keeps nothing."""
        from crossmodal.demo import turns
        from pipeline import recovery
        from pipeline.endings import End

        resumed = recovery.resume(lost=End.STOPPED if queue_restarted else End.UNKNOWN)
        turns.resume()
        connections.close_all()
        if resumed:
            self.stdout.write(f"Taken up again: {resumed} unfinished job{'' if resumed == 1 else 's'}.")

    def _on_restart(self, service: Service) -> None:
        if service.name == "queue" and service.process is not None:
            try:
                embedded.wait_until_ready(service.process, settings.VAR_DIR)
                self._resume_jobs(queue_restarted=True)
            except (embedded.EmbeddedError, StageError, DatabaseError) as error:
                self.stdout.write(f"{error} The workers will look for unfinished jobs within a minute.")

    def _welcome(self, host: str, port: int) -> None:
        shown = "localhost" if exposure.is_loopback(host) else host
        self.stdout.write(self.style.SUCCESS(f"Crossmodal is ready: http://{shown}:{port}"))
        if said := exposure.sentence(host, behind_proxy=bool(settings.SECURE_PROXY_SSL_HEADER)):
            self.stdout.write(self.style.WARNING(said))
            if all(exposure.is_loopback(name) for name in settings.ALLOWED_HOSTS):
                self.stdout.write("ALLOWED_HOSTS must name the host they type, as in ALLOWED_HOSTS=lab.org.")
        self.stdout.write(f"Ctrl-C stops it. Logs are in {settings.VAR_DIR / 'logs'}.")

    def _begin_demonstration(self) -> None:
        from crossmodal.demo import steps

        steps.start()
        connections.close_all()
        self.stdout.write("The demonstration has begun: its progress is on the home page.")
