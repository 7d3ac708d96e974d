from collections import Counter

import pytest

from annotation.errors import AnnotationError
from annotation.forms import SampleForm
from annotation.models import Campaign
from annotation.sampling import labelled_counts, sample_campaign, shares
from tests.factories import Factory


@pytest.fixture
def corpus(factory):
    """Three train videos with 6 positive, 12 neutral and 3 negative segments each; audio is named, not there."""
    videos = [factory.make_video(audio="video/sound.flac") for _ in range(3)]
    for video in videos:
        for label, n in (("positive", 6), ("neutral", 12), ("negative", 3)):
            for _ in range(n):
                factory.make_segment(video, label=label)
    return videos


def draw(**columns):
    return sample_campaign(**{"name": "Draw", "split": "train", "policy": "recommended", **columns})


def classes_of(campaign):
    return Counter(
        task.segment.text_labels.get(policy=campaign.policy).label for task in campaign.tasks.select_related("segment")
    )


def test_a_total_is_spread_evenly_over_the_classes(corpus):
    assert classes_of(draw(total=9)) == {"positive": 3, "neutral": 3, "negative": 3}


def test_what_one_class_lacks_goes_to_the_others(corpus):
    campaign = draw(total=40)
    assert classes_of(campaign) == {"positive": 16, "neutral": 15, "negative": 9}
    assert campaign.sampling["drawn"] == {"positive": 16, "neutral": 15, "negative": 9}


def test_a_number_per_class_is_not_made_up_by_others(corpus):
    assert classes_of(draw(per_class=10)) == {"positive": 10, "neutral": 10, "negative": 9}


def test_a_hundred_are_drawn_unless_told(corpus):
    assert draw().tasks.count() == 63  # all there are
    assert draw(name="Other").sampling["asked"] == 100


def test_the_draw_is_spread_over_videos(corpus):
    campaign = draw(total=9)
    assert Counter(campaign.tasks.values_list("segment__video", flat=True)) == dict.fromkeys(
        [video.pk for video in corpus], 3
    )
    assert campaign.sampling["videos"] == 3


def test_the_same_seed_draws_the_same_segments_in_the_same_order(corpus):
    def order(campaign):
        return list(campaign.tasks.order_by("position").values_list("segment", flat=True))

    first, again, other = (order(draw(name=f"{i}", total=12, seed=seed)) for i, seed in enumerate([7, 7, 8]))
    assert first == again
    assert first != other
    assert first != sorted(first)


def test_the_classes_come_in_no_order(corpus):
    campaign = draw(total=30, seed=3)
    labels = [task.segment.text_labels.get(policy="recommended").label for task in campaign.tasks.order_by("position")]
    assert labels != sorted(labels)
    assert len(set(labels[:10])) > 1


def test_only_kept_labelled_segments_of_ready_videos_in_the_split_are_drawn(corpus, factory):
    factory.make_segment(corpus[0], label="positive", exclusion="shorter than 2 s")
    factory.make_segment(corpus[0], label=None)
    for columns in ({"split": "test"}, {"state": "labelled"}, {"audio": ""}):
        factory.make_segment(factory.make_video(**{"audio": "video/sound.flac", **columns}), label="positive")
    campaign = draw(total=1000)
    assert campaign.tasks.count() == 63
    assert campaign.sampling["available"] == {"positive": 18, "neutral": 36, "negative": 9}
    assert set(campaign.tasks.values_list("segment__video", flat=True)) == {video.pk for video in corpus}


def test_each_segment_is_drawn_once(corpus):
    segments = draw(total=63).tasks.values_list("segment", flat=True)
    assert len(set(segments)) == 63


def test_how_it_was_drawn_is_kept(corpus, admin):
    campaign = draw(per_class=2, seed=5, show_text=True, guidelines="Listen.", user=admin)
    campaign.refresh_from_db()
    assert (campaign.seed, campaign.show_text, campaign.guidelines, campaign.created_by) == (5, True, "Listen.", admin)
    assert campaign.sampling == {
        "method": "per-class",
        "asked": 2,
        "policy": "recommended",
        "available": {"positive": 18, "neutral": 36, "negative": 9},
        "drawn": {"positive": 2, "neutral": 2, "negative": 2},
        "videos": 3,
    }


def test_with_nothing_to_draw_it_says_what_to_do(db):
    with pytest.raises(AnnotationError, match="Add videos, or wait"):
        draw()
    assert not Campaign.objects.exists()


def test_a_name_is_used_once(corpus):
    draw()
    with pytest.raises(AnnotationError, match="already exists"):
        draw()
    assert Campaign.objects.count() == 1


def test_a_name_that_is_too_long_is_refused(corpus):
    with pytest.raises(AnnotationError, match="at most 120"):
        draw(name="n" * 121)


def test_shares_never_exceed_what_there_is():
    assert shares({"positive": 0, "neutral": 1, "negative": 0}, 5) == {"positive": 0, "neutral": 1, "negative": 0}
    assert shares({"positive": 5, "neutral": 5, "negative": 5}, 4) == {"positive": 2, "neutral": 1, "negative": 1}
    assert shares({"positive": 5, "neutral": 5, "negative": 5}, 0) == {"positive": 0, "neutral": 0, "negative": 0}


def test_the_counts_before_a_draw_are_those_of_the_draw(corpus):
    counts = {(split, policy): numbers for split, policy, numbers in labelled_counts()}
    assert counts["Train", "Recommended"] == [18, 36, 9]
    assert counts["Test", "Recommended"] == [0, 0, 0]


def test_a_draw_can_be_kept_to_chosen_videos(corpus):
    campaign = draw(total=10, videos=[corpus[1].pk])
    assert {task.segment.video_id for task in campaign.tasks.select_related("segment")} == {corpus[1].pk}
    assert campaign.sampling["only_videos"] == [corpus[1].pk]


def test_policies_of_the_settings_can_be_drawn_by(strict_policy: None, factory: Factory) -> None:
    segment = factory.make_segment(factory.make_video(audio="a.flac"), label="positive")
    factory.make_text_label(segment, label="positive", policy="strict")
    counts = {(split, policy): numbers for split, policy, numbers in labelled_counts()}
    assert counts["Train", "strict"] == [1, 0, 0]
    assert "strict" in dict(SampleForm().fields["policy"].choices)
