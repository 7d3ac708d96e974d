"""What the forms make of typed values."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict

from pipeline.forms import SegmentsFilter, UploadForm, UrlsForm, VideosFilter


def test_lines_are_trimmed_and_empty_ones_dropped() -> None:
    form = UrlsForm({"urls": " a \r\n\r\n b", "split": "train", "policy": "recommended"})
    assert form.is_valid()
    assert form.cleaned_data["urls"] == ["a", "b"]


def test_an_untitled_upload_takes_the_files_name() -> None:
    files = {"recording": SimpleUploadedFile("Session 4.final.wav", b"x")}
    form = UploadForm({"split": "train", "policy": "recommended", "title": ""}, files)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["title"] == "Session 4.final"


@pytest.mark.parametrize("form", [VideosFilter, SegmentsFilter])
def test_a_filter_takes_nonsense_for_nothing(form: type[VideosFilter] | type[SegmentsFilter]) -> None:
    values = form(QueryDict("split=x&state=x&show=x&policy=x&run=x&page=x")).values()
    assert not any(values.values())


def test_segments_can_be_filtered_by_a_policy_of_the_settings(strict_policy: None) -> None:
    assert SegmentsFilter(QueryDict("policy=strict")).values()["policy"] == "strict"
