"""Labels in front of words, and whether one can be a speaker's name by its form alone."""

import re
from dataclasses import dataclass

# No name has more words or characters: "MARTIN LUTHER KING JR (on phone)".
MAX_NAME_WORDS = 5
MAX_NAME_CHARACTERS = 40

# A mark or a dash may stand before the name. A time or an address has no space after its colon.
_LEAD = r"(?:>{2,}\s*|[-–—]\s*)?"
_COLON = r"\s*[:：](?=\s|$|[^\W\d_]|[\"“‘'¿¡(\[♪….])"
LABEL = re.compile(
    rf"\s*{_LEAD}(?:"
    rf"(?P<bracketed>\[(?P<square>[^\[\]()\n]{{1,60}})\]|\((?P<round>[^\[\]()\n]{{1,60}})\))(?P<colon>{_COLON})?"
    rf"|(?P<bare>(?i:speaker)[ _]\d{{1,3}})[ \t]*\Z"
    rf"|(?P<plain>[^\W_][^:：\n\[\]()<>♪]{{0,60}}?)(?:\s*[(\[][^()\[\]\n]{{1,40}}[)\]])?{_COLON})\s*"
)
_NUMBERED = re.compile(r"(?:unknown[ _])?(?:speakers?|spk|spkr)[ _-]?(?:#?\d{1,3}|[a-z]|\?)?", re.IGNORECASE)
# Small words inside names and roles.
_SMALL_WORDS = (
    "de van von der den di da del la le du dos das bin ibn al el y e af av zu zur ten ter of the and on at in from"
)
PARTICLES: frozenset[str] = frozenset(_SMALL_WORDS.split())
# What stands before a colon in speech and in headings, by its first word.
_LEAD_INS = """
    chorus refrain bridge hook
    note notes question questions answer answers remember warning example examples tip tips hint fact facts point
    points result results conclusion conclusions summary step steps chapter part section rule rules number lesson
    lessons reason reasons problem problems solution solutions update reminder ps p.s nb disclaimer source sources
    credit credits title topic day week month year monday tuesday wednesday thursday friday saturday sunday
    translation translated subtitle subtitles captions captioned captioning caption lyrics produced directed
    written edited date time address email phone website web www http https price total location first second
    third fourth fifth sixth finally last next also today tomorrow yesterday yes no okay ok well so and but or if
    when what why how who where then now this that these those there here it it's i i'm he she we they you your my
    our because like look listen wait see please thanks thank sorry hey hi hello oh ah um uh breaking headline
    quote unquote meaning spoiler option plan phase level round scene act episode season page line verse item
    figure table version test task exercise goal mission idea moral bonus advice caution attention danger
    important correction error pros cons pro con positive negative true false read watch subject re fyi btw case
    recap intro outro ingredients recipe genesis exodus psalm psalms proverbs
    key life pro spoiler fun bottom good bad final one two three four five six seven eight nine ten
    in on at for to as is
    are was were be do does did can could would not let let's
"""
_NO_NAMES: frozenset[str] = frozenset(_LEAD_INS.split())
# Words that describe a sound, and what is heard or shown instead of somebody in front of the microphone.
_SOUND = re.compile(
    r"(?:laugh|applause|applaud|music|cheer|sigh|cough|gasp|chuckl|giggl|whisper|shout|scream|yell|silenc|silent|inaudibl"
    r"|unintelligibl|indistinct|crosstalk|overlap|nois|background|sing|song|cry|cri|sob|groan|grunt|moan|throat|sniff"
    r"|sniffl|snor|snort|beep|ring|bell|bark|bang|knock|door|phone|telephone|thunder|wind|foreign|speak|languag|paus|chant"
    r"|clap|boo|whistl|hum|murmur|mumbl|chatter|audio|video|recording|theme|guitar|piano|drum|engin|siren|alarm|gunshot"
    r"|explosion|explod|crash|click|footstep|breath|exhal|inhal|yawn|burp|hiccup|sneez|kiss|slam|continu|fad|buzz|hiss"
    r"|bleep|censor|redact|blank|scoff|stammer|stutter|snicker|chirp|meow|growl|howl|roar|wail|weep|mimic|imitat|unison"
    r"|voice-?over|v\.?o\.?|o\.?s\.?|spanish|french|german|italian|chinese|mandarin|japanese|korean|arabic|russian|hindi"
    r"|english|latin|portuguese|sic|translat|translation|caption|subtitl|photo|imag|graphic|dialogue|conversation)"
    r"(?:e|s|es|ed|er|ing|ning|ping|ming|bing|ter)?[.,!]?",
    re.IGNORECASE,
)
_MANNERS = """
    in on off both together end start begin softly loudly quietly sarcastically angrily sadly happily excitedly
    nervously slowly quickly calmly sternly jokingly mockingly cheerfully turkish dutch swedish polish greek
    hebrew persian thai
"""
# Who speaks off the screen, as captions for people who hear badly write it in brackets and lower case.
_ROLES = re.compile(
    r"(?:(?:young|old|older|little|elderly|male|female|another|first|second|third|other|news|radio|tv|police)\s)?"
    r"(?:man|woman|boy|girl|guy|lady|child|kid|baby|mother|father|mom|dad|grandmother|grandfather|narrator|announcer"
    r"|reporter|newscaster|anchor|anchorman|host|interviewer|interviewee|moderator|presenter|commentator|operator"
    r"|dispatcher|officer|doctor|nurse|teacher|student|driver|pilot|judge|lawyer|guest|caller|audience member"
    r"|person|men|women|boys|girls|kids|children|all|both|crowd)"
    r"(?:\s(?:#?\d{1,2}|on (?:radio|tv|phone|pa|speaker|recording)|over (?:radio|phone|pa)|in (?:video|recording)))?"
)
_MANNER: frozenset[str] = frozenset(_MANNERS.split())
_TITLES = re.compile(r"(?:[^\W\d_]\.\s*)+")


