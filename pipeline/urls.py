"""Addresses."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def unfinished(request: HttpRequest, **kwargs: int) -> HttpResponse:
    return HttpResponse(status=501)


urlpatterns = [
    path("videos/", unfinished, name="list_videos"),
    path("videos/table/", unfinished, name="videos_table"),
    path("videos/add/", unfinished, name="submit_videos"),
    path("videos/import/", unfinished, name="import_dataset"),
    path("videos/upload/", unfinished, name="upload_recording"),
    path("videos/<int:pk>/", unfinished, name="show_video"),
    path("videos/<int:pk>/state/", unfinished, name="video_state"),
    path("videos/<int:pk>/audio", unfinished, name="video_audio"),
    path("videos/<int:pk>/peaks", unfinished, name="video_peaks"),
    path("videos/<int:pk>/segments/", unfinished, name="video_segments"),
    path("videos/<int:pk>/retry/", unfinished, name="retry_video"),
    path("videos/<int:pk>/remove/", unfinished, name="remove_video"),
    path("videos/<int:pk>/captions/", unfinished, name="upload_captions"),
    path("segments/<int:pk>/clip", unfinished, name="segment_clip"),
    path("training/", unfinished, name="list_runs"),
    path("training/start/", unfinished, name="start_run"),
    path("training/<int:pk>/", unfinished, name="show_run"),
    path("training/<int:pk>/progress/", unfinished, name="run_progress"),
    path("training/<int:pk>/predict/", unfinished, name="predict_videos"),
    path("training/<int:pk>/card", unfinished, name="run_card"),
]
