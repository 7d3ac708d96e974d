"""The three classes of Crossmodal: their order, signs, words and colours."""

POSITIVE = "positive"
NEUTRAL = "neutral"
NEGATIVE = "negative"

# The order of every confusion matrix, probability vector and table.
LABELS: tuple[str, str, str] = (POSITIVE, NEUTRAL, NEGATIVE)
CHOICES: list[tuple[str, str]] = [(label, label.capitalize()) for label in LABELS]

# A sign stands beside every colour, so that no meaning rests on colour alone.
SIGNS: dict[str, str] = {POSITIVE: "+", NEUTRAL: "○", NEGATIVE: "−"}

# Okabe and Ito's palette (2008), distinguishable with the common colour-vision deficiencies.
COLOURS: dict[str, str] = {POSITIVE: "#009e73", NEUTRAL: "#767676", NEGATIVE: "#d55e00"}


def label_of_polarity(polarity: float) -> str:
    """Class by sign (method §4): above 0 positive, below 0 negative, exactly 0 neutral."""
    if polarity > 0:
        return POSITIVE
    return NEGATIVE if polarity < 0 else NEUTRAL
