"""Queue whatever waits and show how it goes."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Count

from pipeline.choices import VideoState
from pipeline.management.base import PipelineCommand, add_format, bar, count
from pipeline.models import TrainingRun, Video
from pipeline.recovery import resume
from pipeline.site_waits import resting_sites
from pipeline.waiting import Work, wait


class Command(PipelineCommand):
    help = (
        "Queues everything that waits, takes up again what a dead worker left behind, and tells how the videos and "
        "training runs stand. The workers of “make run” do the work.\n\n"
        "Example:\n  manage.py process --wait"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait",
            action="store_true",
            help="Watch until everything is settled; the exit status is 1 if something fails meanwhile.",
        )
        parser.add_argument(
            "--fetch-stored", action="store_true", help="Also fetch videos that were imported with --no-fetch."
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["fetch_stored"]:
            for video in Video.objects.filter(state=VideoState.STORED):
                video.enter(VideoState.QUEUED, only_from=[VideoState.STORED])
        work = Work.unfinished()
        queued = resume()
        if options["wait"]:
            with bar(unit="step") as shown:
                wait(work, shown)
        failures = work.failures() if options["wait"] else []
        self._print(queued, failures, options["format"])
        if failures:
            raise CommandError(f"{count(len(failures), 'failure')}: the work above did not get through.")

    def _print(self, queued: int, failures: list[str], output: str) -> None:
        videos = dict(Video.objects.order_by("state").values_list("state").annotate(Count("pk")))
        runs = dict(TrainingRun.objects.order_by("state").values_list("state").annotate(Count("pk")))
        if output == "json":
            resting = [
                {
                    "site": site.name,
                    "rests_until": site.rests_until.isoformat(),
                    "reason": site.reason,
                    "waiting": site.waiting,
                }
                for site in resting_sites()
            ]
            self.print_json(
                {"queued": queued, "videos": videos, "runs": runs, "resting": resting, "failures": failures}
            )
            return
        self.stdout.write(f"Newly queued: {count(queued, 'job')}.")
        for noun, states in (("Videos", videos), ("Training runs", runs)):
            if states:
                self.stdout.write(f"{noun}: {', '.join(f'{number} {state}' for state, number in states.items())}.")
        for site in resting_sites():
            self.stdout.write(site.summary)
        for failure in failures:
            self.stdout.write(failure)
