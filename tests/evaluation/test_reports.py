"""Rows to arrays: what is compared, what is left out, and how many queries it takes."""

from typing import Any

import pytest

from annotation.models import TaskState, Vote, VoteOrigin
from evaluation.metrics import EvaluationError
from evaluation.reports import Comparison, Question, model_against_people, model_against_text, text_against_people
from pipeline.models import Segment
from tests.evaluation.corpus import make_judged_corpus
from tests.factories import Factory

pytestmark = pytest.mark.django_db


def judged(factory: Factory, segment: Segment | None = None, truth: str = "positive", **columns: Any) -> Any:
    return factory.make_task(segment=segment, state=TaskState.MAJORITY, truth=truth, **columns)


def counted(comparison: Comparison) -> dict[str, int]:
    return {name: count for name, count in comparison.counts_as_dict().items() if count}


# ---------------------------------------------------------------- text labels against people


def test_text_labels_meet_the_majority_of_the_same_segment(factory: Factory) -> None:
    first = factory.make_segment(label="negative")
    second = factory.make_segment(label="positive")
    campaign = factory.make_campaign()
    judged(factory, first, "positive", campaign=campaign)
    judged(factory, second, "positive", campaign=campaign)
    comparison = text_against_people("train")
    assert (comparison.truth, comparison.predicted) == (["positive", "positive"], ["negative", "positive"])
    assert comparison.groups == [f"video {first.video_id}", f"video {second.video_id}"]
    assert counted(comparison) == {"compared": 2}


def test_segments_without_ground_truth_are_counted_and_not_compared(factory: Factory) -> None:
    campaign = factory.make_campaign()
    factory.make_task(campaign, state=TaskState.OPEN)
    factory.make_task(campaign, state=TaskState.NO_MAJORITY)
    factory.make_task(campaign, state=TaskState.NO_MAJORITY)
    assert counted(text_against_people("train")) == {"awaiting": 1, "no_majority": 2}


def test_an_adjudicated_segment_counts_with_the_admins_decision(factory: Factory) -> None:
    factory.make_task(state=TaskState.ADJUDICATED, truth="negative")
    comparison = text_against_people("train")
    assert comparison.truth == ["negative"]
    assert counted(comparison) == {"compared": 1, "adjudicated": 1}


def test_rejected_and_missing_text_labels_are_counted_apart(factory: Factory) -> None:
    rejected = factory.make_segment(label=None)
    rejected.text_labels.create(
        policy="recommended", vader=0.9, textblob=-0.5, pattern=-0.5, mean=0, label="", rejection="disagree"
    )
    judged(factory, rejected)
    judged(factory, factory.make_segment(label=None))
    assert counted(text_against_people("train")) == {"abstained": 1, "without_prediction": 1}


def test_the_labels_are_those_of_the_policy(factory: Factory) -> None:
    segment = factory.make_segment(label=None)
    factory.make_text_label(segment, "positive", policy="recommended")
    factory.make_text_label(segment, "negative", policy="seed-2019")
    judged(factory, segment)
    assert text_against_people("train", policy="recommended").predicted == ["positive"]
    assert text_against_people("train", policy="seed-2019").predicted == ["negative"]


def test_only_the_split_and_the_campaign_asked_for_count(factory: Factory) -> None:
    train, other = factory.make_campaign(split="train"), factory.make_campaign(split="train")
    test = factory.make_campaign(split="test")
    judged(factory, campaign=train, truth="positive")
    judged(factory, campaign=other, truth="neutral")
    judged(factory, campaign=test, truth="negative")
    assert sorted(text_against_people("train").truth) == ["neutral", "positive"]
    assert text_against_people("train", other).truth == ["neutral"]
    assert text_against_people("test").truth == ["negative"]


def test_a_segment_of_several_campaigns_counts_once_by_the_newest_that_is_settled(factory: Factory) -> None:
    segment = factory.make_segment()
    judged(factory, segment, "positive", campaign=factory.make_campaign())
    judged(factory, segment, "negative", campaign=factory.make_campaign())
    factory.make_task(factory.make_campaign(), segment, state=TaskState.NO_MAJORITY)
    factory.make_task(factory.make_campaign(), segment, state=TaskState.OPEN)
    comparison = text_against_people("train")
    assert comparison.truth == ["negative"]
    assert counted(comparison) == {"compared": 1}


