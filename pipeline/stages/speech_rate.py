"""Whether words fit into the time that they are said to take."""

from pipeline.stages.cues import without_tags

# Over two seconds and more, the fastest of 695 lines of a comedy series (MELD) has 6.0 words and 33 characters a
# second, the fastest utterance of automatic captions of a real talk 4.6 and 22, the fastest segment recorded in 2019
# 5.9 and 30. Auctioneers reach some 7 words. Characters count with their spaces, and catch text that has none.
MAX_WORDS_PER_S = 8.0
MAX_CHARACTERS_PER_S = 40.0


def too_fast(text: str, length_ms: int) -> bool:
    """Tell whether nobody can say a text in so short a time.

    Parameters
    ----------
    text : str
        With or without tags, which take no time.
    length_ms : int
        In milliseconds, above 0.
    """
    spoken = without_tags(text)
    length_s = length_ms / 1000
    return len(spoken.split()) > MAX_WORDS_PER_S * length_s or len(spoken) > MAX_CHARACTERS_PER_S * length_s
