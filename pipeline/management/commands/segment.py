"""Cut a caption file into utterances, without touching the database."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipeline.management.help_format import HelpFormatter
from pipeline.stages import speech_gate
from pipeline.stages.audio import decode
from pipeline.stages.caption_names import READ_FORMATS
from pipeline.stages.captions import (
    SEGMENTATION_POLICIES,
    CaptionTrack,
    SegmentationPolicy,
    Utterance,
    nothing_usable,
    read_captions,
    segment,
    without_speechless,
)
from pipeline.stages.english import hint_on_language
from pipeline.stages.errors import StageError

MS_PER_SECOND = 1000


class Command(BaseCommand):
    help = (
        f"Cuts a caption file ({READ_FORMATS}) into utterances and prints each of them, kept or with the reason why "
        "not. Captions that give no utterance to use are an error.\n\nExample:\n"
        "  manage.py segment interview.en.vtt --policy recommended --format json"
    )
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=HelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="The caption file; its content tells the format.")
        parser.add_argument(
            "--policy",
            choices=sorted(SEGMENTATION_POLICIES),
            default="recommended",
            help="The rules: recommended (the default) cuts anew, seed-2019 takes each cue as it comes.",
        )
        parser.add_argument(
            "--recording",
            type=Path,
            metavar="FILE",
            help="The sound that the captions belong to: utterances end with it, and the speech gate hears it.",
        )
        parser.add_argument(
            "--format",
            choices=("text", "json"),
            default="text",
            help=(
                "text (the default): a table; json: a list with start_ms, end_ms, text, kept and reason, and speaker "
                "where the captions name who speaks."
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            track = read_captions(options["file"])
        except StageError as error:
            raise CommandError(error.message) from error
        for problem in track.problems:
            self.stderr.write(f"{options['file'].name}: {problem}")
        policy = SEGMENTATION_POLICIES[options["policy"]]
        try:
            notes: tuple[str, ...] = ()
            if options["recording"]:
                utterances, notes = _heard(track, policy, options["recording"])
            else:
                utterances = segment(track, policy)
        except StageError as error:
            raise CommandError(error.message) from error
        if hint := hint_on_language(utterance.text for utterance in utterances):
            self.stderr.write(f"{options['file'].name}: {hint}")
        for note in notes:
            self.stderr.write(f"{options['recording'].name}: {note}")
        if options["format"] == "json":
            self.stdout.write(json.dumps(_rows(utterances), ensure_ascii=False, indent=1))
        else:
            self._print_table(utterances)
        if problem := nothing_usable(utterances):
            raise CommandError(f"{options['file'].name}: {problem}")

    def _print_table(self, utterances: Sequence[Utterance]) -> None:
        verdicts = [f"not kept: {utterance.reason}" if utterance.reason else "kept" for utterance in utterances]
        width = max(map(len, verdicts), default=0)
        speakers = max((len(utterance.speaker) for utterance in utterances), default=0)
        heading = f"  {'speaker':{speakers}}" if speakers else ""
        self.stdout.write(f"{'start':>10} {'end':>10}  {'':{width}}{heading}  text")
        for utterance, verdict in zip(utterances, verdicts, strict=True):
            times = f"{_clock(utterance.start_ms):>10} {_clock(utterance.end_ms):>10}"
            who = f"  {utterance.speaker:{max(speakers, len('speaker'))}}" if speakers else ""
            self.stdout.write(f"{times}  {verdict:<{width}}{who}  {utterance.text}")
        kept = sum(utterance.kept for utterance in utterances)
        self.stdout.write(f"{kept} of {len(utterances)} utterances kept")


def _rows(utterances: Sequence[Utterance]) -> list[dict[str, object]]:
    """Give the utterances as objects; all have a speaker where the captions name any."""
    named = any(utterance.speaker for utterance in utterances)
    return [
        {"start_ms": u.start_ms, "end_ms": u.end_ms, "text": u.text, "kept": u.kept, "reason": u.reason}
        | ({"speaker": u.speaker} if named else {})
        for u in utterances
    ]


def _heard(
    track: CaptionTrack, policy: SegmentationPolicy, source: Path
) -> tuple[tuple[Utterance, ...], tuple[str, ...]]:
    """Cut as the job does: up to the end of the recording, and only where somebody speaks; with notes on the sound."""
    with TemporaryDirectory(prefix="crossmodal-") as folder:
        recording = decode(source, Path(folder) / "audio.wav")
        utterances = segment(track, policy, duration_ms=int(recording.duration_s * MS_PER_SECOND))
        spans = [(utterance.start_ms, utterance.end_ms) for utterance in utterances if utterance.kept]
        if not policy.min_speech_share:
            return utterances, recording.notes
        shares = speech_gate.speech_shares(recording.path, spans, enough=policy.min_speech_share)
    return without_speechless(utterances, shares.tolist(), policy), recording.notes


def _clock(time_ms: int) -> str:
    minutes, milliseconds = divmod(time_ms, 60 * MS_PER_SECOND)
    return f"{minutes}:{milliseconds / MS_PER_SECOND:06.3f}"