def test_an_unsettled_segment_of_several_campaigns_counts_once_too(factory: Factory) -> None:
    segment = factory.make_segment()
    factory.make_task(factory.make_campaign(), segment, state=TaskState.NO_MAJORITY)
    factory.make_task(factory.make_campaign(), segment, state=TaskState.OPEN)
    assert counted(text_against_people("train")) == {"no_majority": 1}


def imported(factory: Factory, key: str, video: str, label: str = "neutral", **columns: Any) -> Any:
    columns = {"imported_key": key, "imported_video": video, "imported_text": f"text of {key}", **columns}
    return judged(factory, None, imported_label=label, **columns)


def test_rows_of_an_imported_table_bring_their_own_text_label_and_video(factory: Factory) -> None:
    campaign = factory.make_campaign()
    imported(factory, "7/0#1", "7", "negative", campaign=campaign)
    imported(factory, "7/1#1", "7", "positive", campaign=campaign)
    imported(factory, "8/0#1", "8", "", campaign=campaign)
    comparison = text_against_people("train", policy="seed-2019")
    assert (comparison.predicted, comparison.groups) == (["negative", "positive"], ["imported 7", "imported 7"])
    assert counted(comparison) == {"compared": 2, "without_prediction": 1}


def test_an_imported_row_belongs_to_the_stored_video_of_its_number(factory: Factory) -> None:
    video = factory.make_video(dataset_id="7")
    factory.make_video(dataset_id="7", split="test")
    campaign = factory.make_campaign()
    imported(factory, "7/0#1", "7", campaign=campaign)
    judged(factory, factory.make_segment(video), campaign=campaign)
    assert text_against_people("train").groups == [f"video {video.pk}"] * 2


@pytest.mark.parametrize("video", ["", "text-abc#1"])
def test_rows_that_name_no_video_are_one_group_and_counted(factory: Factory, video: str) -> None:
    """Independent groups would make the intervals too narrow."""
    campaign = factory.make_campaign()
    imported(factory, "text-abc#1", video, campaign=campaign)
    imported(factory, "text-def#1", video and "text-def#1", campaign=campaign)
    comparison = text_against_people("train")
    assert len(set(comparison.groups)) == 1
    assert counted(comparison) == {"compared": 2, "without_video": 2}
    report = comparison.report()
    assert report.intervals is None
    assert report.notes[0] == "The rows of the imported table name no video, so intervals over videos cannot be given."
    assert not any("one group" in note for note in report.notes)


def test_some_rows_that_name_no_video_are_told_beside_those_that_do(factory: Factory) -> None:
    campaign = factory.make_campaign()
    imported(factory, "7/0#1", "7", campaign=campaign)
    imported(factory, "text-0123456789abcdef#1/#1", "text-0123456789abcdef#1", campaign=campaign)
    comparison = text_against_people("train")
    assert comparison.groups == ["imported 7", "unknown"]
    assert comparison.report().notes[0].startswith("1 rows of an imported table name no video; intervals take them as")


def test_a_table_imported_into_two_campaigns_counts_once(factory: Factory) -> None:
    imported(factory, "7/0#1", "7", truth="positive", campaign=factory.make_campaign())
    imported(factory, "7/0#1", "7", truth="negative", campaign=factory.make_campaign())
    assert text_against_people("train").truth == ["negative"]


def test_standing_simulated_votes_are_seen_and_retracted_ones_not(factory: Factory) -> None:
    campaign = factory.make_campaign()
    simulated, heard, retracted = (judged(factory, campaign=campaign) for _ in range(3))
    factory.make_vote(simulated, "positive", origin=VoteOrigin.SIMULATED)
    factory.make_vote(simulated, "positive")
    factory.make_vote(heard, "positive")
    gone = factory.make_vote(retracted, "positive", origin=VoteOrigin.SIMULATED)
    Vote.objects.create(
        task=retracted,
        annotator=gone.annotator,
        retracts=gone,
        client_id="6c1f6c0e-5b0b-4b8e-9a53-2d6f0d6f7f19",
        origin=VoteOrigin.SIMULATED,
    )
    comparison = text_against_people("train")
    assert counted(comparison) == {"compared": 3, "simulated": 1}
    assert comparison.is_simulated
    assert comparison.simulated_share == pytest.approx(1 / 3)


