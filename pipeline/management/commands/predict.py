"""Let a trained model predict."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from pipeline.choices import Split
from pipeline.intake import predict_all
from pipeline.labels import LABELS
from pipeline.management.base import PipelineCommand, add_format, add_split, bar, count, find_run
from pipeline.models import Prediction, Segment, TrainingRun, Video
from pipeline.waiting import Work, wait


class Command(PipelineCommand):
    help = (
        "Queues predictions of a run's model for all ready videos. Segments that it learned from keep their "
        "out-of-fold predictions. With --min-confidence it also tells which segments it predicts and where it is too "
        "unsure.\n\n"
        "Example:\n  manage.py predict 3 --split test --wait --min-confidence 0.6 --format json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", metavar="RUN", type=int, help="Number of a training run that is done.")
        add_split(parser, required=False)
        parser.add_argument("--wait", action="store_true", help="Watch until all predictions are made.")
        parser.add_argument(
            "--min-confidence",
            type=float,
            metavar="P",
            help="Abstain where the highest of a segment's three probabilities is below P (0 to 1), say how often, and "
            "list the segments with --format json. What is stored does not change.",
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        least = options["min_confidence"]
        if least is not None and not 0 <= least <= 1:
            raise CommandError("--min-confidence must be a number from 0 to 1.")
        run = find_run(options["run"])
        splits = [options["split"]] if options["split"] else list(Split.values)
        queued = sum(predict_all(run, split) for split in splits)
        missing: list[int] = []
        if options["wait"]:
            videos = Video.objects.ready().filter(split__in=splits).values_list("pk", flat=True)
            with bar(unit="video") as shown:
                wait(Work([], [], [(run.pk, pk) for pk in videos]), shown)
            missing = _without_prediction(run, splits)
        predictions = run.predictions.filter(segment__video__split__in=splits)
        segments = None if least is None else confident(predictions, least)
        self._print(run, queued, predictions.count(), missing, segments, options)
        if missing:
            raise CommandError(
                f"Without predictions: {count(len(missing), 'video')} ({missing}); see the server's log."
            )

    def _print(
        self,
        run: TrainingRun,
        queued: int,
        predictions: int,
        missing: list[int],
        segments: list[dict[str, Any]] | None,
        options: dict[str, Any],
    ) -> None:
        abstained = None if segments is None else sum(segment["abstained"] for segment in segments)
        if options["format"] == "json":
            document = {"run": run.pk, "videos": queued, "predictions": predictions, "missing_videos": missing}
            if segments is not None:
                document |= {"min_confidence": options["min_confidence"], "abstained": abstained, "segments": segments}
            self.print_json(document)
            return
        line = f"Run {run.pk}: {count(queued, 'video')} queued, {count(predictions, 'prediction')}"
        if abstained is not None:
            line += f", {abstained} of them abstained (highest probability below {options['min_confidence']:g})"
        self.stdout.write(f"{line}.")


def confident(predictions: "QuerySet[Prediction]", least: float) -> list[dict[str, Any]]:
    """Predictions in the order of videos and positions; without a label where no probability reaches `least`."""
    rows = []
    for prediction in predictions.select_related("segment").order_by("segment__video_id", "segment__position"):
        segment = prediction.segment
        probabilities = {label: getattr(prediction, f"p_{label}") for label in LABELS}
        abstained = max(probabilities.values()) < least
        rows.append(
            {
                "video": segment.video_id,
                "position": segment.position,
                "start_ms": segment.start_ms,
                "end_ms": segment.end_ms,
                "label": None if abstained else prediction.label,
                "abstained": abstained,
                "probabilities": probabilities,
                "out_of_fold": prediction.fold is not None,
            }
        )
    return rows


def _without_prediction(run: TrainingRun, splits: list[str]) -> list[int]:
    segments = Segment.objects.kept().filter(video__split__in=splits, video__in=Video.objects.ready())
    without = segments.exclude(pk__in=run.predictions.values("segment_id"))
    return sorted(set(without.values_list("video_id", flat=True)))
