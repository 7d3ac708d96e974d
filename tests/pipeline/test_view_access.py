"""Who may open the pipeline's pages, and by which method."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.factories import Factory

# URL name, what its address names, methods it answers.
PAGES = [
    ("list_videos", "", "GET"),
    ("videos_table", "", "GET"),
    ("submit_videos", "", "POST"),
    ("choose_videos", "", "GET"),
    ("listed_videos", "", "GET"),
    ("read_list", "", "POST"),
    ("submit_chosen", "", "POST"),
    ("import_dataset", "", "POST"),
    ("upload_recording", "", "POST"),
    ("show_video", "video", "GET"),
    ("video_state", "video", "GET"),
    ("video_audio", "video", "GET"),
    ("video_peaks", "video", "GET"),
    ("video_segments", "video", "GET"),
    ("retry_video", "video", "POST"),
    ("remove_video", "video", "GET POST"),
    ("upload_captions", "video", "POST"),
    ("segment_clip", "segment", "GET"),
    ("check_downloads", "", "GET POST"),
    ("list_runs", "", "GET"),
    ("start_run", "", "POST"),
    ("show_run", "run", "GET"),
    ("run_progress", "run", "GET"),
    ("predict_videos", "run", "POST"),
    ("run_card", "run", "GET"),
]


@pytest.fixture
def pks(factory: Factory) -> dict[str, int]:
    segment = factory.make_segment()
    return {"video": segment.video_id, "segment": segment.pk, "run": factory.make_run().pk}


def _address(name: str, of: str, pks: dict[str, int]) -> str:
    return reverse(name, args=[pks[of]] if of else [])


@pytest.mark.parametrize(("name", "of", "methods"), PAGES)
def test_it_sends_the_anonymous_to_sign_in(
    name: str, of: str, methods: str, pks: dict[str, int], client: Client
) -> None:
    address = _address(name, of, pks)
    for method in methods.split():
        response = client.generic(method, address)
        assert response.status_code == 302
        assert response["Location"] == f"{reverse('login')}?next={address}"


@pytest.mark.parametrize(("name", "of", "methods"), PAGES)
def test_it_refuses_annotators(name: str, of: str, methods: str, pks: dict[str, int], annotator_client: Client) -> None:
    for method in methods.split():
        assert annotator_client.generic(method, _address(name, of, pks)).status_code == 403


@pytest.mark.parametrize(("name", "of", "methods"), PAGES)
def test_it_rejects_other_methods(name: str, of: str, methods: str, pks: dict[str, int], admin_client: Client) -> None:
    for method in {"GET", "POST", "PUT", "DELETE"} - set(methods.split()):
        assert admin_client.generic(method, _address(name, of, pks)).status_code == 405


@pytest.mark.parametrize(("name", "of"), [(name, of) for name, of, _ in PAGES if of])
def test_it_does_not_find_what_is_not_there(name: str, of: str, admin_client: Client) -> None:
    methods = next(methods for page, _, methods in PAGES if page == name)
    response = admin_client.generic(methods.split()[0], reverse(name, args=[987654]))
    assert response.status_code == 404


def test_a_post_without_its_token_is_refused(factory: Factory, admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    video = factory.make_video()
    assert client.post(reverse("remove_video", args=[video.pk])).status_code == 403
    assert type(video).objects.filter(pk=video.pk).exists()
