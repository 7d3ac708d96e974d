"""The 2019 corpus on disk: reading its dataset.csv, and writing its folder layout (method §1)."""

import io
import pickle
import re
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pysrt
from django.db.models import Prefetch

from pipeline.cell_names import is_missing_mark, seen
from pipeline.choices import Policy
from pipeline.csv_table import EncodingError, Table, read_table, read_text
from pipeline.csv_writer import TableWriter
from pipeline.files import local_path
from pipeline.labels import LABELS
from pipeline.models import Segment, TextLabel, Video
from pipeline.stages import audio
from pipeline.stages.disk import SOUND_BYTES_PER_S, check_room
from pipeline.stages.errors import StageError

COLUMNS = ("Id", "URL", "Title", "Audio", "Captions", "Polarity", "Pickle")
MAX_ID_LENGTH = 40
PIECE_MS = 60_000
# What spreadsheets and pandas make of whole numbers; another Id than the number in vote tables.
_WHOLE_FLOAT = re.compile(r"[0-9]+\.0+")
SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class DatasetRow:
    """A row of dataset.csv and the line that it starts on."""

    line: int
    cells: dict[str, str]

    @property
    def id(self) -> str:
        return seen(self.cells["Id"])

    @property
    def url(self) -> str:
        return seen(self.cells["URL"])

    @property
    def problem(self) -> str:
        """What is wrong with this row alone; empty where nothing is."""
        if not self.url:
            return "the URL is empty"
        if self.id and (len(self.id) > MAX_ID_LENGTH or not SAFE_ID.fullmatch(self.id)):
            return f"the Id “{self.id[:MAX_ID_LENGTH]}” may hold letters, digits, “.”, “_” and “-” only"
        if _WHOLE_FLOAT.fullmatch(self.id):
            return f"the Id “{self.id}” is a whole number with a fraction; write it as {self.id.partition('.')[0]}"
        if is_missing_mark(self.id):
            return f"the Id “{self.id}” marks a missing value; write the Id, or leave the cell empty"
        return ""


def open_dataset(path: Path) -> TextIO:
    """The file's text; StageError where it is missing or not UTF-8."""
    try:
        return io.StringIO(read_text(path), newline="")
    except OSError as error:
        raise StageError(f"{path} cannot be read: {error.strerror}.") from error
    except EncodingError as error:
        if not error.line:
            raise StageError(f"{path}: {error.message}") from error
        raise StageError(
            f"{path} is not in UTF-8 (line {error.line}); save it as CSV in UTF-8 and try again."
        ) from error


def dataset_table(text: str) -> Table | None:
    """The table of a dataset.csv, whatever its columns; StageError where it cannot be read."""
    return read_table(text, by_line=True, same_width=True)


def read_dataset(file: TextIO) -> Iterator[DatasetRow]:
    """Rows of a dataset.csv.

    Raises StageError, naming the line, where the heading lacks a column or has one twice, a row has too few or too many
    cells, or the text cannot be read.
    """
    table = dataset_table(file.read())
    if missing := table.missing(COLUMNS) if table else list(COLUMNS):
        raise StageError(
            f"{table.where if table else 'Line 1'} is not the heading of a dataset.csv: {', '.join(missing)} missing; "
            f"it must be {','.join(COLUMNS)}."
        )
    assert table is not None  # noqa: S101 - a blank table has no column
    at = {column: table.headings.index(column) for column in COLUMNS}
    for row in table.rows:
        yield DatasetRow(row.line, {column: row.cells[index] for column, index in at.items()})


def unread_columns(table: Table | None) -> list[str]:
    """A sentence on each column that a dataset.csv does not have."""
    names = table.headings if table else ()
    return [f"The column “{name}” is not read." for name in names if name and name not in COLUMNS]


def made_row(dataset_id: str, video: Video) -> dict[str, str]:
    """The row of a video that was not imported."""
    return {
        "Id": dataset_id,
        "URL": video.url or video.submitted_url,
        "Title": video.title,
        "Audio": f"audio/{dataset_id}.wav",
        "Captions": f"subtitles/{dataset_id}.srt",
        "Polarity": f"polarity_csv/polarity_{dataset_id}.csv",
        "Pickle": f"pickle_lists/polarity_{dataset_id}.p",
    }


