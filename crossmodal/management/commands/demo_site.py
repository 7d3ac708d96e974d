"""Serve the demonstration interviews on loopback."""

import errno
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crossmodal.demo.site import HOST, make_server


class Command(BaseCommand):
    help = (
        "Serve the demonstration interviews to this machine only, where the demonstration fetches them. "
        "Example: python manage.py demo_site"
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        port = settings.DEMO_SITE_PORT
        try:
            server = make_server(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CommandError(f"Cannot listen on {HOST}:{port}: {error.strerror}.") from error
            raise CommandError(
                f"Port {port} is taken by another program: stop that, or choose another port with DEMO_SITE_PORT."
            ) from error
        # Both said outright: a shell starts programs in the background with SIGINT ignored.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.stdout.write(f"Demonstration interviews at http://{HOST}:{server.server_port}/")
        with server:
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                self.stdout.write("Stopped.")
