"""The 2019 corpus: its list read, its folders written."""

import csv
import io
import pickle
import wave
from pathlib import Path

import pysrt
import pytest
from django.core.files.base import ContentFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.dataset import COLUMNS, export_dataset, open_dataset, read_dataset, srt_time
from pipeline.intake import import_dataset
from pipeline.models import Video
from pipeline.stages.audio import decode
from pipeline.stages.errors import StageError
from tests.factories import Factory

HEADING = "Id,URL,Title,Audio,Captions,Polarity,Pickle"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("text", [f"{HEADING}\n1,u,t,a,c,p,k\n", f"\ufeff{HEADING}\r\n1,u,t,a,c,p,k\r\n"])
def test_it_reads_rows_with_their_lines(text: str) -> None:
    (row,) = read_dataset(io.StringIO(text, newline=""))
    assert (row.line, row.id, row.url) == (2, "1", "u")
    assert list(row.cells) == list(COLUMNS)


def test_columns_may_stand_in_any_order_and_others_beside_them() -> None:
    (row,) = read_dataset(io.StringIO("Note,URL,Id,Title,Audio,Captions,Polarity,Pickle\nx,u,1,t,a,c,p,k\n"))
    assert (row.id, row.url) == ("1", "u")


def test_a_row_over_several_lines_counts_as_one() -> None:
    rows = list(read_dataset(io.StringIO(f'{HEADING}\n1,u,"two\nlines",a,c,p,k\n\n2,v,t,a,c,p,k\n', newline="")))
    assert [(row.line, row.id) for row in rows] == [(2, "1"), (5, "2")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Line 1 is not the heading.*Id, URL, Title"),
        ("1,https://youtu.be/x,t\n", "Line 1 is not the heading"),
        ("Id,URL,Title,Audio,Captions,Pickle\n", "Polarity missing"),
        (f"{HEADING}\n1,u,t,a,c,p,k\n2,u,t\n", "Line 3 has 3 cells, the heading 7"),
        (f"{HEADING}\n1,u,t,a,c,p,k,more\n", "Line 2 has 8 cells"),
        (f"{HEADING}\n1,u,One, two,a,c,p,k\n", "Line 2 has 8 cells, the heading 7; mend it. Perhaps a comma stands"),
        (f'{HEADING}\n1,u,"two\nlines",a,c,p,k\n2,u\n', r"Line 4 \(row 3\) has 2 cells, .* Perhaps a line break"),
        (f"{HEADING}\n1,u,t,a,c,p,k\n".replace(",", ";"), "separated by semicolons"),
        (f"{HEADING}\n1,u,t,a,c,p,k\n".replace(",", "\t"), "separated by tabs"),
        (f"{HEADING},url\n1,u,t,a,c,p,k,v\n", "Line 1 has more than one column url; rename all but one"),
        (f'{HEADING}\n1,u,"open,a,c,p,k\n2,u,t,a,c,p,k\n', "Line 2 cannot be read as CSV: a quotation mark is opened"),
    ],
)
def test_what_is_no_dataset_is_told_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(StageError, match=sentence):
        list(read_dataset(io.StringIO(text)))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blank_rows_are_passed_over_and_any_line_ends_read(end: str) -> None:
    text = end.join([",,,,,,", HEADING, "", "1,u,t,a,c,p,k", " , ,,,,,", "2,v,t,a,c,p,k", ""])
    assert [(row.line, row.id) for row in read_dataset(io.StringIO(text, newline=""))] == [(4, "1"), (6, "2")]


def test_utf16_is_read(tmp_path: Path) -> None:
    (tmp_path / "dataset.csv").write_bytes(f"{HEADING}\n1,u,café,a,c,p,k\n".encode("utf-16"))
    with open_dataset(tmp_path / "dataset.csv") as file:
        (row,) = read_dataset(file)
    assert row.cells["Title"] == "café"


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "dataset.csv"
    path.write_bytes(f"{HEADING}\n1,u,caf\xe9,a,c,p,k\n".encode("latin-1"))
    with pytest.raises(StageError, match=r"not in UTF-8 \(line 2\)"):
        open_dataset(path)
    with pytest.raises(StageError, match="cannot be read"):
        open_dataset(tmp_path / "none.csv")


