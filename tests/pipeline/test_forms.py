"""What the forms make of typed values."""

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict

from pipeline import forms as pages
from pipeline.forms import SegmentsFilter, UploadForm, UrlsForm, VideosFilter, parse_c_values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1", [0.1]),
        ("10, 1, 0.1", [0.1, 1.0, 10.0]),
        ("1e-3 1", [0.001, 1.0]),
        ("1; 1.0 ,1", [1.0]),
    ],
)
def test_values_of_c_are_sorted_and_each_once(text: str, values: list[float]) -> None:
    assert parse_c_values(text) == values


@pytest.mark.parametrize("text", ["", "a", "0", "-1", "nan", "inf", "1,,x"])
def test_other_values_of_c_are_refused(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        parse_c_values(text)


def test_lines_are_trimmed_and_empty_ones_dropped() -> None:
    form = UrlsForm({"urls": " a \r\n\r\n b", "split": "train", "policy": "recommended"})
    assert form.is_valid()
    assert form.cleaned_data["urls"] == ["a", "b"]


def test_an_untitled_upload_takes_the_files_name() -> None:
    files = {"recording": SimpleUploadedFile("Session 4.final.wav", b"x")}
    form = UploadForm({"split": "train", "policy": "recommended", "title": ""}, files)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["title"] == "Session 4.final"


def test_the_form_offers_exactly_what_the_stages_know() -> None:
    from pipeline.stages import features, training

    assert tuple(pages.CLASSIFIERS) == training.CLASSIFIERS
    assert tuple(pages.FOLD_SCHEMES) == training.FOLD_SCHEMES
    assert tuple(pages.BALANCINGS) == training.BALANCINGS
    assert tuple(pages.EXTRACTORS) == tuple(features.EXTRACTORS)


@pytest.mark.parametrize("form", [VideosFilter, SegmentsFilter])
def test_a_filter_takes_nonsense_for_nothing(form: type[VideosFilter] | type[SegmentsFilter]) -> None:
    values = form(QueryDict("split=x&state=x&show=x&policy=x&run=x&page=x")).values()
    assert not any(values.values())
