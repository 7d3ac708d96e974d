"""Pasting addresses of lists where those of videos go."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from pipeline.models import Video
from tests.feeds import add_talks
from tests.loopback import Site

ADDRESS, READ = "/videos/lists/", "/videos/lists/read/"
ID = "i4b-_bNsajY"


def paste(client: Client, urls: str) -> Any:
    return client.post("/videos/add/", {"urls": urls, "split": "test", "policy": "seed-2019"})


def test_a_list_pasted_alone_leads_to_its_videos(admin_client: Client, worker: None, feeds: Site) -> None:
    url = add_talks(feeds, 2, path="/talks.rss")
    response = paste(admin_client, f" {url}\n")
    assert response.status_code == 302
    there = urlsplit(response["Location"])
    assert there.path == ADDRESS
    assert parse_qs(there.query) == {"url": [url], "first": ["1"], "split": ["test"], "policy": ["seed-2019"]}
    page = admin_client.get(response["Location"]).content.decode()
    assert "nothing has been added yet" in page
    assert "Talk 2" in page


def test_a_list_pasted_alone_without_a_queue_server(admin_client: Client, settings: Any, tmp_path: Any) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    response = paste(admin_client, "https://www.youtube.com/@somebody")
    assert response.status_code == 302
    assert "queue server cannot be reached" in admin_client.get(response["Location"]).content.decode()


def test_a_list_among_addresses_is_refused_with_a_link(admin_client: Client, queued: list[Any]) -> None:
    response = paste(admin_client, f"https://youtu.be/{ID}\nhttps://www.youtube.com/@somebody")
    page = response.content.decode()
    assert response.status_code == 422
    assert "is a channel, not one video" in page
    assert "/videos/lists/?url=https%3A%2F%2Fwww.youtube.com%2F%40somebody%2Fvideos" in page
    assert Video.objects.count() == 1


def test_a_video_beside_its_playlist_is_added_and_the_playlist_offered(admin_client: Client, queued: list[Any]) -> None:
    response = paste(admin_client, f"https://www.youtube.com/watch?v={ID}&list=PLabcdefghijk&index=2")
    assert (response.status_code, response["Location"]) == (302, "/videos/")
    assert Video.objects.get().extractor_id == ID
    page = admin_client.get("/videos/").content.decode()
    assert "its address also names a playlist" in page
    assert "/videos/lists/?url=https%3A%2F%2Fwww.youtube.com%2Fplaylist%3Flist%3DPLabcdefghijk" in page


def test_the_list_page_has_a_tab_for_lists(admin_client: Client) -> None:
    page = admin_client.get("/videos/?add=list").content.decode()
    assert "Playlist or channel" in page
    assert f'action="{READ}"' in page