def test_times_are_in_srt_notation() -> None:
    assert [srt_time(ms) for ms in (0, 53_399, 3_600_000, 362_439_999)] == [
        "00:00:00,000",
        "00:00:53,399",
        "01:00:00,000",
        "100:40:39,999",
    ]


# ---------------------------------------------------------------- writing


@pytest.mark.django_db
@pytest.mark.shared_data
@pytest.mark.parametrize(("split", "count"), [("train", 123), ("test", 11)])
def test_the_lists_of_2019_come_out_as_they_went_in(split: str, count: int, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "seed2019" / f"dataset_{split}.csv"
    with open_dataset(path) as file:
        taken = import_dataset(file, split=split, fetch=False)
    assert (len(taken.created), taken.refused) == (count, ())
    assert Video.objects.filter(state="stored").count() == count

    assert export_dataset(tmp_path, split) == count
    written = tmp_path / split / f"dataset_{split}.csv"
    assert rows_of(written) == rows_of(path)
    as_before = io.StringIO(newline="")
    writer = csv.DictWriter(as_before, COLUMNS)
    writer.writeheader()
    writer.writerows(rows_of(path))
    assert written.read_bytes() == as_before.getvalue().encode()


@pytest.mark.django_db
def test_a_list_holds_no_formula_and_comes_back_with_it(factory: Factory, tmp_path: Path) -> None:
    title = "=cmd|'/C calc'!A0"
    factory.make_video(title=title)
    row = dict.fromkeys(COLUMNS, "+1+1") | {"Id": "7", "URL": "https://youtu.be/aaaaaaaaaaa"}
    factory.make_video(dataset_id="7", dataset_row=row)
    export_dataset(tmp_path, "train")
    path = tmp_path / "train" / "dataset_train.csv"
    made, imported = rows_of(path)
    assert made["Title"] == f"'{title}"
    assert imported == {**row, **dict.fromkeys(COLUMNS[2:], "'+1+1")}
    written = path.read_bytes()
    Video.objects.all().delete()
    with open_dataset(path) as file:
        assert len(import_dataset(file, split="train", fetch=False).created) == 2
    assert set(Video.objects.values_list("title", flat=True)) == {title, "+1+1"}
    export_dataset(tmp_path, "train")
    assert path.read_bytes() == written


titles = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.sampled_from(
    ['One, two "three"', "two\nlines", "a\r\nb", "=1+1", ""]
)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(videos=st.lists(st.tuples(titles, st.sampled_from(["", "7", "x.1"])), max_size=5, unique_by=lambda v: v[1] or v))
def test_an_export_comes_back_as_the_same_videos_and_the_same_list(
    videos: list[tuple[str, str]], tmp_path: Path
) -> None:
    Video.objects.all().delete()
    for number, (title, dataset_id) in enumerate(videos):
        key = f"abcdefghi{number:02}"
        columns = {"extractor_id": key, "url": f"https://www.youtube.com/watch?v={key}", "title": title.strip()}
        Factory().make_video(**columns, dataset_id=dataset_id, state="stored")
    export_dataset(tmp_path, "train")
    written = (tmp_path / "train" / "dataset_train.csv").read_bytes()
    before = set(Video.objects.values_list("url", "title"))
    Video.objects.all().delete()
    with open_dataset(tmp_path / "train" / "dataset_train.csv") as file:
        taken = import_dataset(file, split="train", fetch=False)
    assert (len(taken.created), taken.refused) == (len(videos), ())
    assert set(Video.objects.values_list("url", "title")) == before
    export_dataset(tmp_path, "train")
    assert (tmp_path / "train" / "dataset_train.csv").read_bytes() == written


@pytest.fixture
def video(factory: Factory, wav: Path, tmp_path: Path) -> Video:
    video = factory.make_video(dataset_id="7", title="A talk", duration_s=14.0)
    flac = decode(wav, tmp_path / "talk.flac").path
    video.audio.save("talk.flac", ContentFile(flac.read_bytes()))
    for label, text in (("positive", "Good news today."), ("negative", "Bad news today."), (None, "No label here.")):
        factory.make_segment(video, label=label, text=text)
    factory.make_segment(video, label=None, text="[Laughing]", exclusion="only tags", start_ms=12_000, end_ms=12_500)
    return video


@pytest.mark.django_db
def test_subtitles_read_back_whatever_the_text_holds(factory: Factory, tmp_path: Path) -> None:
    video = factory.make_video(title="A talk", split="train", dataset_id="7")
    texts = ["From A 00:00:01,000 --> 00:00:02,000 to B.", "First\n\n2\nsecond", "… and “so” on – élan"]
    for text in texts:
        factory.make_segment(video, label=None, text=text)
    export_dataset(tmp_path, "train")

    items = pysrt.open(str(tmp_path / "train" / "subtitles" / "7.srt"), error_handling=pysrt.ERROR_RAISE)
    assert [item.text for item in items] == [
        "From A 00:00:01,000 → 00:00:02,000 to B.",
        "First 2 second",
        "… and “so” on – élan",
    ]
    assert [(item.start.ordinal, item.end.ordinal) for item in items] == [
        (segment.start_ms, segment.end_ms) for segment in video.segments.order_by("position")
    ]


@pytest.mark.django_db
def test_a_video_is_written_in_the_layout_of_2019(video: Video, tmp_path: Path) -> None:
    export_dataset(tmp_path, "train")
    root = tmp_path / "train"

    assert rows_of(root / "dataset_train.csv") == [
        {
            "Id": "7",
            "URL": video.url,
            "Title": "A talk",
            "Audio": "audio/7.wav",
            "Captions": "subtitles/7.srt",
            "Polarity": "polarity_csv/polarity_7.csv",
            "Pickle": "pickle_lists/polarity_7.p",
        }
    ]
    assert (root / "polarity_csv" / "polarity_7.csv").read_text() == '"00:00:00,000",0.5\n"00:00:04,000",-0.5\n'
    with (root / "pickle_lists" / "polarity_7.p").open("rb") as file:
        assert pickle.load(file) == [("00:00:00,000", 0.5), ("00:00:04,000", -0.5)]
    srt = (root / "subtitles" / "7.srt").read_text()
    assert srt.startswith("1\n00:00:00,000 --> 00:00:03,000\nGood news today.\n\n2\n00:00:04,000 --> ")
    assert srt.endswith("[Laughing]\n")
    clips = sorted(str(path.relative_to(root)) for path in (root / "audio").rglob("*.wav"))
    assert clips == ["audio/7.wav", "audio/7/negative/7temp1.wav", "audio/7/positive/7temp0.wav"]
    for name, seconds in (("audio/7.wav", 14), ("audio/7/positive/7temp0.wav", 3)):
        with wave.open(str(root / name)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
            assert file.getnframes() == seconds * 16_000


@pytest.mark.django_db
def test_long_recordings_are_written_piece_by_piece_without_a_seam(
    video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_dataset(tmp_path / "whole", "train")
    monkeypatch.setattr("pipeline.dataset.PIECE_MS", 777)
    export_dataset(tmp_path / "pieces", "train")
    names = [tmp_path / part / "train" / "audio" / "7.wav" for part in ("whole", "pieces")]
    assert names[0].read_bytes() == names[1].read_bytes()


@pytest.mark.django_db
def test_what_is_not_there_is_left_out_and_still_listed(factory: Factory, tmp_path: Path) -> None:
    factory.make_video(dataset_id="0", state="failed")
    factory.make_video(dataset_id="", state="queued")
    factory.make_video(split="test")
    assert export_dataset(tmp_path, "train") == 2
    root = tmp_path / "train"
    assert [row["Id"] for row in rows_of(root / "dataset_train.csv")] == ["0", "1"]
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["dataset_train.csv"]


@pytest.mark.django_db
def test_an_imported_row_never_says_where_a_file_is_written(video: Video, tmp_path: Path) -> None:
    row = dict.fromkeys(COLUMNS, "../../evil")
    Video.objects.update(dataset_row=row)
    export_dataset(tmp_path / "inside", "train")
    assert rows_of(tmp_path / "inside" / "train" / "dataset_train.csv") == [row]
    assert sorted(path.name for path in tmp_path.iterdir() if "evil" in path.name) == []
    assert (tmp_path / "inside" / "train" / "audio" / "7.wav").is_file()


@pytest.mark.django_db
def test_labels_of_the_other_policy_can_be_written(video: Video, factory: Factory, tmp_path: Path) -> None:
    video.segments.get(position=0).text_labels.filter(policy="recommended").update(mean=0.75)
    export_dataset(tmp_path, "train", policy="recommended")
    assert "0.75" in (tmp_path / "train" / "polarity_csv" / "polarity_7.csv").read_text()
