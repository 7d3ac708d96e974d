"""Predictions against ground truth, on the terminal."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from annotation.models import Campaign
from evaluation import exports
from evaluation.metrics import DEFAULT_RESAMPLES, EvaluationError
from evaluation.reports import MODEL_PEOPLE, MODEL_TEXT, TEXT_PEOPLE, Comparison, Question, finished_runs
from pipeline.choices import Policy, Split
from pipeline.models import TrainingRun
from pipeline.policies import label_policies

# argparse's own status for a wrong combination of options.
USAGE = 2
EXAMPLES = """examples:
  manage.py evaluate --predictions text --against people --split train --format json
  manage.py evaluate --predictions 3 --against text --split train
"""


class HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the line breaks of the examples."""


class Command(BaseCommand):
    help = "Compare text labels or a run's predictions with people's votes or with text labels."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=EXAMPLES, **{**kwargs, "formatter_class": HelpFormatter}
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--predictions", required=True, metavar="text|RUN", help="text labels, or the number of a training run"
        )
        parser.add_argument(
            "--against",
            required=True,
            choices=["people", "text"],
            help="people: the listeners' majority; text: the text labels, met by out-of-fold predictions only",
        )
        parser.add_argument("--split", required=True, choices=Split.values, help="which split's segments")
        parser.add_argument("--campaign", metavar="NAME", help="only the segments of this campaign (default: all)")
        parser.add_argument(
            "--policy",
            choices=list(label_policies()),
            default=str(Policy.RECOMMENDED),
            help="whose text labels (default: recommended); a run brings its own policy",
        )
        parser.add_argument(
            "--min-confidence",
            type=float,
            metavar="SHARE",
            help="leave out, and count, what a run's model is less sure of than this (0 to 1; default: nothing)",
        )
        parser.add_argument(
            "--resamples",
            type=int,
            default=DEFAULT_RESAMPLES,
            help="bootstrap resamples of whole videos for the intervals; 0 for none (default: 1000)",
        )
        parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap (default: 0)")
        parser.add_argument(
            "--format", choices=["text", "json"], default="text", help="json: one document (docs/api.md)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind = _kind(options["predictions"], options["against"])
        if options["resamples"] < 0 or options["seed"] < 0:
            raise CommandError("--resamples and --seed take whole numbers from 0 on.", returncode=USAGE)
        least = options["min_confidence"]
        if least is not None and not 0 <= least <= 1:
            raise CommandError("--min-confidence takes a number from 0 to 1.", returncode=USAGE)
        if kind == TEXT_PEOPLE and least is not None:
            raise CommandError("--min-confidence asks a model; text labels have no probabilities.", returncode=USAGE)
        if kind == MODEL_TEXT and options["campaign"]:
            raise CommandError("--campaign says whose votes count; text labels have none.", returncode=USAGE)
        question = Question(
            split=options["split"],
            policy=options["policy"],
            campaign=_campaign(options["campaign"], options["split"]),
            run=None if kind == TEXT_PEOPLE else _run(options["predictions"]),
            min_confidence=least,
        )
        if question.split_of(kind) != question.split:
            raise CommandError(
                f"Run {options['predictions']} was trained on the {question.split_of(kind)} split, so its out-of-fold "
                f"predictions are there: use --split {question.split_of(kind)}."
            )
        comparison = question.compare(kind)
        try:
            report = comparison.report(resamples=options["resamples"], seed=options["seed"])
        except EvaluationError as error:
            raise CommandError(f"{error} {_left_out(comparison)}") from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(exports.document(question, comparison, report), indent=2))
        else:
            self.stdout.write(exports.as_text(report, comparison))


def _kind(predictions: str, against: str) -> str:
    if predictions == "text":
        if against == "text":
            raise CommandError(
                "Text labels cannot be compared with themselves: use --against people.", returncode=USAGE
            )
        return TEXT_PEOPLE
    if not predictions.isdecimal():
        raise CommandError(
            f"--predictions takes “text” or the number of a training run, not “{predictions}”.", returncode=USAGE
        )
    return MODEL_PEOPLE if against == "people" else MODEL_TEXT


def _run(number: str) -> TrainingRun:
    run = finished_runs().filter(pk=number).first()
    if run is None:
        there = ", ".join(str(pk) for pk in finished_runs().values_list("pk", flat=True)[:10])
        raise CommandError(f"There is no finished training run {number}; finished: {there or 'none yet'}.")
    return run


def _campaign(name: str | None, split: str) -> Campaign | None:
    if not name:
        return None
    campaign = Campaign.objects.filter(name=name).first()
    if campaign is None:
        there = ", ".join(Campaign.objects.filter(split=split).values_list("name", flat=True)[:10])
        raise CommandError(f"There is no campaign “{name}”; in the {split} split there are: {there or 'none yet'}.")
    if campaign.split != split:
        raise CommandError(
            f"Campaign “{name}” holds segments of the {campaign.split} split: use --split {campaign.split}."
        )
    return campaign


def _left_out(comparison: Comparison) -> str:
    """What there is instead of segments to compare."""
    parts = [f"{name.replace('_', ' ')}: {count}" for name, count in comparison.counts_as_dict().items() if count]
    return f"Left out: {', '.join(parts)}." if parts else "Nothing is stored for it yet."
