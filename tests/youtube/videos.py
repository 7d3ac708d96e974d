"""What the YouTube on loopback has: videos with their captions, and how it treats each of them."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from crossmodal.demo import subtitles
from crossmodal.demo.recording import encode, perform
from crossmodal.demo.scripts import Mood, Script, Turn
from crossmodal.demo.timeline import Timeline

# The kinds of clients (applications of YouTube) that yt-dlp pretends to be, as they call themselves.
TV, VISION, WEB, EMBEDDED, CREATOR = "TVHTML5", "VISIONOS", "WEB", "WEB_EMBEDDED_PLAYER", "WEB_CREATOR"

SPOKEN = (
    (Mood.HAPPY, "I am so happy about the wonderful garden we made here."),
    (Mood.CALM, "The bus to the market leaves at nine every morning."),
    (Mood.SAD, "It was a terrible and sad winter for all the people."),
)


@dataclass(frozen=True)
class Track:
    """Captions in one language: their text per form, "json3", "vtt" or another that the site is asked for."""

    forms: Mapping[str, str]
    language: str = "en"
    automatic: bool = False

    @property
    def name(self) -> str:
        known = {"en": "English", "de": "German", "en-GB": "English (United Kingdom)"}.get(self.language, self.language)
        return f"{known} (auto-generated)" if self.automatic else known


@dataclass
class Video:
    """One video and how the site treats it; change it while the site runs.

    Attributes
    ----------
    verdict : str
        What the site says about it to all clients: "ok" or a name in `verdicts.py`, or an HTTP status.
    verdicts : dict of str to str
        What it says to single clients instead.
    signed_in : str
        What it says to an account instead; nothing where that makes no difference.
    unsolved : str
        What media with an unsolved challenge do: "forbidden" (403) or "crawl".
    media_address, captions_address : str
        Addresses given out instead of the site's own.
    media_redirect : str
        Where the site's own media addresses lead.
    dubbed : str
        Language of a second sound track that a machine has spoken; it is the default, and as good as the original.
    trailer : str
        Id of a video that is given in place of this one.
    captions_token : bool
        Whether the site marks captions as given to holders of a token only.
    hidden_token : bool
        Whether it wants that token without marking it: then captions are empty.
    """

    id: str
    title: str = "A day in the garden"
    length_s: int = 12
    media: bytes = b""
    tracks: tuple[Track, ...] = ()
    verdict: str = "ok"
    verdicts: dict[str, str] = field(default_factory=dict)
    signed_in: str = ""
    made_for_kids: bool = False
    unsolved: str = "forbidden"
    media_status: int = 200
    media_address: str = ""
    media_redirect: str = ""
    dubbed: str = ""
    trailer: str = ""
    captions_status: int = 200
    captions_address: str = ""
    captions_token: bool = False
    hidden_token: bool = False

    def verdict_for(self, client: str, *, signed_in: bool = False) -> str:
        if signed_in and self.signed_in:
            return self.signed_in
        return self.verdicts.get(client, self.verdict)

    @property
    def address(self) -> str:
        return f"https://www.youtube.com/watch?v={self.id}"


@cache
def interview() -> tuple[bytes, Timeline]:
    """A short interview, really spoken: WebM with Opus, as YouTube's best sound is, and when each word is said."""
    turns = tuple(Turn("guest", mood, text) for mood, text in SPOKEN)
    voices = {"guest": "en-us"}
    script = Script("fake-youtube", "A day in the garden", "train", "webm", "json3", voices, turns, "")
    samples, rate_hz, timeline = perform(script)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "interview.webm"
        encode(path, samples, rate_hz, "webm")
        return path.read_bytes(), timeline


def automatic_track(language: str = "en") -> Track:
    timeline = interview()[1]
    forms = {"json3": subtitles.as_json3(timeline), "vtt": subtitles.as_rolling_vtt(timeline)}
    return Track(forms, language, automatic=True)


def manual_track(language: str = "en") -> Track:
    """People's captions; their json3 has whole lines without word times."""
    timeline = interview()[1]
    events = [
        {
            "tStartMs": sentence.start_ms,
            "dDurationMs": sentence.end_ms - sentence.start_ms,
            "segs": [{"utf8": sentence.text}],
        }
        for sentence in timeline.sentences
    ]
    json3 = json.dumps({"wireMagic": "pb3", "events": events})
    return Track({"json3": json3, "vtt": subtitles.as_vtt(timeline), "srt": subtitles.as_srt(timeline)}, language)
