"""Take videos by their addresses."""

from typing import Any

from django.core.management.base import CommandParser

from pipeline.choices import Policy
from pipeline.intake import submit_urls
from pipeline.management.base import PipelineCommand, add_format, add_policy, add_split


class Command(PipelineCommand):
    help = (
        "Adds videos by address and queues their fetching. An address of a video that is there already, in either "
        "split and however it is written, is refused.\n\n"
        "Example:\n  manage.py add_video https://www.youtube.com/watch?v=i4b-_bNsajY --split train"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("urls", metavar="URL", nargs="+", help="Address of one video's page.")
        add_split(parser)
        add_policy(parser, default=Policy.RECOMMENDED, help_text="How captions become segments.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        intake = submit_urls(options["urls"], split=options["split"], policy=options["policy"])
        self.print_intake(intake, options["format"], verb="Queued")
