"""The columns of a vote table: what each heading and its cells say, and which columns are not read."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.errors import AnnotationError
from annotation.labelwords import Likeness
from annotation.listeners import Listener, check_people, listener_of
from pipeline.csv_table import Table, also_rows

# That of dataset.csv, and of the numbers that annotation tools give to rows.
ROW_ID_HEADING = "id"
# Headings as they occur, without case, spaces, underscores and hyphens; of several in one table the first here counts.
VIDEO_HEADINGS = ("videoid", "video", ROW_ID_HEADING)
SEGMENT_HEADINGS = ("segment", "segmentid", "segmentnumber", "position")
PREDICTED_HEADINGS = (
    *("sentimentanalysis", "predictedlabel", "predicted", "prediction", "textlabel", "weaklabel", "label"),
)
TEXT_HEADINGS = ("text", "transcript", "utterance", "transcription")
# Columns of classes that somebody or a program derived from votes or from the text: nobody's vote.
DERIVED_HEADINGS = (
    *("majority", "majorityvote", "majoritylabel", "consensus", "consensuslabel", "aggregated", "aggregatedlabel"),
    *("truth", "truelabel", "truthlabel", "groundtruth", "groundtruthlabel", "gold", "goldlabel", "goldstandard"),
    *("final", "finallabel", "finalvote", "agreed", "agreedlabel", "adjudicated", "adjudicatedlabel", "adjudication"),
    *("ytrue", "ypred", "target", "mode", "model", "modellabel", "audiolabel", "vader", "textblob", "pattern"),
)
# Columns that people keep beside the votes; nobody's vote unless their cells are classes.
REMARK_HEADINGS = ("note", "notes", "comment", "comments", "remark", "remarks", "confidence", "speaker", "start", "end")
# Columns that annotation tools and crowd platforms have in tables of one row per vote.
PERSON_HEADINGS = ("annotator", "annotatorid", "worker", "workerid", "rater", "raterid", "coder", "performer", "user")
ROW_PER_VOTE = "A table with a row per vote must be turned into one with a row per segment."
# Of a cell in a sentence, in characters: enough to find it by.
MAX_SHOWN = 40
KNOWN_HEADINGS = {
    *VIDEO_HEADINGS,
    *SEGMENT_HEADINGS,
    *PREDICTED_HEADINGS,
    *TEXT_HEADINGS,
    *DERIVED_HEADINGS,
}
# What an export begins and ends with; alone they are the table of a campaign without votes.
EXPORTED_START = ("VideoId", "segment", "sentiment analysis")
EXPORTED_END = ("text",)


@dataclass(frozen=True)
class VoteColumns:
    """Numbers of the columns by what they hold, and sentences on those that are not read."""

    video: int | None
    segment: int | None
    predicted: int
    listeners: dict[int, Listener]
    text: int
    unread: tuple[str, ...]


def plain(heading: str) -> str:
    return "".join(character for character in heading.casefold() if character not in " _-\t\r\n")


def shortened(cell: str) -> str:
    return cell if len(cell) <= MAX_SHOWN else f"{cell[:MAX_SHOWN]}…"


def find_columns(table: Table) -> VoteColumns:
    """Find what each column holds; AnnotationError where that cannot be said."""
    names = [plain(heading) for heading in table.headings]
    video, segment = _find(table, names, VIDEO_HEADINGS), _find(table, names, SEGMENT_HEADINGS)
    predicted, text = _find(table, names, PREDICTED_HEADINGS), _find(table, names, TEXT_HEADINGS)
    if predicted is None or text is None:
        raise AnnotationError(_needed(table))
    listeners: dict[int, Listener] = {}
    unread: list[str] = []
    for index, heading in enumerate(table.headings):
        if index in (video, segment, predicted, text):
            continue
        cells = [row.cells[index] for row in table.rows]
        likeness = Likeness.of(cells)
        if not heading:
            unread += _without_heading(table, index, text, likeness)
        elif names[index] in KNOWN_HEADINGS:
            unread += [f"The column “{heading}” is not read."] if likeness.filled else []
        elif likeness.are_votes or (predicted < index < text and names[index] not in REMARK_HEADINGS):
            listeners[index] = listener_of(table.raw_headings[index])
        elif likeness.filled:
            unread.append(_not_votes(heading, cells, likeness))
    if not listeners and table.headings != (*EXPORTED_START, *EXPORTED_END):
        raise AnnotationError(f"No column names an annotator. {_needed(table)}")
    check_people(list(listeners.values()))
    return VoteColumns(video, segment, predicted, listeners, text, tuple(unread))


def _find(table: Table, names: Sequence[str], known: Sequence[str]) -> int | None:
    for name in known:
        found = [index for index, heading in enumerate(names) if heading == name]
        if len(found) > 1:
            first, second = (table.headings[index] for index in found[:2])
            raise AnnotationError(f"The columns “{first}” and “{second}” mean the same; rename or remove one of them.")
        if found:
            return found[0]
    return None


def _needed(table: Table) -> str:
    there = ", ".join(heading for heading in table.headings if heading)
    per_vote = any(plain(heading) in PERSON_HEADINGS for heading in table.headings)
    return (
        "The first row must name the columns: “sentiment analysis” (the predicted label), one column per "
        f"annotator, then “text”. It reads: {there or 'nothing'}.{' ' + ROW_PER_VOTE if per_vote else ''}"
    )


def _without_heading(table: Table, index: int, text: int, likeness: Likeness) -> list[str]:
    """A sentence on a filled column without a heading; AnnotationError where something would be lost."""
    filled = [row for row in table.rows if row.cells[index].strip()]
    if not filled:
        return []
    cell = filled[0].cells[index].strip()
    if likeness.are_votes:
        raise AnnotationError(f"Column {index + 1} holds votes and has no heading; write the annotator's name above.")
    if index > text:
        raise AnnotationError(
            f"{filled[0].where} has a cell in column {index + 1}, which has no heading: “{shortened(cell)}”. Put a "
            f"text that holds a comma in quotation marks, or name the column.{also_rows(filled[1:])}"
        )
    return [f"Column {index + 1}, which has no heading, is not read (“{shortened(cell)}”)."]


def _not_votes(heading: str, cells: Sequence[str], likeness: Likeness) -> str:
    example = next(cell.strip() for cell in cells if cell.strip())
    few = f"only {likeness.classes} of its {likeness.filled} cells are" if likeness.classes else "its cells are not"
    return f"The column “{heading}” is not read: {few} classes (“{shortened(example)}”)."
