"""The label policies in use: the two built-in ones and those of the setting LABEL_POLICIES."""

from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from pipeline.stages.errors import StageError
from pipeline.stages.sentiment import LabelPolicy, label_policies_from


@cache
def label_policies() -> dict[str, LabelPolicy]:
    """By name."""
    try:
        return label_policies_from(settings.LABEL_POLICIES)
    except StageError as error:
        raise ImproperlyConfigured(f"LABEL_POLICIES: {error.message}") from error
