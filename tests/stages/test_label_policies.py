"""The rule of two voters, and policies that users configure."""

from dataclasses import replace

import pytest

from pipeline.stages.errors import StageError
from pipeline.stages.label_policies import LABEL_POLICIES, LabelPolicy, asks, decide, label_policies_from
from pipeline.stages.sentiment import score_texts

RECOMMENDED = LABEL_POLICIES["recommended"]


@pytest.mark.parametrize(
    ("polarities", "label", "reason"),
    [
        ((0.5, 0.4, 0.4), "positive", ""),  # exactly 0.45
        ((0.5, 0.39, 0.39), "", "weak"),
        ((-0.34, -0.34, -0.34), "negative", ""),
        ((-0.34, -0.33, -0.33), "", "weak"),
        ((0.9, 0.0, 0.0), "positive", ""),  # one voter is silent
        ((0.0, 0.5, 0.5), "neutral", ""),
        ((0.0, 0.0, 0.0), "neutral", ""),
        ((0.26, 0.26, 0.26), "", "weak"),
        ((-0.9, 0.1, 0.1), "", "disagree"),
        ((0.9, -0.2, 0.1), "", "disagree"),  # what the two of one lexicon say counts as one vote, here -0.05
        ((0.9, -0.2, 0.4), "positive", ""),
    ],
)
def test_textblob_and_pattern_are_one_voter_and_vader_the_other(polarities, label, reason):
    mean, *verdict = decide(polarities, RECOMMENDED)
    assert mean == pytest.approx((polarities[0] + (polarities[1] + polarities[2]) / 2) / 2)
    assert verdict == [label, reason]


@pytest.mark.parametrize(
    ("polarity", "label", "reason"),
    [
        (0.3, "positive", ""),
        (0.29, "", "weak"),
        (-0.19, "negative", ""),
        (-0.18, "", "exclaimed"),
        (0, "", "exclaimed"),
    ],
)
def test_an_exclamation_needs_fainter_words_and_is_never_neutral(polarity, label, reason):
    assert decide((polarity,) * 3, RECOMMENDED, exclaimed=True)[1:] == (label, reason)


@pytest.mark.parametrize(
    ("polarity", "label", "reason"),
    [
        (0.75, "positive", ""),  # 0.45 when weighed with 0.6
        (0.74, "", "weak"),
        (0.41, "neutral", ""),
        (-0.57, "negative", ""),
        (-0.56, "", "weak"),
    ],
)
def test_a_question_needs_stronger_words(polarity, label, reason):
    mean, *verdict = decide((polarity,) * 3, RECOMMENDED, asked=True)
    assert mean == pytest.approx(polarity)
    assert verdict == [label, reason]
    plain = replace(RECOMMENDED, question_weight=1.0)
    assert decide((polarity,) * 3, plain, asked=True) == decide((polarity,) * 3, plain)


def test_a_question_is_told_by_its_end():
    texts = ["Was it good?", "“Was it good?” ", "Why? It was good.", "Was it good"]
    assert [asks(text) for text in texts] == [True, True, False, False]
    assert [s.label for s in score_texts(texts[::2], RECOMMENDED)] == ["", "positive"]


def test_without_a_shift_an_exclamation_is_like_any_sentence():
    plain = replace(RECOMMENDED, exclamation_shift=0.0)
    assert decide((0.3, 0.3, 0.3), plain, exclaimed=True)[1:] == ("", "weak")
    assert decide((0.0, 0.0, 0.0), plain, exclaimed=True)[1:] == ("neutral", "")


def test_even_a_large_shift_makes_no_label_of_nothing():
    assert decide((0.0, 0.0, 0.0), replace(RECOMMENDED, exclamation_shift=1.0), exclaimed=True)[1:] == ("", "exclaimed")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I don’t love this one bit", "negative"),  # a curly apostrophe
        ("I dont love this one bit", "negative"),  # none at all
        ("He won't be happy with it", "negative"),  # words between
        ("It's never been good for us", "negative"),
        ("I don't think it's good", "negative"),
        ("This is not a very good idea", ""),  # weak
        ("I love it, and not because of you", "positive"),
        ("We took the train to the office", "neutral"),
        ("We took the train to the office!", ""),
    ],
)
def test_recommended_hears_negations_and_abstains_when_unsure(text, label):
    assert score_texts([text], RECOMMENDED)[0].label == label


def test_a_user_configures_policies_on_top_of_others():
    policies = label_policies_from(
        {"strict": {"base": "seed-2019", "min_abs_mean": 0.5}, "brave": {"max_neutral": 1}, "same": {"base": "strict"}}
    )
    assert list(policies) == ["seed-2019", "recommended", "strict", "brave", "same"]
    assert policies["strict"] == LabelPolicy(name="strict", remove_stop_words=True, min_abs_mean=0.5)
    assert policies["brave"] == replace(RECOMMENDED, name="brave", max_neutral=1.0)
    assert policies["same"].parameters == policies["strict"].parameters
    (score,) = score_texts(["This is good"], policies["strict"])
    assert score.label == "positive"
    assert score.mean == pytest.approx((0.4404 + 1.4) / 3)


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("mine", 5, "must be a mapping"),
        ("recommended", {}, "is taken"),
        ("", {}, "is taken, empty"),
        ("x" * 41, {}, "over 40 letters"),
        ("mine", {"base": "theirs"}, "which is none of: seed-2019, recommended"),
        ("mine", {"min": 0.5}, "has no parameter “min”; there are: remove_stop_words, min_abs_mean"),
        ("mine", {"min_abs_mean": 2}, "a number from 0 to 1"),
        ("mine", {"min_abs_mean": float("nan")}, "a number from 0 to 1"),
        ("mine", {"min_abs_mean": "0.5"}, "a number from 0 to 1"),
        ("mine", {"min_abs_mean": True}, "a number from 0 to 1"),
        ("mine", {"keep_equal": 1}, "true or false"),
        ("mine", {"rule": "loudest"}, "one of: unanimous, two-voters"),
        ("mine", {"rule": ["two-voters"]}, "one of: unanimous, two-voters"),
        ("mine", {"name": "yours"}, "has no parameter"),
    ],
)
def test_a_wrong_policy_is_refused_in_a_sentence(name, parameters, sentence):
    with pytest.raises(StageError, match=sentence):
        label_policies_from({name: parameters})