def export_dataset(
    folder: Path, split: str, *, policy: str = Policy.SEED_2019, progress: Callable[[int, int], None] | None = None
) -> int:
    """Write one split in the 2019 layout under ``folder/<split>``; how many videos.

    Rows come as they were imported, and for other videos with the next free Id. Files are named after the Id, never
    after what a row says. A video without audio or labels has its row alone.
    """
    root = folder / split
    lasts_s = sum(filter(None, Video.objects.in_split(split).exclude(audio="").values_list("duration_s", flat=True)))
    check_room(folder, 2 * lasts_s * SOUND_BYTES_PER_S, "the export")  # the recordings, and at most as much in clips
    for name in ("audio", "subtitles", "polarity_csv", "pickle_lists"):
        (root / name).mkdir(parents=True, exist_ok=True)
    videos = list(Video.objects.in_split(split))
    rows = []
    for done, (dataset_id, video) in enumerate(_with_ids(videos), start=1):
        rows.append(video.dataset_row or made_row(dataset_id, video))
        _write_video(root, dataset_id, video, policy)
        if progress:
            progress(done, len(videos))
    with (root / f"dataset_{split}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = TableWriter(file)
        writer.write_row(COLUMNS)
        writer.write_rows([row.get(column) for column in COLUMNS] for row in rows)
    return len(rows)


def _with_ids(videos: list[Video]) -> Iterator[tuple[str, Video]]:
    taken = {video.dataset_id for video in videos}
    free = (str(number) for number in range(len(videos) + len(taken) + 1) if str(number) not in taken)
    for video in videos:
        yield video.dataset_id or next(free), video


def _write_video(root: Path, dataset_id: str, video: Video, policy: str) -> None:
    labels = Prefetch("text_labels", TextLabel.objects.filter(policy=policy), to_attr="chosen_labels")
    segments: list[Any] = list(video.segments.order_by("position").prefetch_related(labels))
    if segments:
        (root / "subtitles" / f"{dataset_id}.srt").write_text(_srt(segments), encoding="utf-8")
    labelled = [
        (segment, segment.chosen_labels[0])
        for segment in segments
        if segment.is_kept and segment.chosen_labels and segment.chosen_labels[0].label
    ]
    if labelled:
        pairs = [(srt_time(segment.start_ms), label.mean) for segment, label in labelled]
        with (root / "polarity_csv" / f"polarity_{dataset_id}.csv").open("w", encoding="utf-8", newline="") as file:
            TableWriter(file).write_rows(pairs)
        # Only ever written, for scripts of 2019; nothing here reads a pickle.
        (root / "pickle_lists" / f"polarity_{dataset_id}.p").write_bytes(pickle.dumps(pairs, protocol=2))
    if video.audio:
        with local_path(video.audio) as path:
            _write_wav(path, root / "audio" / f"{dataset_id}.wav", int((video.duration_s or 0) * 1000))
            _write_clips(root / "audio" / dataset_id, dataset_id, path, [(s, label.label) for s, label in labelled])


def _write_wav(source: Path, target: Path, duration_ms: int) -> None:
    """The whole recording as WAV, a minute at a time."""
    with wave.open(str(target), "wb") as whole:
        whole.setnchannels(1)
        whole.setsampwidth(2)
        whole.setframerate(audio.SAMPLE_RATE_HZ)
        for start_ms in range(0, duration_ms, PIECE_MS):
            piece = audio.slice_wav(source, start_ms, min(start_ms + PIECE_MS, duration_ms))
            with wave.open(io.BytesIO(piece)) as part:
                whole.writeframes(part.readframes(part.getnframes()))


def _write_clips(folder: Path, dataset_id: str, path: Path, labelled: list[tuple[Segment, str]]) -> None:
    for label in LABELS:
        (folder / label).mkdir(parents=True, exist_ok=True)
    for number, (segment, label) in enumerate(labelled):
        clip = folder / label / f"{dataset_id}temp{number}.wav"
        clip.write_bytes(audio.slice_wav(path, segment.start_ms, segment.end_ms))


def _srt(segments: list[Segment]) -> str:
    """Format segments as SubRip; an arrow in a text is written so that no reader takes it for a time line's."""
    cues = (
        pysrt.SubRipItem(
            number,
            pysrt.SubRipTime.from_ordinal(segment.start_ms),
            pysrt.SubRipTime.from_ordinal(segment.end_ms),
            " ".join(segment.text.split()).replace("-->", "→"),
        )
        for number, segment in enumerate(segments, start=1)
    )
    return "\n".join(map(str, cues))


def srt_time(milliseconds: int) -> str:
    """SRT notation of a time.

    >>> srt_time(3_723_045)
    '01:02:03,045'
    """
    return str(pysrt.SubRipTime.from_ordinal(milliseconds))
