"""Score texts with the three sentiment classifiers, without touching the database."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipeline.management.help_format import HelpFormatter
from pipeline.management.progress_bar import progress_bar
from pipeline.policies import label_policies
from pipeline.stages.errors import StageError
from pipeline.stages.sentiment import TextScore, score_texts

STANDARD_INPUT = "-"


class Command(BaseCommand):
    help = (
        "Gives each line of a text file its three polarities (VADER, TextBlob, pattern.en), their mean, and the weak "
        "label or why there is none.\n\n"
        "Example:\n  echo 'I love this show' | manage.py label_text - --policy recommended --format json"
    )
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=HelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        try:
            policies = sorted(label_policies())
        except ImproperlyConfigured as error:
            parser.error(str(error))
        parser.add_argument("file", metavar="FILE", help="A UTF-8 file with one text per line; - reads standard input.")
        parser.add_argument(
            "--policy",
            choices=policies,
            default="recommended",
            help="The rules: recommended (the default) scores texts as spoken, seed-2019 without stop-words.",
        )
        parser.add_argument(
            "--format",
            choices=("text", "json"),
            default="text",
            help="text (the default): a table; json: a list with text, vader, textblob, pattern, mean, label, reason.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lines = _read_lines(options["file"])
        texts = [line for line in lines if line.strip()]
        if not texts:
            raise CommandError(f"There is no text in {options['file']}; give one text per line.")
        if len(texts) < len(lines):
            self.stderr.write(f"Empty lines left out: {len(lines) - len(texts)}")
        try:
            with progress_bar("text") as progress:
                scores = score_texts(texts, label_policies()[options["policy"]], progress=progress)
        except StageError as error:
            raise CommandError(error.message) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps([asdict(score) for score in scores], ensure_ascii=False, indent=1))
        else:
            self._print_table(scores)

    def _print_table(self, scores: Sequence[TextScore]) -> None:
        self.stdout.write(f"{'VADER':>7} {'TextBlob':>8} {'pattern':>7} {'mean':>7}  {'label':<18}text")
        for score in scores:
            polarities = f"{score.vader:7.3f} {score.textblob:8.3f} {score.pattern:7.3f} {score.mean:7.3f}"
            verdict = score.label or f"none: {score.reason}"
            self.stdout.write(f"{polarities}  {verdict:<18}{score.text}")


def _read_lines(name: str) -> list[str]:
    """Read the lines of a file or of standard input."""
    try:
        data = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CommandError(f"Line {line} of {name} is not in UTF-8; save the file in UTF-8.") from error
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines
