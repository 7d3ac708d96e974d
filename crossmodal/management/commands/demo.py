"""Start the demonstration, and watch it to its end."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from crossmodal.demo import steps
from crossmodal.demo.progress import progress
from pipeline.queues import QueueUnavailable, has_workers

LOOK_EVERY_S = 1.0


class Command(BaseCommand):
    help = (
        "Fill an installation with the demonstration corpus: interviews spoken by espeak-ng, a model trained on them, "
        "and simulated votes. Workers and the demonstration's site must be running (make run starts both). "
        "Example: python manage.py demo --wait"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", action="store_true", help="stay until it is done; exit status 1 if it fails")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            state = steps.start()
            if not options["wait"]:
                done = "is ready" if state.finished else "is under way; the home page shows how far it is"
                self.stdout.write(f"The demonstration {done}.")
                return
            if not state.finished and not has_workers():
                raise CommandError("No worker is running, so nothing would happen: start Crossmodal with “make run”.")
        except QueueUnavailable as error:
            raise CommandError(error.message) from error
        self._watch()
        self.stdout.write("The demonstration is ready: see the page Evaluation.")

    def _watch(self) -> None:
        state = progress()
        with tqdm(total=100, unit="%", file=sys.stderr, disable=not sys.stderr.isatty(), bar_format=BAR) as bar:
            while not state.finished:
                if message := state.error or steps.hurry(state):
                    raise CommandError(message)
                if state.current:
                    bar.set_description(state.current.name)
                bar.update(max(0, state.percent - bar.n))
                time.sleep(LOOK_EVERY_S)
                state = progress()
            bar.update(100 - bar.n)


BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}"
