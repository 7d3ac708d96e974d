"""Show what the sentiment classifiers add to each other and what the thresholds buy, without touching the database."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipeline.cell_names import is_missing_mark
from pipeline.csv_table import read_table
from pipeline.csv_text import EncodingError, TableError
from pipeline.csv_text import read_text as read_table_text
from pipeline.labels import LABELS
from pipeline.management.help_format import HelpFormatter
from pipeline.management.progress_bar import progress_bar
from pipeline.policies import label_policies
from pipeline.stages.english import hint_on_language
from pipeline.stages.errors import StageError
from pipeline.stages.label_arrays import ScoredTexts
from pipeline.stages.label_report import CurvePoint, LabelReport, label_report, reasons
from pipeline.stages.normal_text import readable
from pipeline.stages.sentiment import LabelPolicy, TextScore, score_texts


class Command(BaseCommand):
    help = (
        "Scores the texts of a CSV file and reports how far VADER, TextBlob and pattern.en agree with each other and, "
        "where people's labels are given, how many texts get a label and how precise the labels are for every "
        "threshold.\n\nExample:\n"
        "  manage.py label_report lines.csv --text-column Utterance --truth-column Sentiment --policy seed-2019"
    )
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=HelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        try:
            policies = sorted(label_policies())
        except ImproperlyConfigured as error:
            parser.error(str(error))
        parser.add_argument("file", type=Path, metavar="FILE", help="A UTF-8 CSV file with a heading line.")
        parser.add_argument("--text-column", default="text", help="Where the texts are (text by default).")
        parser.add_argument("--truth-column", help="Where people's labels are: positive, neutral or negative.")
        parser.add_argument(
            "--policy",
            choices=policies,
            default="recommended",
            help="The rules whose thresholds vary (recommended by default).",
        )
        parser.add_argument(
            "--format",
            choices=("text", "json"),
            default="text",
            help="text (the default): tables; json: one object with agreement, counts, labels and curve.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        texts, truth = _read(options["file"], options["text_column"], options["truth_column"])
        for mark, n in Counter(filter(is_missing_mark, texts)).items():
            self.stderr.write(
                f"Texts that are “{mark}” alone: {n}; if that marks a missing value, leave such rows out."
            )
        policy = label_policies()[options["policy"]]
        try:
            with progress_bar("text") as progress:
                scores = score_texts(texts, policy, progress=progress)
        except StageError as error:
            raise CommandError(error.message) from error
        if hint := hint_on_language(texts):
            self.stderr.write(hint)
        scored = ScoredTexts.of(scores)
        report = label_report(scored, truth or [""] * len(texts), policy)
        if options["format"] == "json":
            self._print_json(scores, report, policy, judged=bool(truth))
        else:
            self._print_tables(scores, report, judged=bool(truth))

    def _print_json(
        self, scores: Sequence[TextScore], report: LabelReport, policy: LabelPolicy, *, judged: bool
    ) -> None:
        figures = report.as_dict()
        document = {
            "policy": {"name": policy.name, **policy.parameters},
            "texts": len(scores),
            "agreement": figures["agreement"],
            "counts": reasons(scores),
            "labels": figures["labels"] if judged else None,
            "curve": figures["curve"] if judged else [],
            "contributions": figures["contributions"],
        }
        self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))

    def _print_tables(self, scores: Sequence[TextScore], report: LabelReport, *, judged: bool) -> None:
        self.stdout.write(f"{'':<20} {'same sign':>9} {'kappa':>6}")
        for pair in report.agreement:
            self.stdout.write(f"{f'{pair.first}, {pair.second}':<20} {pair.agreement:9.3f} {pair.kappa:6.3f}")
        self.stdout.write(", ".join(f"{count} {name}" for name, count in reasons(scores).items()))
        if judged:
            self._print_curve((report.labels, *report.curve))

    def _print_curve(self, points: Sequence[CurvePoint]) -> None:
        heading = " ".join(f"{label:>9}" for label in LABELS)
        self.stdout.write(f"\n{'least mean':>10} {'coverage':>8} {'accuracy':>8} {'macro F1':>8}  precision: {heading}")
        for point in points:
            threshold = "as set" if math.isnan(point.threshold) else f"{point.threshold:.2f}"
            figures = f"{point.coverage:8.3f} {point.accuracy:8.3f} {point.macro_f1:8.3f}"
            precision = " ".join(f"{value:9.3f}" for value in point.precision)
            self.stdout.write(f"{threshold:>10} {figures}             {precision}")


def _read(path: Path, text_column: str, truth_column: str | None) -> tuple[list[str], list[str]]:
    """Read texts, and people's labels if there are any; rows that are blank, or have no text, are skipped."""
    try:
        table = read_table(read_table_text(path), by_line=True)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except EncodingError as error:
        raise CommandError(f"{path.name} is no CSV file in UTF-8. {error.message}") from error
    except TableError as error:
        raise CommandError(f"{path.name} is no CSV file that can be read. {error.message}") from error
    if table is None:
        raise CommandError(f"There is no text in {path.name}.")
    columns = (text_column, *([truth_column] if truth_column else []))
    if missing := table.missing(columns):
        there = ", ".join(filter(None, table.headings))
        raise CommandError(f"{path.name} has no column “{missing[0]}”; there are: {there}.")
    rows = [(row.where, table.cells(row, columns)) for row in table.rows]
    texts = [cells[text_column] for _, cells in rows]
    truth: list[str] = []
    for where, cells in rows if truth_column else []:
        given = cells[str(truth_column)]
        truth.append(readable(given).strip().lower())
        if truth[-1] not in LABELS:
            said = f"“{given}” is none of {', '.join(LABELS)}" if given else f"the cell of “{truth_column}” is empty"
            raise CommandError(f"{where} of {path.name}: {said}.")
    if not any(texts):
        raise CommandError(f"There is no text in {path.name}.")
    return texts, truth
