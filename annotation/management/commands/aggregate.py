"""Votes of a crowd to labels, without the database."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.aggregation import COLUMNS, METHODS, VotesError, aggregate, read_long_table
from pipeline.csv_table import EncodingError, read_text


class Command(BaseCommand):
    help = (
        "Make one label per task of a table of votes. Uses no database.\n"
        "majority counts votes; dawid-skene weighs each worker by their estimated confusions, mace by how often they "
        "seem to guess.\nWhere labels are tied, the first in alphabetical order is given, and the tie is said.\n\n"
        "Example: manage.py aggregate votes.csv --method dawid-skene --format json"
    )
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "votes", type=Path, metavar="VOTES.csv", help=f"Table with the columns {', '.join(COLUMNS)}, UTF-8."
        )
        parser.add_argument("--method", choices=METHODS, default=METHODS[0], help="Default: %(default)s.")
        parser.add_argument("--seed", type=int, default=0, help="Of mace's starting points. Default: %(default)s.")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="How the result is printed.")

    def handle(self, *, votes: Path, method: str, seed: int, format: str, **options: Any) -> None:
        if not 0 <= seed < 2**32:
            raise CommandError("The seed must be between 0 and 4294967295.")
        try:
            table = read_long_table(read_text(votes))
        except OSError as error:
            raise CommandError(f"{votes} cannot be read: {error.strerror}.") from error
        except EncodingError as error:
            if not error.line:
                raise CommandError(f"{votes}: {error.message}") from error
            raise CommandError(
                f"{votes} cannot be read as UTF-8 text; save the table as CSV in UTF-8 (line {error.line} is not)."
            ) from error
        except VotesError as error:
            raise CommandError(f"{votes.name}: {error}") from error
        for name in table.unread:
            self.stderr.write(f"The column “{name}” is not read.")
        for note in table.notes:
            self.stderr.write(note)
        results = aggregate(table.votes, method, seed=seed)
        if format == "json":
            self.stdout.write(json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False))
            return
        for result in results:
            tie = "  tie" if result.tie else ""
            self.stdout.write(f"{result.task}  {result.label}  {result.probability:.4f}{tie}")
        ties = sum(result.tie for result in results)
        self.stdout.write(f"{len(results)} tasks by {len({vote[1] for vote in table.votes})} workers, {ties} tied.")
