"""Votes cast elsewhere, from a table as used in 2019."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import AnnotationError
from annotation.importing import import_votes
from annotation.models import MAX_VOTES_PER_TASK
from pipeline.choices import Split
from pipeline.csv_table import TableError, read_text


class Command(BaseCommand):
    help = (
        "Import a vote table: a row per segment, a column with the predicted label (“sentiment analysis”), a column "
        "per annotator, a “text” column; VideoId and segment if known.\n"
        "Columns of classes are annotators' wherever they stand; columns that are not read are named.\n"
        "Annotators of a table are no accounts, also where one has the same name; link them on the People page.\n"
        "Words that are not a class are listed with a suggested reading, and nothing is imported unless all readings "
        "are accepted.\nThe same table again adds nothing.\n\n"
        "Example: manage.py import_votes votes_train.csv --split train --campaign '2019, train'"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("csv", type=Path, metavar="CSV", help="The vote table, UTF-8.")
        parser.add_argument("--split", required=True, choices=Split.values, help="Split that the segments belong to.")
        parser.add_argument("--campaign", required=True, help="Campaign to import into; made if there is none.")
        parser.add_argument(
            "--accept-suggestions", action="store_true", help="Read unknown words as suggested (“postive”: positive)."
        )
        parser.add_argument(
            "--votes-per-segment",
            type=int,
            choices=range(1, MAX_VOTES_PER_TASK + 1),
            metavar="N",
            help="How many votes a segment of a new campaign needs (default: as many as the row with most has).",
        )
        parser.add_argument("--format", choices=["text", "json"], default="text", help="How the result is printed.")

    def handle(self, **options: Any) -> None:
        try:
            report = import_votes(
                [read_text(options["csv"])],
                split=options["split"],
                campaign_name=options["campaign"],
                accept_suggestions=options["accept_suggestions"],
                votes_per_task=options["votes_per_segment"],
            )
        except OSError as error:
            raise CommandError(f"The table cannot be read: {error}.") from error
        except TableError as error:
            raise CommandError(error.message) from error
        except AnnotationError as error:
            raise CommandError(error.message) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
            return
        for sentence in (*report.unread, *report.notes):
            self.stdout.write(sentence)
        if report.votes:
            self.stdout.write(f"Annotators' columns: {', '.join(report.annotators)}.")
        for word in report.suggestions:
            self.stdout.write(f"Read as suggested: {word}")
        self.stdout.write(f"“{report.campaign}”: {report.sentence()}")
