"""Files as a browser sends them, and a video made of them."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from pipeline.intake import store_upload
from pipeline.models import Video
from tests.pipeline.conftest import vtt


def recording(content: bytes = b"some sound", name: str = "A talk.mp3") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def captions(text: str = "", name: str = "talk.vtt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (text or vtt()).encode())


def upload(*files: Any, split: str = "train", title: str = "A talk") -> Video:
    return store_upload(*files, split=split, title=title, policy="recommended")
