"""Apostrophes, contractions and negations of spoken text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.negation import straighten, with_near_negations
from pipeline.stages.pattern_en import is_in_lexicon


def test_it_straightens_apostrophes_and_quotation_marks():
    assert straighten("I don’t say “no”, d‘accord") == "I don't say \"no\", d'accord"
    assert straighten("naïve café") == "naïve café"


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("It isn't good", "It not good"),
        ("it isnt good", "it not good"),
        ("We cannot be happy", "We not happy"),
        ("never in a happy mood", "not happy mood"),
        ("nobody is happy", "not happy"),
        ("I don't know. Happy day", "I not know. Happy day"),  # a stop ends the reach
        ("not in any of their happy days", "not in any of their happy days"),  # too far
        ("nothing", "nothing"),
        ("I want good bread", "I want good bread"),
        ("NOT good", "not good"),
        ("I don't, good man", "I not, good man"),
    ],
)
def test_negations_come_next_to_what_they_turn(text, near):
    assert with_near_negations(text, is_in_lexicon) == near


@given(st.text(alphabet="not never don't\nisnt good.!,'’ ", max_size=200))
def test_no_other_word_is_added(text):
    near = with_near_negations(straighten(text), is_in_lexicon)
    assert len(near.split()) <= len(text.split()) + 2 * text.lower().count("nt") + text.count("n't")
