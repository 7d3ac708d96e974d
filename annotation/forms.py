"""What people type, checked."""

import io
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from annotation.models import MAX_VOTES_PER_TASK
from annotation.sampling import DEFAULT_TOTAL
from pipeline import labels
from pipeline.choices import Policy, Split
from pipeline.csv_table import TableError, decode
from pipeline.forms import MAX_BYTES
from pipeline.policies import policy_choices

MAX_TABLE_BYTES = 2 * 1024 * 1024
MAX_SEGMENTS = 100_000
# The largest number a PositiveIntegerField holds on PostgreSQL.
MAX_INTEGER = 2_147_483_647


class SampleForm(forms.Form):
    """How the segments of a new campaign are drawn."""

    name = forms.CharField(max_length=120)
    split = forms.ChoiceField(choices=Split.choices, initial=Split.TEST)
    policy = forms.ChoiceField(
        label="Text labels by",
        choices=policy_choices,
        initial=Policy.RECOMMENDED,
        help_text="Classes are those of the text labels under this policy.",
    )
    total = forms.IntegerField(
        label="Segments in total",
        min_value=1,
        max_value=MAX_SEGMENTS,
        initial=DEFAULT_TOTAL,
        required=False,
        help_text="As evenly over the classes as they allow.",
    )
    per_class = forms.IntegerField(
        label="Or segments per class",
        min_value=1,
        max_value=MAX_SEGMENTS,
        required=False,
        help_text="Takes the place of the total; fewer where a class has fewer.",
    )
    seed = forms.IntegerField(
        min_value=0, max_value=MAX_INTEGER, initial=0, help_text="The same seed draws the same segments."
    )
    show_text = forms.BooleanField(
        label="Listeners also see what is said",
        required=False,
        help_text="Off: they judge by sound alone. Each vote records which it was.",
    )
    guidelines = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Shown to listeners above the first segment.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not cleaned.get("total") and not cleaned.get("per_class"):
            raise forms.ValidationError("Say how many segments to draw, in total or per class.")
        return cleaned

    def drawing(self) -> dict[str, Any]:
        """The arguments of `sample_campaign`."""
        return {name: value for name, value in self.cleaned_data.items() if name != "total" or value}


class TableForm(forms.Form):
    """A vote table, as a file or, after a first look at its words, as the text of that file."""

    file = forms.FileField(
        label="Vote table (CSV)",
        required=False,
        widget=forms.ClearableFileInput(attrs={MAX_BYTES: MAX_TABLE_BYTES}),
    )
    table = forms.CharField(required=False, strip=False, widget=forms.HiddenInput, max_length=MAX_TABLE_BYTES)
    accept_suggestions = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        file: UploadedFile[Any] | None = cleaned.get("file")
        if file is not None:
            cleaned["table"] = self._text_of(file)
        elif not cleaned.get("table"):
            raise forms.ValidationError("Choose the CSV file with the votes.")
        # A text area sends CRLF for every line break; the file's own are made alike, also those inside cells.
        cleaned["table"] = cleaned["table"].replace("\r\n", "\n")
        return cleaned

    def _text_of(self, file: "UploadedFile[Any]") -> str:
        if (file.size or 0) > MAX_TABLE_BYTES:
            raise forms.ValidationError(f"A vote table has at most {MAX_TABLE_BYTES // 1024**2} MB; this is larger.")
        try:
            return decode(bytes(file.read()))
        except TableError as error:
            raise forms.ValidationError(error.message) from error

    def lines(self) -> io.StringIO:
        return io.StringIO(self.cleaned_data["table"], newline="")


class NewTableForm(TableForm):
    """A vote table that becomes a campaign of its own."""

    name = forms.CharField(max_length=120)
    split = forms.ChoiceField(choices=Split.choices, initial=Split.TRAIN)
    votes_per_segment = forms.IntegerField(
        label="Votes per segment",
        min_value=1,
        max_value=MAX_VOTES_PER_TASK,
        required=False,
        help_text="How many a segment needs. Left empty: as many as the row with most has.",
    )
    field_order = ["name", "split", "votes_per_segment", "file"]


class VoteForm(forms.Form):
    """One judgement, with what the browser measured about listening."""

    label = forms.ChoiceField(choices=labels.CHOICES, error_messages={"required": "Choose one of the three classes."})
    client_id = forms.UUIDField()
    time_spent_ms = forms.IntegerField(min_value=0, max_value=MAX_INTEGER, required=False)
    heard_share = forms.FloatField(min_value=0, max_value=1, required=False)


class AdjudicationForm(forms.Form):
    """An admin's decision."""

    label = forms.ChoiceField(choices=labels.CHOICES, error_messages={"required": "Choose one of the three classes."})
    note = forms.CharField(required=False, max_length=1000)


def first_error(form: forms.Form) -> str:
    """One sentence about the first thing that is wrong in a form."""
    field, messages = next(iter(form.errors.items()))
    message = str(messages[0])
    return message if field == "__all__" else f"{form.fields[field].label or field}: {message}"