# ---------------------------------------------------------------- model against text labels


def test_only_out_of_fold_predictions_meet_the_text_labels(factory: Factory) -> None:
    run = factory.make_run()
    first, second = factory.make_segment(label="positive"), factory.make_segment(label="negative")
    factory.make_prediction(run, first, "neutral", fold=0)
    factory.make_prediction(run, second, "negative", fold=None)
    comparison = model_against_text(run)
    assert (comparison.truth, comparison.predicted) == (["positive"], ["neutral"])
    assert comparison.groups == [f"video {first.video_id}"]
    assert counted(comparison) == {"compared": 1, "without_prediction": 1}


def test_the_runs_own_policy_and_predictions_are_taken(factory: Factory) -> None:
    run, other = factory.make_run(policy="seed-2019"), factory.make_run()
    segment = factory.make_segment(label=None)
    factory.make_text_label(segment, "positive", policy="recommended")
    factory.make_text_label(segment, "negative", policy="seed-2019")
    factory.make_prediction(run, segment, "neutral", fold=1)
    factory.make_prediction(other, segment, "positive", fold=1)
    assert (model_against_text(run).truth, model_against_text(run).predicted) == (["negative"], ["neutral"])


def test_a_prediction_whose_text_label_is_gone_is_counted(factory: Factory) -> None:
    run = factory.make_run()
    factory.make_prediction(run, factory.make_segment(label=None), fold=0)
    assert counted(model_against_text(run)) == {"abstained": 1}


# ---------------------------------------------------------------- model against people


def test_predictions_meet_the_majority(factory: Factory) -> None:
    run = factory.make_run()
    campaign = factory.make_campaign(split="test")
    segment = factory.make_segment(factory.make_video(split="test"))
    factory.make_prediction(run, segment, "negative")
    judged(factory, segment, "positive", campaign=campaign)
    comparison = model_against_people(run, "test")
    assert (comparison.truth, comparison.predicted) == (["positive"], ["negative"])


def test_a_prediction_on_a_video_of_the_training_set_counts_only_out_of_fold(factory: Factory) -> None:
    run, campaign = factory.make_run(), factory.make_campaign()
    trained, unseen = factory.make_video(), factory.make_video()
    out_of_fold = factory.make_segment(trained)
    leaking = factory.make_segment(trained)
    fresh = factory.make_segment(unseen)
    factory.make_prediction(run, out_of_fold, "positive", fold=2)
    factory.make_prediction(run, leaking, "neutral", fold=None)
    factory.make_prediction(run, fresh, "negative", fold=None)
    for segment in (out_of_fold, leaking, fresh):
        judged(factory, segment, campaign=campaign)
    comparison = model_against_people(run, "train")
    assert sorted(comparison.predicted) == ["negative", "positive"]
    assert counted(comparison) == {"compared": 2, "seen_in_training": 1}


def test_segments_without_a_prediction_and_imported_rows_are_counted(factory: Factory) -> None:
    run, campaign = factory.make_run(), factory.make_campaign()
    judged(factory, campaign=campaign)
    imported(factory, "7/0#1", "7", campaign=campaign)
    factory.make_task(campaign, state=TaskState.OPEN)
    assert counted(model_against_people(run, "train")) == {
        "without_prediction": 1,
        "without_recording": 1,
        "awaiting": 1,
    }


# ---------------------------------------------------------------- all of them


def test_each_comparison_takes_one_or_two_queries_however_many_rows(
    factory: Factory, django_assert_num_queries: Any
) -> None:
    corpus = make_judged_corpus(factory)
    with django_assert_num_queries(1):
        assert text_against_people("train").counts.compared == 60
    with django_assert_num_queries(2):
        assert model_against_text(corpus.run).counts.compared == 60
    with django_assert_num_queries(1):
        assert model_against_people(corpus.run, "train", corpus.campaign).counts.compared == 60


def test_an_empty_comparison_has_no_report(factory: Factory) -> None:
    with pytest.raises(EvaluationError, match="nothing to compare"):
        text_against_people("train").report()


def test_without_a_run_a_models_comparison_is_empty() -> None:
    assert Question("train").compare("model-people") == Comparison("model-people")
