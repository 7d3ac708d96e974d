"""Large uploads: received only while the disks have room for them."""

import logging
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest

from crossmodal import scratch
from crossmodal.storage import check_storage
from pipeline.stages.disk import check_room, explain_full
from pipeline.stages.errors import DiskFullError

log = logging.getLogger(__name__)

# Views that show the sentence on their form, with all that was typed; of others the whole page says it.
TOLD_BY_VIEW = frozenset({"upload_recording"})
PURPOSE = "this upload"
# Several uploads may have found the same room at their beginning.
LOOK_EVERY_BYTES = 8 * 10**6


def problem_of(request: HttpRequest) -> DiskFullError | None:
    """Why the files of a request were left out; None where they were not."""
    return getattr(request, "upload_problem", None)


def close_unfinished(request: HttpRequest) -> None:
    """Remove what came of a request that broke off; Django leaves that to the garbage collector, hours later maybe."""
    for handler in getattr(request, "_upload_handlers", []):
        if isinstance(handler, RoomyUploadHandler):
            handler.close_unfinished()


class RoomyUploadHandler(TemporaryFileUploadHandler):
    """Django's handler of large files, which leaves out files that there is no room for and reads the fields alone.

    The request is read to its end all the same, since a browser shows no answer before it has sent everything.
    """

    is_large = False
    is_receiving = False

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **options: Any) -> None:
        self.is_large = content_length > settings.FILE_UPLOAD_MAX_MEMORY_SIZE  # others never reach a disk here
        if self.is_large:
            try:
                check_room(scratch.room(), content_length, PURPOSE)
                check_storage(content_length, PURPOSE)
            except DiskFullError as problem:
                self._refuse(problem)

    def new_file(self, *args: Any, **options: Any) -> None:
        if self.request and problem_of(self.request):
            raise SkipFile
        try:
            super().new_file(*args, **options)
            self.is_receiving = True
        except OSError as error:
            self._give_up(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
            if start // LOOK_EVERY_BYTES != (start + len(raw_data)) // LOOK_EVERY_BYTES:
                check_room(scratch.room(), 0, PURPOSE)
        except (OSError, DiskFullError) as error:
            self._give_up(error)

    def file_complete(self, file_size: int) -> Any:
        self.is_receiving = False
        try:
            return super().file_complete(file_size)
        except OSError as error:
            with suppress(SkipFile):
                self._give_up(error)
            return None

    def upload_complete(self) -> None:
        problem = problem_of(self.request) if self.request else None
        match = self.request.resolver_match if self.request else None
        if problem and not (match and match.url_name in TOLD_BY_VIEW):
            raise problem

    def _give_up(self, error: OSError | DiskFullError) -> None:
        problem = explain_full(error)
        if problem is None:
            raise error
        self.close_unfinished()
        self._refuse(problem)
        raise SkipFile from error

    def close_unfinished(self) -> None:
        """Remove what was received of a file that does not become whole."""
        if hasattr(self, "file") and self.is_receiving:
            self.is_receiving = False
            with suppress(OSError):  # it writes what it still holds, which there may be no room for; it is removed
                self.file.close()

    def _refuse(self, problem: DiskFullError) -> None:
        log.warning("An upload was refused: %s", problem.message)
        self.request.upload_problem = problem  # type: ignore[union-attr]
