"""What the pipeline's commands share: help as written, one JSON document on request, errors as sentences."""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from pipeline.choices import Policy, Split
from pipeline.intake import Intake
from pipeline.models import TrainingRun, Video
from pipeline.policies import policy_choices
from pipeline.stages.disk import telling_of_full_disks
from pipeline.stages.errors import StageError


class PipelineCommand(BaseCommand):
    """A command whose StageErrors become its failure (exit status 1)."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            with telling_of_full_disks():
                return super().execute(*args, **options)
        except StageError as error:
            raise CommandError(error.message) from error

    def print_json(self, document: Any) -> None:
        self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))

    def print_intake(self, intake: Intake, output: str, *, verb: str, before: dict[str, Any] | None = None) -> None:
        """What was taken and what was not; a failure where nothing was taken although something was asked.

        `before` are keys of the JSON document that come first.
        """
        if output == "json":
            self.print_json({**(before or {}), **describe_intake(intake)})
        else:
            self.stdout.write(f"{verb}: {count(len(intake.created), 'video')}.")
            for refusal in intake.refused:
                self.stdout.write(f"Not taken: {refusal.text}\n  {refusal.reason}")
        if intake.problem:
            self.stderr.write(intake.problem)
        if intake.refused and not intake.created:
            raise CommandError("Nothing was taken.")


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def describe(video: Video) -> dict[str, Any]:
    return {"id": video.pk, "url": video.url, "title": video.title, "split": video.split, "state": video.state}


def describe_intake(intake: Intake) -> dict[str, Any]:
    return {
        "created": [describe(video) for video in intake.created],
        "refused": [{"text": refusal.text, "reason": refusal.reason} for refusal in intake.refused],
        "problem": intake.problem,
    }


def find_run(pk: int) -> TrainingRun:
    run = TrainingRun.objects.filter(pk=pk).first()
    if run is None:
        raise CommandError(f"There is no training run {pk}; the page “Training” and `train` show their numbers.")
    return run


def bar(**options: Any) -> Any:
    """A progress bar on stderr, silent where nobody watches."""
    return tqdm(file=sys.stderr, disable=not sys.stderr.isatty(), **options)


def bar_callback(shown: Any) -> Callable[[int, int], None]:
    """A stage's progress on a bar."""

    def report(done: int, total: int) -> None:
        shown.total = total
        shown.update(done - shown.n)

    return report


def add_format(parser: CommandParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="How results are printed; json is one document."
    )


def add_split(parser: CommandParser, *, required: bool = True, default: str | None = None) -> None:
    parser.add_argument(
        "--split",
        choices=Split.values,
        required=required,
        default=default,
        help="train: models learn from it; test: they are judged on it."
        + (f" Default: {default or 'both'}." if not required else ""),
    )


def add_policy(parser: CommandParser, *, default: str, help_text: str) -> None:
    """Of segmentation: the built-in ones alone."""
    parser.add_argument("--policy", choices=Policy.values, default=default, help=f"{help_text} Default: {default}.")


def add_label_policy(parser: CommandParser, *, default: str, help_text: str) -> None:
    """Of text labels: those of the settings too."""
    names = [name for name, _ in policy_choices()]
    parser.add_argument("--policy", choices=names, default=default, help=f"{help_text} Default: {default}.")
