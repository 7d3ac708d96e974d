"""What the evaluation page and its downloads are asked for."""

from typing import Any

from django import forms
from django.utils.functional import lazy

from annotation.models import Campaign
from evaluation.reports import COMPARISONS, finished_runs
from pipeline.choices import Policy, Split
from pipeline.models import TrainingRun
from pipeline.policies import policy_choices


def unknown_policy() -> str:
    return f"There is no policy “%(value)s”; choose one of {', '.join(name for name, _ in policy_choices())}."


HOW_SURE = "Say how sure the model must be as a number from 0 to 1, such as 0.5; leave it empty for any."


class CampaignChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.split})"


class EvaluationForm(forms.Form):
    """All fields may be left out: then the newest campaign's split, all campaigns, the newest run, ``recommended``."""

    split = forms.ChoiceField(
        choices=Split.choices,
        required=False,
        error_messages={"invalid_choice": "There is no split “%(value)s”; choose train or test."},
    )
    campaign = CampaignChoiceField(
        queryset=Campaign.objects.all(),
        required=False,
        empty_label="All campaigns",
        error_messages={"invalid_choice": "There is no such campaign; choose one of the list, or all."},
    )
    run = forms.ModelChoiceField(
        queryset=finished_runs(),
        required=False,
        empty_label="Newest finished run",
        label="Training run",
        error_messages={"invalid_choice": "There is no such finished training run; choose one of the list."},
    )
    policy = forms.ChoiceField(
        choices=policy_choices,
        required=False,
        label="Text labels of policy",
        error_messages={"invalid_choice": lazy(unknown_policy, str)()},
    )

    min_confidence = forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        label="Model must be at least … sure",
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "0 to 1, any if empty"}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), HOW_SURE),
    )

    def clean_run(self) -> TrainingRun | None:
        run: TrainingRun | None = self.cleaned_data["run"]
        return run or finished_runs().first()

    def clean_policy(self) -> str:
        return self.cleaned_data["policy"] or str(Policy.RECOMMENDED)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        campaign = cleaned.get("campaign")
        if "split" in cleaned and not cleaned["split"]:
            newest = campaign or Campaign.objects.first()
            cleaned["split"] = newest.split if newest else str(Split.TRAIN)
        if campaign and "split" in cleaned and campaign.split != cleaned["split"]:
            self.add_error(
                "campaign",
                f"“{campaign.name}” holds segments of the {campaign.split} split; choose that split or all campaigns.",
            )
        return cleaned


class ReportForm(EvaluationForm):
    """One report of the page, to download."""

    comparison = forms.ChoiceField(
        choices=[(name, name) for name in COMPARISONS],
        error_messages={
            "required": f"Say which comparison: {', '.join(COMPARISONS)}.",
            "invalid_choice": f"There is no comparison “%(value)s”; there are {', '.join(COMPARISONS)}.",
        },
    )
