"""Audio features of files, without the database."""

from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipeline.management.progress_bar import progress_bar
from pipeline.stages.errors import StageError
from pipeline.stages.feature_file import write_arrays
from pipeline.stages.features import DEFAULT_EXTRACTOR, EXTRACTORS, get_extractor
from pipeline.stages.file_features import extract_files


class Command(BaseCommand):
    help = (
        "Compute the audio features of whole audio or video files and write them as one .npz file without pickles: "
        "X (files x features), names (of the columns) and paths (of the rows, as given). Uses no database."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = "Example: manage.py features clips/*.wav interview.mp3 --out features.npz"
        parser.add_argument("files", nargs="+", metavar="FILE", help="audio or video file of any common format")
        parser.add_argument(
            "--extractor",
            choices=sorted(EXTRACTORS),
            default=DEFAULT_EXTRACTOR,
            help="how features are computed (default: %(default)s)",
        )
        parser.add_argument("--out", required=True, type=Path, metavar="X.npz", help="the file to write")

    def handle(self, *, files: list[str], extractor: str, out: Path, **options: Any) -> None:
        if not out.parent.is_dir():
            raise CommandError(f"There is no folder {out.parent} to write {out.name} to.")
        try:
            with progress_bar("file") as progress:
                notes: list[str] = []
                X = extract_files(
                    [Path(file) for file in files],
                    extractor,
                    progress=progress,
                    tell=lambda path, note: notes.append(f"{path}: {note}"),
                )
        except StageError as error:
            raise CommandError(error.message) from error
        for note in notes:
            self.stderr.write(note)
        try:
            write_arrays(out, X=X, names=np.asarray(get_extractor(extractor).feature_names), paths=np.asarray(files))
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"Wrote {len(X)} x {X.shape[1]} features to {out}.")
