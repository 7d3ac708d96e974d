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
from pipeline.stages.english import hint_on_language
from pipeline.stages.errors import StageError
from pipeline.stages.normal_text import lines_of
from pipeline.stages.sentiment import TextScore, score_texts
from pipeline.stages.text_files import read_stream, read_text

STANDARD_INPUT = "-"
# Some three million utterances; a device or a pipe may have no end.
MAX_FILE_BYTES = 250_000_000


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
        parser.add_argument("file", metavar="FILE", help="A file with one text per line; - reads standard input.")
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
        lines = self._read_lines(options["file"])
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
        hint = hint_on_language(texts)
        if hint:
            self.stderr.write(hint)
        if options["format"] == "json":
            rows = [{**asdict(score), **({"hint": hint} if hint else {})} for score in scores]
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))
        else:
            self._print_table(scores)

    def _print_table(self, scores: Sequence[TextScore]) -> None:
        self.stdout.write(f"{'VADER':>7} {'TextBlob':>8} {'pattern':>7} {'mean':>7}  {'label':<18}text")
        for score in scores:
            polarities = f"{score.vader:7.3f} {score.textblob:8.3f} {score.pattern:7.3f} {score.mean:7.3f}"
            verdict = score.label or f"none: {score.reason}"
            self.stdout.write(f"{polarities}  {verdict:<18}{score.text}")

    def _read_lines(self, name: str) -> list[str]:
        """Read the lines of a file or of standard input, in whichever encoding and with whichever line ends."""
        try:
            if name == STANDARD_INPUT:
                found = read_stream(sys.stdin.buffer, max_bytes=MAX_FILE_BYTES, what="texts to label")
            else:
                found = read_text(Path(name), max_bytes=MAX_FILE_BYTES, what="texts to label")
        except StageError as error:
            raise CommandError(error.message) from error
        if found.guessed and not found.plausible:
            raise CommandError(f"Line {found.line} of {name} is not in UTF-8; save the file in UTF-8.")
        for problem in found.problems:
            self.stderr.write(f"{name}: {problem}")
        return lines_of(found.text)
