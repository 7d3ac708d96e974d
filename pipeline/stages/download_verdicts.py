"""What yt-dlp 2026.10 and the sites behind it say, and what each saying means.

The sayings are those of yt-dlp's extractors, above all of `extractor/youtube/_video.py` (its own messages, and the
reasons that YouTube gives in `playabilityStatus`), of `YoutubeDL.py` and of the JavaScript challenge providers.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

TRY_LATER: Final = "it is tried again later."
CHECK: Final = "“manage.py check_downloads” says what is missing"


class Outcome(Enum):
    """What follows from a saying."""

    PERMANENT = auto()
    # Permanent on sites that say this only where they are sure. YouTube says it for other reasons too.
    PERMANENT_ELSEWHERE = auto()
    AGAIN = auto()
    # Nothing more is asked of the site for a while, since the next video would be told the same.
    SITE_RESTS = auto()
    # This machine could not unlock the recording. Other videos may come; where the next one does not, the site rests.
    LOCKED = auto()


@dataclass(frozen=True)
class Verdict:
    """A saying and its meaning.

    Attributes
    ----------
    saying : str
        Pattern, searched for without regard to case.
    sentence : str
        For the user: what is wrong and what helps, with a full stop.
    outcome : Outcome
    vague : bool
        True where the saying leaves the cause open, so that yt-dlp's warnings decide if they name one.
    """

    saying: str
    sentence: str
    outcome: Outcome
    vague: bool = False

    def fits(self, text: str) -> bool:
        return re.search(self.saying, text, re.IGNORECASE) is not None


_HELPS = (
    "own cookies (DOWNLOAD_COOKIES), a longer pause between downloads (DOWNLOAD_PAUSE_S) or uploading the recording "
    "helps"
)

TOO_MANY: Final = Verdict(
    r"HTTP Error 429|too many requests",
    f"The site asks this machine for a pause (HTTP 429); {_HELPS}.",
    Outcome.SITE_RESTS,
)

# Refusals that concern every video of the site.
REFUSALS: Final = (
    TOO_MANY,
    Verdict(
        r"not a (?:ro)?bot\b|captcha challenge|complete (?:the|a) captcha",
        f"The site wants a proof that this machine is not a bot; {_HELPS}.",
        Outcome.SITE_RESTS,
    ),
    Verdict(
        r"content isn.t available, try again later|rate.?limit(?:ed|ing)?\b",
        f"The site asks this machine for a pause; {_HELPS}.",
        Outcome.SITE_RESTS,
    ),
    Verdict(
        r"\bIP(?: address)? is (?:likely )?(?:being )?(?:blocked|banned)|all player responses are invalid",
        f"The site has blocked the address of this machine; {_HELPS}.",
        Outcome.SITE_RESTS,
    ),
    Verdict(
        r"cloudflare anti-bot|client challenge webpage|blocked due to its TLS fingerprint",
        "The site lets no program in, only browsers; uploading the recording helps.",
        Outcome.SITE_RESTS,
    ),
)

OLD_COOKIES: Final = Verdict(
    r"cookies are no longer valid",
    "The cookies of DOWNLOAD_COOKIES are no longer valid; export them again, as the operations guide says.",
    Outcome.SITE_RESTS,
)

# What yt-dlp warned of before it failed with something vague.
CAUSES: Final = (
    *REFUSALS,
    OLD_COOKIES,
    Verdict(
        r"no supported javascript runtime",
        f"YouTube's recordings cannot be unlocked, since no JavaScript runtime was found; {CHECK}.",
        Outcome.LOCKED,
    ),
    Verdict(
        r"(?:signature|n challenge) solving failed|error solving \S+ challenge|js challenge provider|"
        r"challenge solver|remote components? .* skipped",
        f"YouTube's recordings cannot be unlocked, since its challenge was not solved; {CHECK}, "
        "and “make update-downloader” brings the newest solver.",
        Outcome.LOCKED,
    ),
    Verdict(
        r"experiment that applies DRM",
        "YouTube offered the recording with copy protection (DRM) to this session only, as it does in experiments; "
        "trying again later may help.",
        Outcome.AGAIN,
    ),
    Verdict(
        r"DRM protected and only images",
        "The recording is protected against copying (DRM).",
        Outcome.PERMANENT_ELSEWHERE,
    ),
    Verdict(
        r": HTTP Error 403",  # yt-dlp also warns of what may yield one
        "The site refuses its answers to this machine (HTTP 403); own cookies (DOWNLOAD_COOKIES), or a newer "
        "downloader by “make update-downloader”, may help.",
        Outcome.AGAIN,
    ),
    Verdict(
        r"unable to download api page",
        "YouTube did not answer all of the players that were tried.",
        Outcome.AGAIN,
    ),
    # Last, since YouTube does so with one of the usual players whatever is wrong.
    Verdict(
        r"SABR",
        "YouTube offered the recording only in a form that cannot be fetched (SABR); trying again later or "
        "own cookies (DOWNLOAD_COOKIES) may help.",
        Outcome.AGAIN,
    ),
    Verdict(
        r"require an? (?:GVS|player) PO token|unable to fetch (?:GVS|player) PO token",
        "YouTube gives the recording only to a player that proves itself by a token; own cookies (DOWNLOAD_COOKIES) "
        "or uploading the recording helps.",
        Outcome.AGAIN,
    ),
)

# What an extraction failed with; the first that fits counts.
SAYINGS: Final = (
    *REFUSALS,
    Verdict(
        r"private video|(?:video|post) is private|marked (?:as )?private", "The video is private.", Outcome.PERMANENT
    ),
    Verdict(
        r"confirm your age|\bage.?(?:restricted|limit|verif|check)|inappropriate for some users|"
        r"\b18 (?:years )?(?:or|and) older|nsfw|adult content",
        "The video is open to signed-in adults only.",
        Outcome.PERMANENT,
    ),
    Verdict(
        r"(?:available|blocked|watch it|restricted)[^.]{0,40}\b(?:in|from|for) (?:your|this|the user.s) "
        r"(?:country|location|region)|(?:outside|not) (?:of )?(?:your|this) (?:country|region)|"
        r"geo.?(?:restrict|block)|geographic(?:al)? restriction",
        "The video is blocked in the country of this machine.",
        Outcome.PERMANENT,
    ),
    Verdict(
        r"copyright (?:claim|grounds|infring|complaint|issue|holder|owner|strike|notice)|DMCA",
        "The video is blocked for a claim of copyright.",
        Outcome.PERMANENT,
    ),
    Verdict(
        r"members.?only|join this channel|members on level|members of this channel|requires? (?:a )?(?:payment|rental|"
        r"purchase|(?:\w+ )?(?:subscription|membership))|appropriate subscription|"
        r"premium (?:members|users|subscribers)|"
        r"(?:need|have) to (?:purchase|subscribe|rent|buy)|(?:paid|paying|supporter|subscriber)s?.?only|"
        r"only (?:available )?(?:to|for) (?:\w+ )?subscribers|do(?:es)? not have access to this",
        "The video is open to paying members only.",
        Outcome.PERMANENT,
    ),
    Verdict(
        r"(?:was|were|been|is) (?:removed|deleted|taken down)\b|no longer (?:available|exists)|"
        r"isn.t available any ?more|account[^.]{0,60}(?:terminated|closed|suspended)|removed for violating|"
        r"has most likely expired",
        "The video has been removed.",
        Outcome.PERMANENT,
    ),
    Verdict(
        r"premieres? (?:in|will begin)|(?:event|stream|broadcast) (?:will|is scheduled|has not|hasn.t)|"
        r"livestream has (?:not yet started|ended)|not currently live|live event|live stream (?:recording|is offline)|"
        r"will be available (?:after|on|in)|not available yet|^offline\b",
        "The video is a live broadcast, or has not been broadcast yet; submit it when it is over.",
        Outcome.PERMANENT,
    ),
    Verdict(  # YouTube also says so to machines in data centres, of videos that play elsewhere
        r"^video unavailable\.?$|video (?:is unavailable|does not exist|doesn.t exist|not found|id was not found)",
        "The site says that there is no such video.",
        Outcome.PERMANENT_ELSEWHERE,
        vague=True,
    ),
    Verdict(
        r"protected by a password|password.?protected|wrong (?:video )?password|invalid (?:video )?password",
        "The video is protected by a password; upload the recording instead.",
        Outcome.PERMANENT,
    ),
    Verdict(r"\bDRM\b", "The recording is protected against copying (DRM).", Outcome.PERMANENT, vague=True),
    Verdict(
        r"processing this video",
        "The site is still preparing the video; it can be fetched when that is done.",
        Outcome.AGAIN,
    ),
    Verdict(
        r"page needs to be reloaded",
        "YouTube asks for its page to be loaded anew, as it does when it doubts a player; trying again later, own "
        "cookies (DOWNLOAD_COOKIES) or “make update-downloader” may help.",
        Outcome.AGAIN,
    ),
    Verdict(
        r"not available on this (?:app|device)|latest version of youtube",
        "YouTube does not give the video to the players that are tried; “make update-downloader” or other ones "
        "(DOWNLOAD_PLAYER_CLIENTS) may help.",
        Outcome.AGAIN,
    ),
    Verdict(
        r"client only works when logged",
        "The site wants somebody signed in; own cookies (DOWNLOAD_COOKIES) or uploading the recording helps.",
        Outcome.AGAIN,
    ),
    Verdict(
        r"registered users|(?:must|need to|have to) (?:be logged|be signed|log|sign)|(?:log.?in|sign.?in|"
        r"authentication)(?: details)? (?:is |are |may be )?(?:required|needed)|"
        r"please (?:log|sign) in|^sign in\b|logged.?in users|requires? (?:a )?(?:log.?in|authentication|sign.?in)|"
        r"may need login|only (?:available )?(?:to|for|when) (?:logged|signed)",
        "The video is open to signed-in people only; own cookies (DOWNLOAD_COOKIES) or uploading the recording helps.",
        Outcome.PERMANENT_ELSEWHERE,
        vague=True,
    ),
    Verdict(
        r"failed to extract any player response",
        "YouTube answered none of the players that were tried; “manage.py check_downloads” with the video's address "
        "says what it told each.",
        Outcome.AGAIN,
        vague=True,
    ),
    Verdict(
        r"requested format is not available|no video formats|no media found|only images are available",
        "The site named no recording that can be fetched; “manage.py check_downloads” with the video's address says "
        "what it offers, and uploading the recording helps.",
        Outcome.AGAIN,
        vague=True,
    ),
    Verdict(
        r"(?:video|content|clip|media) (?:is not|isn.t|not) (?:currently )?available|^video unavailable",
        "The site says that the video is not available, and not why; uploading the recording helps.",
        Outcome.AGAIN,
        vague=True,
    ),
    Verdict(
        r"^unsupported url|is not a valid url",
        "There is no recording at this address that can be fetched.",
        Outcome.PERMANENT,
    ),
    Verdict(
        # More often this machine's clock, or a proxy that opens TLS, than the site.
        r"certificate verify failed",
        "The site's certificate is not valid here, so nothing was fetched; set this machine's clock, and where a proxy "
        "opens TLS, name its certificates in SSL_CERT_FILE.",
        Outcome.AGAIN,
    ),
)


# Sites that only guess at the cause. Advice ("you may be able to …") and YouTube's words beside an age limit are none.
# Small letters only: "May" is a month.
HEDGED: Final = re.compile(
    r"(?<![Yy]ou )\b(?:may|might)\b(?! be inappropriate)|\b(?:[Pp]ossibly|[Pp]robably|[Pp]erhaps|[Ee]ither)\b"
)


def find_verdict(text: str, verdicts: tuple[Verdict, ...]) -> Verdict | None:
    """Return the first verdict that a text fits."""
    return next((verdict for verdict in verdicts if verdict.fits(text)), None)
