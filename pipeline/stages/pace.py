"""How long words take when they are spoken slowly."""

# A word's times say when it starts. It ends with the next word's start, or after the longest time (ms) that it can
# well take: a slow 12 characters a second and some. Longer waits are pauses.
WORD_BASE_MS = 200
WORD_MS_PER_CHARACTER = 80
# Subtitles stay for 7 s at the most (BBC, Netflix and EBU guidelines), transcripts by paragraphs for half a minute.
LONGEST_CUE_MS = 30_000
# So many times as long as the words take when spoken slowly: nobody speaks like that.
SLOWNESS = 4


def longest_word_ms(word: str) -> int:
    """Give the longest time, in milliseconds, that a word can well take."""
    return WORD_BASE_MS + WORD_MS_PER_CHARACTER * len(word)


def slow_ms(text: str) -> int:
    """Give the time, in milliseconds, that a text takes when spoken slowly."""
    return sum(map(longest_word_ms, text.split()))


def lasts_too_long(text: str, length_ms: int) -> bool:
    """Tell whether a text cannot be said over so long a time."""
    return length_ms > max(LONGEST_CUE_MS, SLOWNESS * slow_ms(text))
