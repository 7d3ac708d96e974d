"""Tokens, sentence ends and the 2019 stop-word filter."""

import csv
from pathlib import Path

import pytest

from pipeline.stages.words import STOP_WORDS, ends_sentence, remove_stop_words, sentences, word_tokens


def test_the_stop_words_are_the_179_of_2019():
    assert len(STOP_WORDS) == 179
    assert {"i", "not", "don't", "wouldn", "t"} <= STOP_WORDS
    assert not {"I", "n't", "'s", "would", "could", "us"} & STOP_WORDS


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I don't know.", ["I", "do", "n't", "know", "."]),
        ("She's gonna go, isn't she?", ["She", "'s", "gon", "na", "go", ",", "is", "n't", "she", "?"]),
        ("We quit. We've got it. Dr. Who", ["We", "quit", ".", "We", "'ve", "got", "it", ".", "Dr.", "Who"]),
        ("  two   words ", ["two", "words"]),
        ("", []),
    ],
)
def test_it_cuts_words_as_nltk_does_with_its_sentence_model(text, tokens):
    assert word_tokens(text) == tokens


def test_stop_words_are_removed_case_sensitively_and_with_them_not():
    assert remove_stop_words("I do not think That is good, is it?") == "I think That good , ?"


@pytest.mark.parametrize(
    ("word", "following", "ends"),
    [
        ("Kafka.", "Next", True),
        ("really?!", "no", True),
        ("“Stop!”", "he", True),
        ("(done.)", "", True),
        ("I.", "Then", True),
        ("Mr.", "Smith", False),
        ("Ph.D.", "Smith", False),
        ("J.", "Smith", False),
        ("U.S.", "has", False),
        ("2.5", "hours", False),
        ("well...", "maybe", False),
        ("well…", "Maybe", True),
        ("word", "", False),
        ("...", "", True),
        ("", "", False),
    ],
)
def test_it_knows_where_sentences_end(word, following, ends):
    assert ends_sentence(word, following) is ends


def test_sentences_keep_every_word():
    text = "It was  2.5 hours. Really?\nYes... it was! Mr. X said"
    assert sentences(text) == ["It was 2.5 hours.", "Really?", "Yes... it was!", "Mr. X said"]


def test_a_damaged_word_takes_no_quadratic_time():
    assert not ends_sentence("." * 1_000_000 + "x")


@pytest.mark.shared_data
def test_the_texts_recorded_in_2019_are_what_this_filter_leaves(shared_data: Path) -> None:
    """They hold at least four tokens and no stop-word; filtering them again changes five quotation marks and
    clitics that the tokenizer of 2019 left together."""
    changed = []
    for path in sorted((shared_data / "seed2019" / "polarity_train").iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            for number, (_, _, text) in enumerate(csv.reader(file)):
                assert len(text.split()) >= 4
                assert not STOP_WORDS & set(text.split())
                if remove_stop_words(text) != text:
                    changed.append((path.name, number))
    assert changed == [
        ("polarity_1.csv", 3),
        ("polarity_6.csv", 27),
        ("polarity_6.csv", 28),
        ("polarity_6.csv", 30),
        ("polarity_6.csv", 32),
        ("polarity_7.csv", 23),
    ]


@pytest.mark.parametrize("text", ["a.'\"'\"" * 50_000, "word " * 50_000])
def test_what_nobody_speaks_is_cut_into_words_in_good_time(text):
    """NLTK raises TimeoutError after five seconds."""
    assert len(word_tokens(text)) >= 50_000
