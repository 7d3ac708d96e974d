"""What the pages on text labels are asked for."""

from django import forms

from evaluation.forms import EvaluationForm
from pipeline.labels import CHOICES


class LabelReportForm(EvaluationForm):
    """All fields may be left out: then the newest campaign's split, all campaigns, ``recommended``."""

    run = None  # type: ignore[assignment]
    min_confidence = None  # type: ignore[assignment]


class DoubtsForm(forms.Form):
    """Which labels of the list are shown; all where nothing is said."""

    label = forms.ChoiceField(
        choices=CHOICES,
        required=False,
        error_messages={"invalid_choice": "There is no label “%(value)s”; choose positive, neutral or negative."},
    )
