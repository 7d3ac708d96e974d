"""Who speaks, as the captions of other programs say it themselves."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.stages.captions import read_captions, segment
from tests.stages.shown import RECOMMENDED, spoken

SAID = [
    ("", "Nobody knows who said this."),
    ("Joy Miller", "Where were you on that day?"),
    ("Sam", "I was at work until nine."),
    ("Joy Miller", "And the bus was late?"),
]


def ass() -> str:
    lines = "\n".join(
        f"Dialogue: 0,0:00:{3 * n:02}.00,0:00:{3 * n + 3:02}.00,Default,{name},0,0,0,,{text}"
        for n, (name, text) in enumerate(SAID)
    )
    heading = "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    return f"{heading}Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n{lines}\n"


def whisper() -> str:
    segments = [
        {"start": 3.0 * n, "end": 3.0 * n + 3, "text": f" {text}", **({"speaker": name} if name else {})}
        for n, (name, text) in enumerate(SAID)
    ]
    return json.dumps({"segments": segments})


def ttml() -> str:
    agent = {name: f' ttm:agent="a{len(name)}"' if name else "" for name, _ in SAID}
    paragraphs = "".join(
        f'<p begin="{3 * n}s" end="{3 * n + 3}s"{agent[name]}>{text}</p>' for n, (name, text) in enumerate(SAID)
    )
    agents = "".join(
        f'<ttm:agent xml:id="a{len(name)}" type="person"><ttm:name>{name}</ttm:name></ttm:agent>'
        for name in ("Joy Miller", "Sam")
    )
    return (
        '<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata">'
        f"<head><metadata>{agents}</metadata></head><body><div>{paragraphs}</div></body></tt>"
    )


@pytest.mark.parametrize("write", [ass, whisper, ttml])
def test_names_in_a_files_own_markup_are_the_speakers(tmp_path: Path, write: Callable[[], str]) -> None:
    path = tmp_path / f"a.{write.__name__}"
    path.write_text(write(), encoding="utf-8")
    assert spoken(segment(read_captions(path), RECOMMENDED)) == SAID
