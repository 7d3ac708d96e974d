"""Draw a campaign's segments."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import AnnotationError
from annotation.sampling import DEFAULT_TOTAL, sample_campaign
from pipeline.choices import Policy, Split
from pipeline.policies import label_policies


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


class Command(BaseCommand):
    help = (
        "Draw segments of ready videos for people to hear, per class of their text labels and spread over videos.\n\n"
        "Example: manage.py sample_campaign --name 'Test, first round' --split test --total 100 --seed 2019"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="Name of the new campaign.")
        parser.add_argument("--split", required=True, choices=Split.values, help="Split to draw from.")
        parser.add_argument(
            "--policy",
            choices=list(label_policies()),
            default=Policy.RECOMMENDED,
            help="Whose text labels are the classes.",
        )
        size = parser.add_mutually_exclusive_group()
        size.add_argument(
            "--total",
            type=positive,
            default=DEFAULT_TOTAL,
            help=f"Segments over all classes, as evenly as they allow (default {DEFAULT_TOTAL}).",
        )
        size.add_argument("--per-class", type=positive, help="Segments of each class, or as many as there are.")
        parser.add_argument(
            "--video", type=positive, action="append", default=[], metavar="PK", help="Only this video; repeatable."
        )
        parser.add_argument("--seed", type=int, default=0, help="The same seed draws the same segments (default 0).")
        parser.add_argument("--show-text", action="store_true", help="Listeners also see what is said.")
        parser.add_argument("--guidelines", type=Path, help="Text file that is shown to listeners.")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="How the result is printed.")

    def handle(self, **options: Any) -> None:
        try:
            guidelines = options["guidelines"].read_text(encoding="utf-8") if options["guidelines"] else ""
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The guidelines cannot be read: {error}.") from error
        try:
            campaign = sample_campaign(
                name=options["name"],
                split=options["split"],
                policy=options["policy"],
                per_class=options["per_class"],
                total=options["total"],
                seed=options["seed"],
                videos=options["video"],
                show_text=options["show_text"],
                guidelines=guidelines,
            )
        except AnnotationError as error:
            raise CommandError(error.message) from error
        if options["format"] == "json":
            result = {
                "campaign": campaign.name,
                "id": campaign.pk,
                "split": campaign.split,
                "policy": campaign.policy,
                "seed": campaign.seed,
                "segments": sum(campaign.sampling["drawn"].values()),
                **{key: campaign.sampling[key] for key in ("method", "asked", "available", "drawn", "videos")},
            }
            self.stdout.write(json.dumps(result, indent=2))
            return
        drawn = ", ".join(f"{n} {label}" for label, n in campaign.sampling["drawn"].items())
        self.stdout.write(f"“{campaign.name}”: {drawn}, from {campaign.sampling['videos']} videos.")
