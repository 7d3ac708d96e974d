"""Stored files that no row names: listed, and removed on request."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from pipeline import orphans
from pipeline.management.base import PipelineCommand, add_format, count
from pipeline.stages.disk import megabytes


class Command(PipelineCommand):
    help = (
        "List stored files that no row of the database names, as a process that was killed in the middle may leave; "
        "with --delete remove them. Make sure that the database belongs to these files.\n\n"
        "Example: manage.py remove_orphans --delete"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="Remove them.")
        parser.add_argument(
            "--older-than",
            type=float,
            default=orphans.YOUNGEST_H,
            metavar="HOURS",
            help="Younger files stay, since a job may be about to name them. Default: %(default)s.",
        )
        parser.add_argument(
            "--although-most",
            action="store_true",
            help="Remove them even where more files are without a row than with one.",
        )
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["older_than"] < 1:
            raise CommandError("--older-than must be at least 1 hour.")
        stored = orphans.look(older_than_h=options["older_than"])
        size = sum(orphan.size_bytes for orphan in stored.orphans)
        if options["delete"] and stored.is_suspicious and not options["although_most"]:
            raise CommandError(
                f"{count(len(stored.orphans), 'file')} without a row, and {stored.named} with one: this may be the "
                "wrong database. Nothing was removed; if it is the right one, add --although-most."
            )
        if options["delete"]:
            orphans.remove(stored.orphans)
        if options["format"] == "json":
            names = [orphan.name for orphan in stored.orphans]
            self.print_json({"named": stored.named, "orphans": names, "bytes": size, "removed": options["delete"]})
            return
        for orphan in stored.orphans:
            self.stdout.write(orphan.name)
        done = "removed" if options["delete"] else "found"
        self.stdout.write(f"{count(len(stored.orphans), 'file')} that no row names {done}, {megabytes(size)}.")
