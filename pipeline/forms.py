"""What people type and upload on the pipeline's pages, checked in one place."""

import io
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from pipeline import labels
from pipeline.choices import Policy, Split, VideoState
from pipeline.csv_table import EncodingError, TableError, decode
from pipeline.dataset import dataset_table, unread_columns
from pipeline.policies import policy_choices
from pipeline.stages.caption_names import CAPTION_ENDINGS, FURTHER_FORMATS

# Far above a corpus of the 2019 kind (133 videos), and low enough that one request answers within its time limit.
MAX_URLS_AT_ONCE = 500
# The 2019 files hold about 200 bytes a row, so this is some 25,000 videos.
MAX_CSV_BYTES = 5 * 1024**2
# Four hours of automatic json3 captions with word times are about 8 MB.
MAX_CAPTIONS_BYTES = 16 * 1024**2
# The page says so before a larger file is sent; base.js reads the attribute.
MAX_BYTES = "data-max-bytes"
CAPTIONS_HELP = f"English captions as SRT, VTT or json3. Also read: {FURTHER_FORMATS}."

POLICY_HELP = (
    "Recommended undoes the rolling of automatic captions and cuts at sentence ends and pauses. "
    "Seed 2019 takes the cues as they come, as the 2019 study did."
)


class PageForm(forms.Form):
    """A form among others on one page: its element ids are its own, and labels end without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"{type(self).__name__.lower()}_%s")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class SplitForm(PageForm):
    """Where a video goes and by which rules its captions become segments."""

    split = forms.ChoiceField(choices=Split.choices, initial=Split.TRAIN)
    policy = forms.ChoiceField(choices=Policy.choices, initial=Policy.RECOMMENDED, help_text=POLICY_HELP)


class UrlsForm(SplitForm):
    urls = forms.CharField(
        label="Addresses",
        max_length=MAX_URLS_AT_ONCE * 500,
        widget=forms.Textarea(
            attrs={"rows": 6, "spellcheck": "false", "placeholder": "https://www.youtube.com/watch?v=…"}
        ),
        help_text="One address per line. Each is checked before anything is fetched. "
        "That of a playlist or channel, alone, leads to its videos.",
        error_messages={"required": "Paste at least one address."},
    )
    field_order = ["urls", "split", "policy"]

    def clean_urls(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["urls"].splitlines() if line.strip()]
        if len(lines) > MAX_URLS_AT_ONCE:
            raise forms.ValidationError(
                f"These are {len(lines)} addresses; paste at most {MAX_URLS_AT_ONCE} at once, or import them as CSV."
            )
        return lines


class DatasetForm(SplitForm):
    file = forms.FileField(
        label="CSV file",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv", MAX_BYTES: MAX_CSV_BYTES}),
        help_text="Columns Id, URL, Title, Audio, Captions, Polarity, Pickle, as in the dataset.csv of 2019.",
        error_messages={"required": "Choose a CSV file.", "empty": "The file is empty. Choose a CSV file with rows."},
    )
    fetch = forms.BooleanField(
        label="Fetch at once",
        required=False,
        initial=True,
        help_text="Otherwise each video waits for its Fetch button.",
    )
    field_order = ["file", "split", "policy", "fetch"]

    def clean_file(self) -> io.StringIO:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        _check_size(file, MAX_CSV_BYTES)
        try:
            text = decode(file.read())
        except EncodingError as error:
            raise forms.ValidationError(
                "This is not a CSV file in UTF-8. Save the table as CSV and try again."
            ) from error
        wrong = forms.ValidationError("This is not a CSV file in the 2019 format: its first line has no column “URL”.")
        if "\0" in text:
            raise wrong
        try:
            table = dataset_table(text)
        except TableError as error:
            raise forms.ValidationError(error.message) from error
        if table is None or "URL" not in table.headings:
            raise wrong
        self.unread = unread_columns(table)
        return io.StringIO(text, newline="")


class CaptionsForm(PageForm):
    """Captions for a video that has none."""

    captions = forms.FileField(
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(CAPTION_ENDINGS), MAX_BYTES: MAX_CAPTIONS_BYTES}),
        help_text=CAPTIONS_HELP,
        error_messages={
            "required": "Choose a caption file (SRT, VTT or json3).",
            "empty": "The caption file is empty. Choose another one.",
        },
    )

    def clean_captions(self) -> "UploadedFile[bytes] | None":
        file: UploadedFile[bytes] | None = self.cleaned_data["captions"]
        if file is None:
            return None
        if not str(file.name).lower().endswith(CAPTION_ENDINGS):
            raise forms.ValidationError(f"Captions must be an SRT, VTT or json3 file. Also read: {FURTHER_FORMATS}.")
        _check_size(file, MAX_CAPTIONS_BYTES)
        return file


class UploadForm(SplitForm, CaptionsForm):
    recording = forms.FileField(
        label="Recording",
        widget=forms.ClearableFileInput(attrs={"accept": "audio/*,video/*,.mkv,.flac,.opus"}),
        help_text="Any audio or video file; its sound is kept as 16 kHz mono.",
        error_messages={
            "required": "Choose an audio or video file.",
            "empty": "The recording is empty. Choose another file.",
        },
    )
    title = forms.CharField(max_length=500, required=False, help_text="Left empty, the file's name is taken.")
    field_order = ["recording", "captions", "title", "split", "policy"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A refused upload comes back as a fragment; the chosen files stay chosen.
        for name in ("recording", "captions"):
            self.fields[name].widget.attrs["hx-preserve"] = "true"
        recording, captions = self.fields["recording"], self.fields["captions"]
        recording.widget.attrs[MAX_BYTES] = settings.MAX_UPLOAD_BYTES
        recording.help_text = f"{recording.help_text} At most {filesizeformat(settings.MAX_UPLOAD_BYTES)}."
        captions.required = False
        captions.help_text = f"{CAPTIONS_HELP} They can also be added later."

    def without_file(self, problem: str) -> "UploadForm":
        """The form as it was filled in, with the reason why its files were not received."""
        self.full_clean()
        for name in ("recording", "captions"):
            self.errors.pop(name, None)
        self.add_error(None, problem)
        return self

    def clean_recording(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["recording"]
        _check_size(file, settings.MAX_UPLOAD_BYTES)
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (recording := cleaned.get("recording")) and not cleaned.get("title"):
            cleaned["title"] = str(recording.name).rpartition(".")[0][:500] or str(recording.name)[:500]
        return cleaned


def _check_size(file: "UploadedFile[bytes]", limit: int) -> None:
    if file.size and file.size > limit:
        raise forms.ValidationError(
            f"The file has {filesizeformat(file.size)}; at most {filesizeformat(limit)} are accepted."
        )


def _lenient(form: forms.Form) -> dict[str, Any]:
    """Cleaned filter values; one that makes no sense counts as not given, as a shared link must never fail."""
    form.full_clean()
    return {name: form.cleaned_data.get(name) or "" for name in form.fields}


class VideosFilter(forms.Form):
    """The query string of the list of videos."""

    STATES = {
        "unfinished": "In progress",
        VideoState.READY.value: "Ready",
        VideoState.CAPTIONS_WAIT.value: "Captions wait",
        VideoState.NO_CAPTIONS.value: "No captions",
        VideoState.FAILED.value: "Failed",
        VideoState.STORED.value: "Not fetched",
    }
    q = forms.CharField(required=False, max_length=200)
    split = forms.ChoiceField(required=False, choices=Split.choices)
    state = forms.ChoiceField(required=False, choices=list(STATES.items()))

    def values(self) -> dict[str, Any]:
        return _lenient(self)


class SegmentsFilter(forms.Form):
    """The query string of a video's segments."""

    SHOWN = [
        ("kept", "Kept"),
        ("rejected", "Rejected"),
        ("unlabelled", "Without label"),
        *((label, label.capitalize()) for label in labels.LABELS),
    ]
    show = forms.ChoiceField(required=False, choices=SHOWN)
    policy = forms.ChoiceField(required=False, choices=policy_choices)
    run = forms.IntegerField(required=False, min_value=1)

    def values(self) -> dict[str, Any]:
        return _lenient(self)
