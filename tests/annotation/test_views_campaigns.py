"""Campaigns: list, create, show, import, toggle, export, adjudicate."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation import truth
from annotation.importing import import_votes
from annotation.models import Adjudication, Campaign, Task, Vote

TABLE = "VideoId,segment,sentiment analysis,ana,bo,cy,text\n7,0,neutral,positive,neutral,positive,words\n"
# crowd-kit 1.4.2 calls pandas 3 in ways that pandas 4 will not know.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


@pytest.fixture
def campaign(factory):
    return factory.make_campaign(name="Round one", sampling={"method": "even-over-classes", "asked": 3, "drawn": {}})


@pytest.fixture
def split_task(factory, campaign):
    """A task whose three listeners said three different things."""
    task = factory.make_task(campaign)
    for name, label in (("ines", "positive"), ("jonas", "neutral"), ("mara", "negative")):
        factory.make_vote(task, label, annotator=factory.make_user(name))
    return truth.settle(task)


@pytest.fixture
def corpus(factory):
    video = factory.make_video(audio="video/sound.flac")
    for label in ("positive", "neutral", "negative"):
        factory.make_segment(video, label=label)


def upload(table=TABLE):
    content = table if isinstance(table, bytes) else table.encode()
    return SimpleUploadedFile("votes.csv", content, content_type="text/csv")


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


GETS = [
    "/campaigns/",
    "/campaigns/new/",
    "/campaigns/import/",
    "/campaigns/{pk}/",
    "/campaigns/{pk}/import/",
    "/campaigns/{pk}/export",
]
POSTS = ["/campaigns/{pk}/toggle/", "/adjudicate/{task}/"]


@pytest.mark.parametrize("path", GETS + POSTS)
def test_nobody_gets_in_without_signing_in(client, split_task, path):
    path = path.format(pk=split_task.campaign_id, task=split_task.pk)
    response = client.post(path) if "toggle" in path or "adjudicate" in path else client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", GETS + POSTS)
def test_annotators_are_refused(annotator_client, split_task, path):
    path = path.format(pk=split_task.campaign_id, task=split_task.pk)
    response = annotator_client.post(path) if "toggle" in path or "adjudicate" in path else annotator_client.get(path)
    assert response.status_code == 403


@pytest.mark.parametrize("path", ["/campaigns/", "/campaigns/{pk}/", "/campaigns/{pk}/export"])
def test_pages_reject_post(admin_client, campaign, path):
    assert admin_client.post(path.format(pk=campaign.pk)).status_code == 405


@pytest.mark.parametrize("path", POSTS)
def test_actions_reject_get(admin_client, split_task, path):
    assert admin_client.get(path.format(pk=split_task.campaign_id, task=split_task.pk)).status_code == 405


@pytest.mark.parametrize("path", ["/campaigns/new/", "/campaigns/import/"])
def test_forms_reject_put(admin_client, path):
    assert admin_client.put(path).status_code == 405


@pytest.mark.parametrize("path", [*GETS[3:], *POSTS])
def test_what_is_not_there_is_not_found(admin_client, path):
    path = path.format(pk=999, task=999)
    response = admin_client.post(path) if "toggle" in path or "adjudicate" in path else admin_client.get(path)
    assert response.status_code == 404


# ---------------------------------------------------------------- list_campaigns


def test_the_list_says_how_far_each_campaign_is(admin_client, factory, split_task):
    factory.make_vote(factory.make_task(split_task.campaign), "positive", origin="simulated")
    page = text_of(admin_client.get("/campaigns/"))
    assert "Round one" in page
    assert "4 of 6 votes" in page
    assert "1 simulated" in page


def test_without_simulated_votes_nothing_is_marked(admin_client, split_task):
    assert "simulated" not in admin_client.get("/campaigns/").content.decode()
    assert "simulated" not in admin_client.get(f"/campaigns/{split_task.campaign_id}/").content.decode()


def test_an_empty_list_says_what_to_do(admin_client):
    assert "No campaign yet" in admin_client.get("/campaigns/").content.decode()


def test_the_list_takes_the_same_queries_for_any_number(admin_client, factory, django_assert_num_queries):
    for _ in range(5):
        factory.make_vote(factory.make_task())
    with django_assert_num_queries(5):  # session, user, roles, campaigns with counts, votes
        admin_client.get("/campaigns/")


# ---------------------------------------------------------------- create_campaign


def test_the_form_shows_what_there_is_to_draw_from(admin_client, corpus):
    assert "Train recommended 1 1 1" in text_of(admin_client.get("/campaigns/new/"))


def fields(**changed):
    return {
        "name": "New",
        "split": "train",
        "policy": "recommended",
        "total": "3",
        "per_class": "",
        "seed": "1",
        **changed,
    }


def test_a_campaign_is_drawn(admin_client, admin, corpus):
    response = admin_client.post("/campaigns/new/", fields(show_text="on", guidelines="Hear it twice."), follow=True)
    campaign = Campaign.objects.get()
    assert response.redirect_chain == [(f"/campaigns/{campaign.pk}/", 302)]
    assert "3 segments to hear" in response.content.decode()
    assert (campaign.name, campaign.seed, campaign.show_text, campaign.created_by) == ("New", 1, True, admin)
    assert campaign.tasks.count() == 3


def test_a_number_per_class_goes_before_the_total(admin_client, corpus):
    admin_client.post("/campaigns/new/", fields(per_class="1", total="100"))
    assert Campaign.objects.get().sampling["method"] == "per-class"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"name": ""}, "This field is required"),
        ({"split": "moon"}, "Select a valid choice"),
        ({"total": "0"}, "greater than or equal to 1"),
        ({"total": "", "per_class": ""}, "Say how many segments"),
        ({"seed": "-1"}, "greater than or equal to 0"),
        ({"split": "test"}, "Add videos, or wait"),
    ],
)
def test_what_cannot_be_drawn_is_told(admin_client, corpus, changed, sentence):
    response = admin_client.post("/campaigns/new/", fields(**changed))
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not Campaign.objects.exists()


def test_a_name_that_is_taken_is_told(admin_client, corpus, campaign):
    response = admin_client.post("/campaigns/new/", fields(name=campaign.name))
    assert response.status_code == 400
    assert "already exists" in response.content.decode()


# ---------------------------------------------------------------- show_campaign


def test_it_shows_states_votes_and_agreement(admin_client, factory, split_task):
    agreed = factory.make_task(split_task.campaign)
    for vote in split_task.votes.all():
        factory.make_vote(agreed, "negative", annotator=vote.annotator)
    truth.settle(agreed)
    factory.make_task(split_task.campaign)
    page = text_of(admin_client.get(f"/campaigns/{split_task.campaign_id}/"))
    assert "1 waiting for votes 1 with a majority 1 without a majority 0 decided by an admin" in page
    assert "6 of 9" in page
    assert "nominal; 6 votes on 2 segments" in page
    assert "2 segments with 3 votes" in page
    assert "ines and jonas" in page


def test_simulated_votes_are_marked_wherever_they_count(admin_client, factory, split_task):
    split_task.votes.filter(label="negative").update(origin="simulated")
    page = text_of(admin_client.get(f"/campaigns/{split_task.campaign_id}/"))
    assert "1 simulated" in page  # of all votes
    assert page.count("with simulated votes") == 3  # alpha, kappa, pairs
    assert page.count("mara simulated") == 2  # her votes in the list of annotators and on the segment


def test_segments_without_majority_are_listed_with_a_form(admin_client, split_task):
    response = admin_client.get(f"/campaigns/{split_task.campaign_id}/")
    page = response.content.decode()
    assert f'action="/adjudicate/{split_task.pk}/"' in page
    assert f'src="/segments/{split_task.segment_id}/clip"' in page
    assert split_task.segment.text in page


def test_an_empty_campaign_says_what_happens_next(admin_client, campaign):
    page = admin_client.get(f"/campaigns/{campaign.pk}/").content.decode()
    assert "No votes yet" in page


def test_the_page_takes_the_same_queries_for_any_number_of_tasks(
    admin_client, factory, split_task, django_assert_num_queries
):
    people = [vote.annotator for vote in split_task.votes.all()]
    for _ in range(4):
        task = factory.make_task(split_task.campaign)
        for person, label in zip(people, ("positive", "negative", "neutral"), strict=True):
            factory.make_vote(task, label, annotator=person)
        truth.settle(task)
    # session, user, roles, campaign, votes, states, tasks without majority, their text labels
    with django_assert_num_queries(8):
        admin_client.get(f"/campaigns/{split_task.campaign_id}/")


# ---------------------------------------------------------------- import_votes


def test_a_table_becomes_a_campaign(admin_client, admin):
    response = admin_client.post("/campaigns/import/", {"name": "Old", "split": "test", "file": upload()}, follow=True)
    campaign = Campaign.objects.get()
    assert (campaign.name, campaign.split, campaign.created_by) == ("Old", "test", admin)
    assert "3 votes on 1 segments were added: 1 with a majority" in text_of(response)


def test_a_table_goes_into_a_campaign(admin_client, campaign):
    response = admin_client.post(f"/campaigns/{campaign.pk}/import/", {"file": upload()}, follow=True)
    assert response.redirect_chain == [(f"/campaigns/{campaign.pk}/", 302)]
    assert Task.objects.get().campaign == campaign
    response = admin_client.post(f"/campaigns/{campaign.pk}/import/", {"file": upload()}, follow=True)
    assert "nothing was added" in response.content.decode()
    assert Vote.objects.count() == 3


def test_what_is_not_read_is_shown(admin_client):
    table = TABLE.replace("text\n", "text,mood\n").replace("\n", ",calm\n").replace("mood,calm", "mood")
    form = {"name": "Old", "split": "test", "file": upload(table)}
    page = text_of(admin_client.post("/campaigns/import/", form, follow=True))
    assert "The column “mood” is not read: its cells are not classes (“calm”)." in page


def test_a_table_of_a_spreadsheet_in_utf16_is_read(admin_client):
    form = {"name": "Old", "split": "test", "file": upload(TABLE.replace("\n", "\r\n").encode("utf-16"))}
    assert admin_client.post("/campaigns/import/", form).status_code == 302


def test_a_table_without_videos_names_none(admin_client):
    table = "sentiment analysis,ana,bo,text\nneutral,neutral,positive,words\n"
    page = text_of(
        admin_client.post("/campaigns/import/", {"name": "Old", "split": "test", "file": upload(table)}, follow=True)
    )
    assert "No row names a video" in page
    assert "text-" not in page


def test_misspelt_words_are_shown_and_kept_only_when_accepted(admin_client):
    form = {"name": "Old", "split": "test"}
    table = TABLE.replace("0,neutral", "0,postive")
    response = admin_client.post("/campaigns/import/", {**form, "file": upload(table)})
    assert response.status_code == 400
    assert "2 sentiment analysis postive" in text_of(response)
    assert not Campaign.objects.exists()
    # The answer holds the table, so that one click on "Import with these readings" is enough.
    held = re.search(r'<textarea name="table" hidden>\n(.*?)</textarea>', response.content.decode(), re.DOTALL)[1]
    assert held == table
    sent = {**form, "table": held.replace("\n", "\r\n"), "accept_suggestions": "on"}
    assert admin_client.post("/campaigns/import/", sent).status_code == 302
    assert Task.objects.get().imported_label == "positive"


def test_the_page_asks_how_many_votes_a_segment_needs(admin_client):
    form = {"name": "Old", "split": "test", "votes_per_segment": "5"}
    response = admin_client.post(
        "/campaigns/import/", {**form, "file": upload(TABLE.replace("0,neutral", "0,postive"))}
    )
    page = response.content.decode()
    assert '<input type="hidden" name="votes_per_segment" value="5">' in page
    assert admin_client.post("/campaigns/import/", {**form, "file": upload()}).status_code == 302
    assert Campaign.objects.get().votes_per_task == 5
    bad = admin_client.post("/campaigns/import/", {**form, "votes_per_segment": "16", "file": upload()})
    assert "less than or equal to 15" in bad.content.decode()


def test_words_like_no_class_cannot_be_accepted(admin_client):
    form = {"name": "Old", "split": "test", "file": upload(TABLE.replace("0,neutral", "0,angry"))}
    page = admin_client.post("/campaigns/import/", form).content.decode()
    assert "not like any class" in page
    assert "Import with these readings" not in page


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose the CSV file"),
        ({"file": upload(b"\xff\xfe\x00")}, "not UTF-8"),
        ({"file": upload("a,b\n1,2\n")}, "must name the columns"),
        ({"file": upload(TABLE.replace(",", ";"))}, "separated by semicolons"),
        ({"file": upload(b"PK\x03\x04")}, "a spreadsheet&#x27;s own file"),
        ({"file": upload(), "name": ""}, "This field is required"),
        ({"file": upload(), "split": "moon"}, "Select a valid choice"),
        ({"file": upload("x" * (2 * 1024 * 1024 + 1))}, "at most 2 MB"),
    ],
)
def test_a_table_that_cannot_be_taken_is_told(admin_client, form, sentence):
    response = admin_client.post("/campaigns/import/", {"name": "Old", "split": "test", **form})
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not Campaign.objects.exists()


# ---------------------------------------------------------------- toggle_campaign


def test_a_campaign_is_closed_and_opened(admin_client, campaign):
    for value, is_open in (("0", False), ("0", False), ("1", True)):
        response = admin_client.post(f"/campaigns/{campaign.pk}/toggle/", {"open": value})
        assert response["Location"] == f"/campaigns/{campaign.pk}/"
        campaign.refresh_from_db()
        assert campaign.is_open == is_open


def test_toggling_without_saying_which_way_changes_nothing(admin_client, campaign):
    response = admin_client.post(f"/campaigns/{campaign.pk}/toggle/", {"open": "maybe"}, follow=True)
    assert "opened or closed" in response.content.decode()
    campaign.refresh_from_db()
    assert campaign.is_open


# ---------------------------------------------------------------- export_votes


def test_the_export_is_a_vote_table(admin_client, split_task):
    response = admin_client.get(f"/campaigns/{split_task.campaign_id}/export")
    assert response["Content-Disposition"] == 'attachment; filename="votes-round-one.csv"'
    heading, row = csv.reader(io.StringIO(response.content.decode()))
    assert heading == ["VideoId", "segment", "sentiment analysis", "ines", "jonas", "mara", "text"]
    assert row[2:6] == ["neutral", "positive", "neutral", "negative"]


def test_the_export_holds_no_formula_and_comes_back(admin_client, factory):
    """Neither from a text, a label in a table, a name nor the campaign's name."""
    campaign = factory.make_campaign(name='=1+1";\r\nSet-Cookie: a=b.exe')
    segment = factory.make_segment(text="=cmd|'/C calc'!A0")
    factory.make_vote(factory.make_task(campaign, segment), "positive", factory.make_user("@sum"))
    factory.make_vote(factory.make_task(campaign), "negative", factory.make_user("+ann-1"))
    response = admin_client.get(f"/campaigns/{campaign.pk}/export")
    assert response["Content-Disposition"] == 'attachment; filename="votes-11-set-cookie-abexe.csv"'
    heading, row, _ = csv.reader(io.StringIO(response.content.decode(), newline=""))
    assert heading[3:5] == ["'@sum", "'+ann-1"]
    assert row[-1] == "'=cmd|'/C calc'!A0"
    report = import_votes(
        io.StringIO(response.content.decode(), newline=""), split="train", campaign_name=campaign.name
    )
    assert (report.new_rows, report.new_votes) == (0, 0)
    again = admin_client.get(f"/campaigns/{campaign.pk}/export")
    assert again.content == response.content


# ---------------------------------------------------------------- adjudicate


def test_an_admin_decides(admin_client, admin, split_task):
    response = admin_client.post(f"/adjudicate/{split_task.pk}/", {"label": "negative", "note": "a sigh"}, follow=True)
    split_task.refresh_from_db()
    assert (split_task.state, split_task.truth) == ("adjudicated", "negative")
    decision = Adjudication.objects.get()
    assert (decision.decided_by, decision.note) == (admin, "a sigh")
    assert "Segment 1 is decided: negative" in text_of(response)
    assert "ada decided" in text_of(response)


@pytest.mark.parametrize("label", ["", "angry"])
def test_a_decision_must_be_a_class(admin_client, split_task, label):
    response = admin_client.post(f"/adjudicate/{split_task.pk}/", {"label": label}, follow=True)
    assert "message--error" in response.content.decode()
    assert not Adjudication.objects.exists()


def test_a_task_that_still_needs_votes_is_not_decided(admin_client, factory, campaign):
    task = factory.make_task(campaign)
    response = admin_client.post(f"/adjudicate/{task.pk}/", {"label": "negative"}, follow=True)
    assert "did not agree" in response.content.decode()
    assert not Adjudication.objects.exists()
