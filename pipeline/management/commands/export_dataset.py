"""Write the corpus in the 2019 layout."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from pipeline.choices import Policy, Split
from pipeline.dataset import export_dataset
from pipeline.management.base import PipelineCommand, add_format, add_label_policy, add_split, bar, bar_callback, count


class Command(PipelineCommand):
    help = (
        "Writes the corpus as folders and files of the 2019 layout: dataset_<split>.csv, recordings and clips as WAV, "
        "subtitles, polarities and pickled lists, as far as they are there.\n\n"
        "Example:\n  manage.py export_dataset corpus/ --split train"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="Folder to write to; it is made if missing.")
        add_split(parser, required=False)
        add_label_policy(parser, default=Policy.SEED_2019, help_text="Whose text labels and polarities are written.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        written: dict[str, int] = {}
        for split in [options["split"]] if options["split"] else Split.values:
            try:
                with bar(unit="video", desc=split) as shown:
                    written[split] = export_dataset(
                        options["folder"], split, policy=options["policy"], progress=bar_callback(shown)
                    )
            except OSError as error:
                raise CommandError(
                    f"{error.filename or options['folder']} cannot be written: {error.strerror}."
                ) from error
        if options["format"] == "json":
            self.print_json({"folder": str(options["folder"]), "videos": written})
        else:
            counts = ", ".join(f"{count(number, 'video')} in {split}" for split, number in written.items())
            self.stdout.write(f"Wrote {counts} to {options['folder']}.")
