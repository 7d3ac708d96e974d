"""docs/api.md says what the commands print: its examples have the keys of real output, in the same order."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.management import CommandError, call_command

from pipeline.stages.ytdlp_lookup import ClientAnswer
from tests.conftest import ROOT
from tests.evaluation.corpus import make_judged_corpus
from tests.factories import Factory
from tests.feeds import add_feed
from tests.loopback import serving


def example(command: str) -> Any:
    """The JSON example in a command's section."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", text.split(f"## `{command}`\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    found = re.search(r"```json\n(.*?)```", section, flags=re.DOTALL)
    assert found, f"no example in the section on {command}"
    return json.loads(found[1])


def shape(value: Any) -> Any:
    """A document with its keys in order and types in the place of values; lists by their first element."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    call_command(*arguments)
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Eighteen clips of noise: three groups with two of each class."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{number:02d}.wav" for number in range(18)]
    for path in paths:
        soundfile.write(path, 0.1 * rng.standard_normal(16_000), 16_000, subtype="PCM_16")
    return paths


@pytest.mark.django_db
def test_add_video_list(factory: Factory, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    factory.make_video(extractor_id="i4b-_bNsajY")
    with serving(tmp_path) as site:
        settings.DOWNLOAD_PRIVATE_ORIGINS = [site.origin]
        url = add_feed(
            site, ("A talk", "https://youtu.be/i4b-_bNsajY", "12:34"), ("Another", "/b.wav"), ("C", "/c.wav")
        )
        document = printed(capsys, "add_video", "--list", url, "--count", "1", "--format", "json")
    assert shape({**document, "total": None}) == shape(example("add_video --list"))


@pytest.mark.django_db
def test_evaluate(factory: Factory, capsys: pytest.CaptureFixture[str]) -> None:
    make_judged_corpus(factory)
    document = printed(
        capsys, "evaluate", "--predictions", "text", "--against", "people", "--split", "train", "--format", "json"
    )
    assert shape(document) == shape(example("evaluate"))


def test_crossvalidate(clips: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classes = ("positive", "neutral", "negative")
    manifest = tmp_path / "manifest.csv"
    rows = [f"{path.name},{classes[i % 3]},speaker{i % 18 // 6}" for i, path in enumerate(clips)]
    manifest.write_text("\n".join(["path,label,group", *rows]), encoding="utf-8")
    document = printed(capsys, "crossvalidate", str(manifest), "--folds", "3", "--format", "json")
    keys = list(example("evaluate"))
    assert list(document) == [*keys[: keys.index("notes") + 1], "recipe"]
    assert list(document["recipe"]) == list(example("crossvalidate")["recipe"])


@pytest.mark.django_db
def test_predict(factory: Factory, capsys: pytest.CaptureFixture[str]) -> None:
    run = factory.make_run()
    segment = factory.make_segment(factory.make_video(split="test"))
    factory.make_prediction(run, segment, "positive", p_positive=0.5, p_neutral=0.3, p_negative=0.2)
    arguments = ("predict", str(run.pk), "--split", "test", "--min-confidence", "0.6", "--format", "json")
    document = printed(capsys, *arguments)
    expected = example("predict")
    assert shape(document) == shape({**expected, "missing_videos": []})
    (told,) = document["segments"]
    assert told == {**expected["segments"][0], "video": segment.video_id}


def test_label_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lines.txt").write_text("I love this wonderful show\n", encoding="utf-8")
    document = printed(capsys, "label_text", str(tmp_path / "lines.txt"), "--format", "json")
    assert shape(document) == shape(example("label_text"))
    (shown,) = example("label_text")
    for name, value in document[0].items():
        assert shown[name] == (pytest.approx(value, abs=1e-3) if isinstance(value, float) else value)


def test_segment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    captions = "1\n00:00:01,000 --> 00:00:04,200\nWe went to the sea that summer.\n"
    (tmp_path / "talk.srt").write_text(captions, encoding="utf-8")
    assert printed(capsys, "segment", str(tmp_path / "talk.srt"), "--format", "json") == example("segment")


def test_features(clips: list[Path], tmp_path: Path) -> None:
    call_command("features", *map(str, clips[:2]), "--out", str(tmp_path / "X.npz"))
    with np.load(tmp_path / "X.npz", allow_pickle=False) as arrays:
        documented = re.findall(r"^\| `(\w+)` \| (.*?) \| (\w+) \|", (ROOT / "docs/api.md").read_text(), re.MULTILINE)
        assert documented == [
            ("X", "(files, features)", "float64"),
            ("names", "(features,)", "str"),
            ("paths", "(files,)", "str"),
        ]
        assert set(arrays) == {"X", "names", "paths"}
        assert (arrays["X"].dtype, arrays["X"].shape) == (np.float64, (2, len(arrays["names"])))
        assert arrays["names"].dtype.kind == arrays["paths"].dtype.kind == "U"
        assert arrays["paths"].tolist() == [str(clip) for clip in clips[:2]]


def test_check_downloads(tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cookies.txt").write_text(".youtube.com\tTRUE\t/\tTRUE\t0\tSID\ta\n")
    soundfile.write(tmp_path / "talk.wav", np.zeros(16_000), 16_000, subtype="PCM_16")
    settings.DOWNLOAD_COOKIES = str(tmp_path / "cookies.txt")
    settings.DOWNLOAD_PROXY = "http://127.0.0.1:9"
    settings.DOWNLOAD_PAUSE_S = {"": 5.0, "youtube.com": 10.0}
    settings.DOWNLOAD_REQUEST_PAUSE_S = 1.0
    with serving(tmp_path) as site:
        settings.DOWNLOAD_PRIVATE_ORIGINS = [site.origin]
        url = site.add_page("/a.html", "talk.wav", ("en", "talk.vtt"))
        with pytest.raises(CommandError):
            call_command("check_downloads", url, "--format", "json")
    document, expected = json.loads(capsys.readouterr().out), example("check_downloads")
    shown, told = expected.pop("video"), document.pop("video")
    assert shape(document) == shape(expected)
    assert list(told) == list(shown)
    for name in ("formats", "captions"):
        assert list(told[name][0]) == list(shown[name][0])
    assert list(asdict(ClientAnswer("web", "OK", "", 1))) == list(shown["clients"][0])
