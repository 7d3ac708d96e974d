"""Forms for reading a playlist, channel or feed, and for choosing from its videos."""

from typing import Any

from django import forms

from pipeline.forms import SplitForm
from pipeline.stages.addresses import MAX_URL_LENGTH
from pipeline.stages.video_lists import MAX_POSITION, PAGE_ENTRIES


class ListAddressForm(SplitForm):
    """The address of a list, and where its videos are meant to go."""

    url = forms.CharField(
        label="Address of the list",
        max_length=MAX_URL_LENGTH,
        widget=forms.URLInput(
            attrs={
                "spellcheck": "false",
                "placeholder": "https://www.youtube.com/playlist?list=…",
                "autocomplete": "off",
            }
        ),
        help_text="A playlist, a channel, a podcast feed or a page with several videos. You choose what is added.",
        error_messages={"required": "Paste the address of a list."},
    )
    first = forms.IntegerField(required=False, widget=forms.HiddenInput)
    again = forms.BooleanField(required=False, widget=forms.HiddenInput)
    field_order = ["url", "split", "policy"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("split", "policy"):
            self.fields[name].required = False

    def clean_first(self) -> int:
        return self.cleaned_data["first"] or 1


class Addresses(forms.Field):
    """Any number of values of one name, each a line of text."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [str(one).strip() for one in value or [] if str(one).strip()]

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > PAGE_ENTRIES:
            raise forms.ValidationError(f"These are {len(value)} videos; choose at most {PAGE_ENTRIES} at once.")


class ChosenVideosForm(SplitForm):
    """The videos that were chosen from a stretch of a list."""

    url = forms.CharField(max_length=MAX_URL_LENGTH, widget=forms.HiddenInput)
    first = forms.IntegerField(min_value=1, max_value=MAX_POSITION, widget=forms.HiddenInput)
    videos = Addresses(error_messages={"required": "Choose at least one video."})
    field_order = ["split", "policy"]


class ListQuery(SplitForm):
    """What the address of the chooser names; what is no value there counts as not given."""

    url = forms.CharField(max_length=MAX_URL_LENGTH, required=False)
    first = forms.IntegerField(required=False, min_value=1, max_value=MAX_POSITION)
    all = forms.BooleanField(required=False)

    def values(self) -> dict[str, Any]:
        self.is_valid()
        given = self.cleaned_data
        return {
            "url": given.get("url", ""),
            "first": given.get("first") or 1,
            "all": given.get("all", False),
            "split": given.get("split") or self.fields["split"].initial,
            "policy": given.get("policy") or self.fields["policy"].initial,
        }
