"""Fixtures of the pipeline's tests."""

from tests.pipeline.page_fixtures import queued

__all__ = ["queued"]
