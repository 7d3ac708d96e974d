"""Ground truth anew from the votes."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation import truth
from annotation.models import Campaign


class Command(BaseCommand):
    help = (
        "Derive state and ground truth of every task anew from standing votes and adjudications.\n"
        "Changes nothing where all is as it should be.\n\nExample: manage.py rebuild_truth --campaign '2019, train'"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", help="Only this campaign (default: all).")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="How the result is printed.")

    def handle(self, **options: Any) -> None:
        campaigns = Campaign.objects.order_by("pk")
        if options["campaign"] is not None:
            campaigns = campaigns.filter(name=options["campaign"])
            if not campaigns:
                raise CommandError(f"There is no campaign named “{options['campaign']}”.")
        progress = tqdm(campaigns, unit="campaign", file=sys.stderr, disable=not sys.stderr.isatty())
        changed = {campaign.name: truth.rebuild(campaign) for campaign in progress}
        if options["format"] == "json":
            self.stdout.write(json.dumps({"changed": changed}, indent=2, ensure_ascii=False))
            return
        for name, n in changed.items():
            self.stdout.write(f"“{name}”: {n} tasks changed.")
