"""Take the videos of a dataset.csv in the 2019 format."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from pipeline.choices import Policy
from pipeline.dataset import dataset_table, open_dataset, unread_columns
from pipeline.intake import import_dataset
from pipeline.management.base import PipelineCommand, add_format, add_policy, add_split


class Command(PipelineCommand):
    help = (
        "Imports the videos of a dataset.csv (Id,URL,Title,Audio,Captions,Polarity,Pickle) into one split. Rows whose "
        "video is there already, in either split, are named and left out.\n\n"
        "Example:\n  manage.py import_dataset dataset_train.csv --split train"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("csv", metavar="CSV", type=Path, help="The file, in UTF-8.")
        add_split(parser)
        add_policy(parser, default=Policy.RECOMMENDED, help_text="How captions become segments.")
        parser.add_argument(
            "--no-fetch",
            dest="fetch",
            action="store_false",
            help="Only store the rows; nothing is downloaded until `process --fetch-stored` or the page asks for it.",
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with open_dataset(options["csv"]) as file:
            unread = unread_columns(dataset_table(file.read()))
            file.seek(0)
            intake = import_dataset(file, split=options["split"], policy=options["policy"], fetch=options["fetch"])
        for sentence in unread:
            self.stderr.write(sentence)
        self.print_intake(intake, options["format"], verb="Queued" if options["fetch"] else "Stored")
