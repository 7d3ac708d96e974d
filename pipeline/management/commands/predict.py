"""Let a trained model predict."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from pipeline.choices import Split
from pipeline.intake import predict_all
from pipeline.management.base import PipelineCommand, add_format, add_split, bar, count, find_run
from pipeline.models import Segment, TrainingRun, Video
from pipeline.waiting import Work, wait


class Command(PipelineCommand):
    help = (
        "Queues predictions of a run's model for all ready videos. Segments that it learned from keep their "
        "out-of-fold predictions.\n\n"
        "Example:\n  manage.py predict 3 --split test --wait"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", metavar="RUN", type=int, help="Number of a training run that is done.")
        add_split(parser, required=False)
        parser.add_argument("--wait", action="store_true", help="Watch until all predictions are made.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run = find_run(options["run"])
        splits = [options["split"]] if options["split"] else list(Split.values)
        queued = sum(predict_all(run, split) for split in splits)
        missing: list[int] = []
        if options["wait"]:
            videos = Video.objects.ready().filter(split__in=splits).values_list("pk", flat=True)
            with bar(unit="video") as shown:
                wait(Work([], [], [(run.pk, pk) for pk in videos]), shown)
            missing = _without_prediction(run, splits)
        predictions = run.predictions.filter(segment__video__split__in=splits).count()
        if options["format"] == "json":
            self.print_json({"run": run.pk, "videos": queued, "predictions": predictions, "missing_videos": missing})
        else:
            self.stdout.write(f"Run {run.pk}: {count(queued, 'video')} queued, {count(predictions, 'prediction')}.")
        if missing:
            raise CommandError(
                f"Without predictions: {count(len(missing), 'video')} ({missing}); see the server's log."
            )


def _without_prediction(run: TrainingRun, splits: list[str]) -> list[int]:
    segments = Segment.objects.kept().filter(video__split__in=splits, video__in=Video.objects.ready())
    without = segments.exclude(pk__in=run.predictions.values("segment_id"))
    return sorted(set(without.values_list("video_id", flat=True)))