@dataclass(frozen=True)
class Label:
    """What stands before words like a name: its name, its form, and where the words begin."""

    name: str
    bracket: str
    shape: str
    end: int

    @property
    def key(self) -> str:
        """The name, as spelt in any case."""
        return self.name.casefold()

    @property
    def form(self) -> tuple[str, str]:
        return self.bracket, self.shape


def label_at(text: str, position: int = 0) -> Label | None:
    """Read a label that begins at a place of a text and can be a name by its form.

    Returns
    -------
    Label or None
        ``bracket`` is ":", "[]:", "():", "[]" or "()"; ``shape`` is "numbered", "role", "capitals", "title", "lower" or
        "uncased" (scripts without capitals).
    """
    match = LABEL.match(text, position)
    if match is None:
        return None
    colon = ":" if match["colon"] else ""
    if match["bare"] is not None:  # On a line of its own.
        name, bracket = match["bare"], "[]:"
    elif match["plain"] is not None:
        name, bracket = match["plain"], ":"
    elif match["square"] is not None:
        name, bracket = match["square"], f"[]{colon}"
    else:
        name, bracket = match["round"], f"(){colon}"
    name = " ".join(name.split())
    if bracket != ":" and _ROLES.fullmatch(name):
        return Label(name, bracket, "role", match.end())
    shape = _shape(name)
    if not shape or (bracket != ":" and shape != "numbered" and _is_sound(name)):
        return None
    return Label(name, bracket, shape, match.end())


def _is_sound(name: str) -> bool:
    words = name.split()
    if words[0].lower() in _MANNER or (len(words) == 1 and name.lower().endswith("ing")):
        return True
    return any(map(_SOUND.fullmatch, words))


def _shape(name: str) -> str:
    words = name.replace("_", " ").split()
    if not words or len(words) > MAX_NAME_WORDS or len(name) > MAX_NAME_CHARACTERS:
        return ""
    if _NUMBERED.fullmatch(name):
        return "numbered"
    letters = [character for character in name if character.isalpha()]
    if not letters or name[0].isdigit() or words[0].casefold().strip(".,!?'’") in _NO_NAMES:
        return ""
    if re.search(r"[.!?…;,]\s", _TITLES.sub("", _without_titles(name))) or name[-1] in "!?…;,":
        return ""
    if all(letter.isupper() for letter in letters):
        return "capitals"
    if not any(letter.isupper() or letter.islower() for letter in letters):
        return "uncased"
    if name.islower():
        one_word = len(words) == 1 or (len(words) == 2 and words[1].isdigit())
        return "lower" if one_word else ""
    # "iPhone of Joy" and other names of accounts have capitals inside.
    return "title" if any(map(str.isupper, words[0])) and all(map(_belongs, words[1:])) else ""


def _without_titles(name: str) -> str:
    return re.sub(
        r"\b(?:mr|mrs|ms|dr|prof|rev|gen|col|capt|lt|sgt|sen|rep|gov|st|jr|sr|pres|amb|hon|maj|cpl|det|no)\.",
        "",
        name,
        flags=re.I,
    )


def _belongs(word: str) -> bool:
    return word[0].isupper() or word[0].isdigit() or word[0] in "&#'’\"“(" or word in PARTICLES
