"""Take videos by their addresses, or choose them from a list."""

import argparse
import re
from typing import Any

from django.core.management.base import CommandParser

from pipeline.choices import Policy, Split
from pipeline.intake import Intake, Refusal, submit_urls
from pipeline.listing import find_here, read_now
from pipeline.management.base import PipelineCommand, add_format, add_policy, bar, bar_callback
from pipeline.management.list_printing import describe_list, list_lines
from pipeline.stages.list_entries import ListedVideo
from pipeline.stages.video_lists import PAGE_ENTRIES, VideoList

ALL = "all"


class Command(PipelineCommand):
    help = (
        "Adds videos by address and queues their fetching. An address of a video that is there already, in either "
        "split and however it is written, is refused.\n\n"
        "Example:\n  manage.py add_video https://www.youtube.com/watch?v=i4b-_bNsajY --split train\n\n"
        "With --list, shows the videos of a playlist, a channel, a podcast feed or a page with several videos, and "
        f"adds nothing without --submit. At most {PAGE_ENTRIES} entries are read at once; --from goes on after "
        "them.\n\n"
        "Example:\n  manage.py add_video --list https://www.youtube.com/@ted\n"
        "  manage.py add_video --list https://www.youtube.com/@ted --submit 1,3-5 --split train"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        self.parser = parser
        parser.add_argument("urls", metavar="URL", nargs="*", help="Address of one video's page.")
        parser.add_argument("--list", metavar="URL", help="Address of a list, whose videos are shown.")
        parser.add_argument(
            "--from", dest="first", type=_position, default=1, metavar="N", help="First entry of the list to show."
        )
        parser.add_argument(
            "--count",
            type=_position,
            default=PAGE_ENTRIES,
            metavar="N",
            help=f"How many entries of the list to show, at most {PAGE_ENTRIES}, which is the default.",
        )
        parser.add_argument(
            "--submit",
            type=_numbers,
            metavar="NUMBERS",
            help="Which of the shown entries to add: “all”, or their numbers, as in 1,3-5.",
        )
        parser.add_argument(
            "--split",
            choices=Split.values,
            help="train: models learn from them; test: they are judged on them. Required where videos are added.",
        )
        add_policy(parser, default=Policy.RECOMMENDED, help_text="How captions become segments.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self._check_usage(options)
        if options["list"]:
            return self._show_list(options)
        intake = submit_urls(options["urls"], split=options["split"], policy=options["policy"])
        return self.print_intake(intake, options["format"], verb="Queued")

    def _check_usage(self, options: dict[str, Any]) -> None:
        if bool(options["list"]) == bool(options["urls"]):
            self.parser.error("give addresses of videos, or --list with the address of a list")
        if options["submit"] and not options["list"]:
            self.parser.error("--submit belongs to --list")
        if not options["split"] and (options["urls"] or options["submit"]):
            self.parser.error("--split is required: train or test")
        if options["count"] > PAGE_ENTRIES:
            self.parser.error(f"--count is at most {PAGE_ENTRIES}")

    def _show_list(self, options: dict[str, Any]) -> None:
        with bar(total=options["count"], desc="Reading the list", leave=False) as shown:
            found = read_now(
                options["list"], first=options["first"], count=options["count"], progress=bar_callback(shown)
            )
        here = find_here(found.entries)
        document = describe_list(found, here)
        if options["format"] == "text":
            for line in list_lines(found, here):
                self.stdout.write(line)
        if options["submit"]:
            intake = _submit(found, options["submit"], set(here), split=options["split"], policy=options["policy"])
            self.print_intake(intake, options["format"], verb="Queued", before=document)
        elif options["format"] == "json":
            self.print_json(document)


def _submit(found: VideoList, wanted: str | list[int], here: set[Any], **columns: str) -> Intake:
    """Add the entries of those numbers, or all that can be added and are not here yet."""
    by_number = {entry.number: entry for entry in found.entries}
    if isinstance(wanted, str):
        chosen = [entry for entry in found.entries if entry.identity and entry.identity not in here]
        return submit_urls([entry.url for entry in chosen], titles=_titles(chosen), **columns)
    chosen = [by_number[number] for number in wanted if number in by_number and by_number[number].identity]
    taken = submit_urls([entry.url for entry in chosen], titles=_titles(chosen), **columns)
    not_chosen = [number for number in wanted if number not in by_number or not by_number[number].identity]
    refused = tuple(_refusal(number, by_number.get(number)) for number in not_chosen)
    return Intake(taken.created, taken.refused + refused, taken.problem)


def _titles(entries: list[ListedVideo]) -> dict[str, str]:
    return {entry.url: entry.title for entry in entries}


def _refusal(number: int, entry: ListedVideo | None) -> Refusal:
    if entry is None:
        return Refusal(f"number {number}", "No entry with this number is shown.")
    return Refusal(f"number {number}: {entry.title or entry.url}", entry.problem)


def _position(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"“{text}” is no number from 1 on")
    return int(text)


def _numbers(text: str) -> str | list[int]:
    """Numbers of entries, each once, in the order given."""
    if text.strip().lower() == ALL:
        return ALL
    numbers: dict[int, None] = {}
    for part in text.split(","):
        stretch = re.fullmatch(r"\s*([1-9][0-9]{0,5})\s*(?:-\s*([1-9][0-9]{0,5})\s*)?", part)
        first = int(stretch[1]) if stretch else 0
        last = int(stretch[2] or first) if stretch else 0
        if not stretch or last < first or last - first >= PAGE_ENTRIES:
            raise argparse.ArgumentTypeError(f"“{text}” must be “all” or numbers of entries, as in 1,3-5")
        numbers |= dict.fromkeys(range(first, last + 1))
    return list(numbers)
