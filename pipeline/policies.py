"""The label policies in use: the two built-in ones and those of the setting LABEL_POLICIES."""

from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from pipeline.choices import Policy
from pipeline.stages.errors import StageError
from pipeline.stages.label_policies import LabelPolicy, label_policies_from


@cache
def label_policies() -> dict[str, LabelPolicy]:
    """By name."""
    try:
        return label_policies_from(settings.LABEL_POLICIES)
    except StageError as error:
        raise ImproperlyConfigured(f"LABEL_POLICIES: {error.message}") from error


def policy_choices() -> list[tuple[str, str]]:
    """Names and words of all label policies for a form, `recommended` first and those of the settings last."""
    names = [*Policy.values, *(name for name in label_policies() if name not in Policy.values)]
    return [(name, Policy(name).label if name in Policy.values else name) for name in names]
