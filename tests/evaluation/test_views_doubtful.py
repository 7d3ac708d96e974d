"""The list of a run's doubtful text labels, and its CSV."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from pipeline.csv_table import read_table
from pipeline.labels import LABELS
from pipeline.models import Prediction, Segment, Video
from tests.evaluation.corpus import Corpus, make_judged_corpus
from tests.evaluation.test_views_show_evaluation import sentences
from tests.factories import Factory

pytestmark = pytest.mark.django_db
PAGES = ("/evaluation/runs/{}/label-noise/", "/evaluation/runs/{}/label-noise.csv")


def store_doubts(corpus: Corpus, n: int = 60, total: int | None = None) -> list[dict[str, Any]]:
    """The first segments as a list of doubts."""
    listed = []
    for segment in corpus.segments[:n]:
        given = segment.text_labels.get(policy="recommended").label
        listed.append({"segment": segment.pk, "given": given, "likely": LABELS[(LABELS.index(given) + 1) % 3]})
    per_class = {
        label: {"given": 20, "likely_wrong": sum(row["given"] == label for row in listed), "noise": 0.25}
        for label in LABELS
    }
    corpus.run.scores = {
        "likely_wrong": {
            "labels": list(LABELS),
            "noise": 0.31,
            "per_class": per_class,
            "total": n if total is None else total,
            "segments": listed,
        }
    }
    corpus.run.save()
    return listed


def test_doubtful_labels_are_listed_with_what_the_model_says(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    (doubt,) = store_doubts(corpus, 1)
    segment = corpus.segments[0]
    Prediction.objects.filter(segment=segment).update(**{f"p_{doubt['likely']}": 0.62, f"p_{doubt['given']}": 0.07})
    response = admin_client.get(PAGES[0].format(corpus.run.pk))
    text = sentences(response)
    assert "1 of 60 text labels under the policy “recommended” are likely wrong" in text
    assert f"{segment.video.title} 0:00.0–0:03.0 {segment.text}" in text
    assert f"62 % {doubt['likely']} 7 % {doubt['given']}" in text
    assert f'href="/videos/{segment.video_id}/"' in response.content.decode()


def test_a_clip_can_be_played_where_there_is_sound(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, 11)
    corpus.videos[0].audio = "video/a.flac"
    corpus.videos[0].save()
    body = admin_client.get(PAGES[0].format(corpus.run.pk)).content.decode()
    assert f'href="/segments/{corpus.segments[0].pk}/clip" data-clip' in body
    assert f'href="/segments/{corpus.segments[10].pk}/clip"' not in body
    assert body.count("data-clip") == 10


def test_they_come_in_pages_and_by_given_label(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    listed = store_doubts(corpus)
    url = PAGES[0].format(corpus.run.pk)
    first, second = admin_client.get(url).context["rows"], admin_client.get(url, {"page": 2}).context["rows"]
    assert [row["doubt"].segment for row in (*first, *second)] == [row["segment"] for row in listed]
    assert (len(first), len(second)) == (50, 10)
    negative = admin_client.get(url, {"label": "negative"}).context["rows"]
    assert [row["segment"].pk for row in negative] == [r["segment"] for r in listed if r["given"] == "negative"]


def test_segments_and_videos_removed_since_are_left_out_and_counted(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, 25, total=40)
    for task in corpus.tasks:
        task.votes.all().delete()
        task.delete()
    corpus.segments[24].delete()
    corpus.videos[0].delete()
    response = admin_client.get(PAGES[0].format(corpus.run.pk))
    text = sentences(response)
    assert "The 25 least believable of 40 are listed." in text
    assert "11 segments of the list are not stored any more and are left out." in text
    assert len(response.context["rows"]) == 14


def test_a_label_that_changed_since_is_shown_beside_the_one_in_doubt(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    (doubt,) = store_doubts(corpus, 1)
    corpus.segments[0].text_labels.filter(policy="recommended").update(label=doubt["likely"])
    assert f"now {doubt['likely']}" in sentences(admin_client.get(PAGES[0].format(corpus.run.pk)))


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [(0, "The model doubts none of the text labels"), (1, "None of the listed segments is stored")],
)
def test_an_empty_list_says_why(admin_client: Client, factory: Factory, kept: int, sentence: str) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, kept)
    corpus.segments[0].exclusion = "too short"
    corpus.segments[0].save()
    assert sentence in sentences(admin_client.get(PAGES[0].format(corpus.run.pk)))


def test_a_class_without_doubts_says_so(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    (doubt,) = store_doubts(corpus, 1)
    text = sentences(admin_client.get(PAGES[0].format(corpus.run.pk), {"label": doubt["likely"]}))
    assert f"No {doubt['likely']} label in this list is in doubt." in text


def test_the_csv_has_every_row_of_the_choice(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    listed = store_doubts(corpus)
    response = admin_client.get(PAGES[1].format(corpus.run.pk))
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert read_table(response.content.decode()) is not None
    assert [(int(row["segment"]), row["given"], row["likely"]) for row in rows] == [
        (row["segment"], row["given"], row["likely"]) for row in listed
    ]
    assert rows[0]["text_label_now"] == rows[0]["given"]
    assert {float(row["p_likely"]) for row in rows} <= {0.1, 0.8}
    chosen = admin_client.get(PAGES[1].format(corpus.run.pk), {"label": "neutral"}).content.decode()
    assert len(chosen.splitlines()) == 1 + sum(row["given"] == "neutral" for row in listed)


def test_the_csv_holds_no_formula(admin_client: Client, factory: Factory) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, 1)
    Segment.objects.filter(pk=corpus.segments[0].pk).update(text="- @sum;=1+1")
    Video.objects.filter(pk=corpus.segments[0].video_id).update(title="\ufeff＝1+1")
    response = admin_client.get(PAGES[1].format(corpus.run.pk))
    (row,) = csv.DictReader(io.StringIO(response.content.decode(), newline=""))
    assert (row["title"], row["text"]) == ("'\ufeff＝1+1", "'- @sum;'=1+1")
    assert 0 < float(row["p_given"]) < 1


def test_there_is_no_csv_without_a_list(admin_client: Client, factory: Factory) -> None:
    run = factory.make_run()
    response = admin_client.get(PAGES[1].format(run.pk))
    assert (response.status_code, response.content.decode()) == (404, f"Run {run.pk} has no list of doubtful labels.\n")


@pytest.mark.parametrize("page", PAGES)
def test_a_label_that_is_none_is_answered_in_a_sentence(admin_client: Client, factory: Factory, page: str) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus, 3)
    response = admin_client.get(page.format(corpus.run.pk), {"label": "happy"})
    assert response.status_code == 400
    assert "There is no label “happy”; choose positive, neutral or negative." in sentences(response)


def test_doubts_take_the_same_queries_however_many(
    admin_client: Client, factory: Factory, django_assert_num_queries: Any
) -> None:
    corpus = make_judged_corpus(factory)
    store_doubts(corpus)
    for page in PAGES:
        with django_assert_num_queries(6):
            admin_client.get(page.format(corpus.run.pk))
