"""Addresses."""

from django.urls import path

from pipeline.views import downloads, lists, media, sites, training, video, videos

urlpatterns = [
    path("videos/", videos.list_videos, name="list_videos"),
    path("videos/table/", videos.videos_table, name="videos_table"),
    path("videos/add/", videos.submit_videos, name="submit_videos"),
    path("videos/import/", videos.import_dataset, name="import_dataset"),
    path("videos/lists/", lists.choose_videos, name="choose_videos"),
    path("videos/lists/found/", lists.listed_videos, name="listed_videos"),
    path("videos/lists/read/", lists.read_list, name="read_list"),
    path("videos/lists/add/", lists.submit_chosen, name="submit_chosen"),
    path("videos/upload/", videos.upload_recording, name="upload_recording"),
    path("videos/sites/ask-again/", sites.end_rest, name="end_rest"),
    path("videos/<int:pk>/", video.show_video, name="show_video"),
    path("videos/<int:pk>/state/", video.video_state, name="video_state"),
    path("videos/<int:pk>/audio", media.video_audio, name="video_audio"),
    path("videos/<int:pk>/peaks", media.video_peaks, name="video_peaks"),
    path("videos/<int:pk>/segments/", video.video_segments, name="video_segments"),
    path("videos/<int:pk>/retry/", videos.retry_video, name="retry_video"),
    path("videos/<int:pk>/remove/", videos.remove_video, name="remove_video"),
    path("videos/<int:pk>/captions/", video.upload_captions, name="upload_captions"),
    path("segments/<int:pk>/clip", media.segment_clip, name="segment_clip"),
    path("downloads/", downloads.check_downloads, name="check_downloads"),
    path("training/", training.list_runs, name="list_runs"),
    path("training/start/", training.start_run, name="start_run"),
    path("training/<int:pk>/", training.show_run, name="show_run"),
    path("training/<int:pk>/progress/", training.run_progress, name="run_progress"),
    path("training/<int:pk>/predict/", training.predict_videos, name="predict_videos"),
    path("training/<int:pk>/card", training.run_card, name="run_card"),
]
