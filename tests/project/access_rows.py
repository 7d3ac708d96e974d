"""Every address of the installation: who may use it, and what answers those who may."""

from collections.abc import Iterator
from dataclasses import dataclass

ANYONE, SIGNED_IN, LISTENERS, ADMINS = "anyone", "signed in", "listeners", "admins"
# As ADMINS; Django's admin site sends everybody else to its own way in, which ends at the sign-in or with 403.
ADMIN_SITE = "admins, by the admin site"


@dataclass(frozen=True)
class Row:
    """What answers GET and POST on an address for those who may use it; None for a method that it does not have.

    ``of`` names the objects of the route's fields, in their order; ``at`` is the address where the route is a regular
    expression. ``missing`` answers where a number in the address names nothing. ``signed_in`` answers whoever is
    signed in, where that is something else. ``kept`` is of answers that a browser may keep for its one visitor.
    """

    route: str
    who: str
    of: str = ""
    get: int | None = None
    post: int | None = None
    missing: int = 404
    signed_in: int | None = None
    at: str = ""
    kept: bool = False


def model_rows(model: str, of: str, allowed: str) -> Iterator[Row]:
    """Rows of a model in the admin site, in which one may look, and what of “add change delete” is allowed."""

    def status(verb: str) -> int:
        return 200 if verb in allowed.split() else 403

    at = f"admin/{model}/"
    yield Row(at, ADMIN_SITE, get=200, post=200)
    yield Row(f"{at}add/", ADMIN_SITE, get=status("add"), post=status("add"))
    yield Row(f"{at}<path:object_id>/history/", ADMIN_SITE, of, get=200, post=200)
    yield Row(f"{at}<path:object_id>/delete/", ADMIN_SITE, of, get=status("delete"), post=status("delete"))
    yield Row(f"{at}<path:object_id>/change/", ADMIN_SITE, of, get=200, post=status("change"))
    yield Row(f"{at}<path:object_id>/", ADMIN_SITE, of, get=302, post=302)


INSTALLATION = [
    Row("", SIGNED_IN, get=200),
    Row("healthz", ANYONE, get=200),
    Row("accounts/login/", ANYONE, get=200, post=200, signed_in=302),
    Row("accounts/logout/", ANYONE, post=302),
    Row("accounts/password/", SIGNED_IN, get=200, post=200),
    Row("accounts/password/done/", SIGNED_IN, get=200),
    Row("people/", ADMINS, get=200),
    Row("people/add/", ADMINS, get=200, post=200),
    Row("people/<int:pk>/update/", ADMINS, "person", post=302),
    Row("people/listeners/<int:pk>/link/", ADMINS, "imported listener", post=302),
    Row("people/listeners/<int:pk>/unlink/", ADMINS, "imported listener", post=302),
    Row("demo/start/", ADMINS, post=302),
    Row("demo/progress/", ADMINS, get=200),
]
VIDEOS = [
    Row("videos/", ADMINS, get=200),
    Row("videos/table/", ADMINS, get=200),
    Row("videos/add/", ADMINS, post=422),
    Row("videos/import/", ADMINS, post=422),
    Row("videos/lists/", ADMINS, get=200),
    Row("videos/lists/found/", ADMINS, get=200),
    Row("videos/lists/read/", ADMINS, post=422),
    Row("videos/lists/add/", ADMINS, post=422),
    Row("videos/upload/", ADMINS, post=422),
    Row("videos/sites/ask-again/", ADMINS, post=302),
    Row("videos/<int:pk>/", ADMINS, "video", get=200),
    Row("videos/<int:pk>/state/", ADMINS, "video", get=200),
    Row("videos/<int:pk>/audio", ADMINS, "video", get=200, kept=True),
    Row("videos/<int:pk>/peaks", ADMINS, "video", get=404),
    Row("videos/<int:pk>/segments/", ADMINS, "video", get=200),
    Row("videos/<int:pk>/retry/", ADMINS, "video", post=302),
    Row("videos/<int:pk>/remove/", ADMINS, "video", get=200, post=409),
    Row("videos/<int:pk>/captions/", ADMINS, "video", post=302),
    Row("segments/<int:pk>/clip", ADMINS, "segment", get=200, kept=True),
    Row("downloads/", ADMINS, get=200, post=302),
    Row("training/", ADMINS, get=200),
    Row("training/start/", ADMINS, post=422),
    Row("training/<int:pk>/", ADMINS, "run", get=200),
    Row("training/<int:pk>/progress/", ADMINS, "run", get=200),
    Row("training/<int:pk>/predict/", ADMINS, "run", post=302),
    Row("training/<int:pk>/card", ADMINS, "run", get=404),
]
CAMPAIGNS = [
    Row("campaigns/", ADMINS, get=200),
    Row("campaigns/new/", ADMINS, get=200, post=400),
    Row("campaigns/import/", ADMINS, get=200, post=400),
    Row("campaigns/<int:pk>/", ADMINS, "campaign", get=200),
    Row("campaigns/<int:pk>/", ADMINS, "closed campaign", get=200),
    Row("campaigns/<int:pk>/import/", ADMINS, "campaign", get=200, post=400),
    Row("campaigns/<int:pk>/toggle/", ADMINS, "campaign", post=302),
    Row("campaigns/<int:pk>/export", ADMINS, "campaign", get=200),
    Row("campaigns/<int:pk>/export", ADMINS, "closed campaign", get=200),
    Row("adjudicate/<int:task_pk>/", ADMINS, "task", post=302),
]
LISTENING = [
    Row("annotate/", LISTENERS, get=302),
    Row("annotate/<int:campaign_pk>/", LISTENERS, "campaign", get=200),
    Row("annotate/<int:campaign_pk>/", LISTENERS, "closed campaign", get=200),
    Row("annotate/<int:slot_pk>/clip", LISTENERS, "own slot", get=200),
    Row("annotate/<int:slot_pk>/clip", LISTENERS, "slot of another", get=404),
    Row("annotate/<int:slot_pk>/clip", LISTENERS, "closed slot", get=404),
    Row("annotate/<int:slot_pk>/clip", LISTENERS, "voted slot", get=404),
    # What is sent is missing; a vote that can be read is answered as the next rows are.
    Row("annotate/<int:slot_pk>/vote/", LISTENERS, "own slot", post=400, missing=400),
    Row("annotate/<int:slot_pk>/skip/", LISTENERS, "own slot", post=302, missing=302),
    Row("annotate/<int:slot_pk>/skip/", LISTENERS, "slot of another", post=302, missing=302),
    Row("annotate/<int:slot_pk>/skip/", LISTENERS, "closed slot", post=302, missing=302),
    Row("annotate/<int:campaign_pk>/undo/", LISTENERS, "campaign", post=302),
    Row("annotate/<int:campaign_pk>/undo/", LISTENERS, "closed campaign", post=302),
    Row("annotate/<int:slot_pk>/renew/", LISTENERS, "own slot", post=204, missing=409),
    Row("annotate/<int:slot_pk>/renew/", LISTENERS, "slot of another", post=409, missing=409),
    Row("annotate/<int:slot_pk>/renew/", LISTENERS, "closed slot", post=409, missing=409),
]
EVALUATION = [
    Row("evaluation/", ADMINS, get=200),
    Row("evaluation/report.json", ADMINS, get=400),
    Row("evaluation/report.csv", ADMINS, get=400),
    Row("evaluation/labels/", ADMINS, get=200),
    Row("evaluation/labels/report.json", ADMINS, get=200),
    Row("evaluation/labels/report.csv", ADMINS, get=200),
    Row("evaluation/runs/<int:pk>/", ADMINS, "run", get=200),
    Row("evaluation/runs/<int:pk>/label-noise/", ADMINS, "run", get=200),
    Row("evaluation/runs/<int:pk>/label-noise.csv", ADMINS, "run", get=404),
]
QUEUE = "admin/queues/queues/<int:queue_index>/"
JOB = f"{QUEUE}<str:job_id>/"
CRON = "admin/queues/cron-schedulers/<int:connection_index>/<str:scheduler_name>/"
QUEUES = [
    Row("admin/queues/stats.json", ADMINS, get=200, post=200),
    Row("admin/queues/", ADMINS, get=200, post=200),
    Row(QUEUE, ADMINS, "queue", get=200, post=200),
    *(
        Row(f"{QUEUE}{name}/", ADMINS, "queue", get=200, post=200)
        for name in ("details", "finished", "failed", "scheduled", "started", "deferred")
    ),
    Row("admin/queues/queues/confirm-action/<int:queue_index>/", ADMINS, "queue", get=302, post=302),
    Row("admin/queues/queues/actions/<int:queue_index>/", ADMINS, "queue", get=302, post=302),
    Row(JOB, ADMINS, "queue, job", get=200, post=200),
    Row(f"{JOB}results/<str:result_id>/", ADMINS, "queue, job, nothing", get=404, post=404),
    # It has not failed.
    Row(f"{JOB}requeue/", ADMINS, "queue, job", get=200, post=404),
    Row(f"{JOB}enqueue/", ADMINS, "queue, job", get=200, post=302),
    Row(f"{JOB}stop/", ADMINS, "queue, job", get=405, post=302),
    # After those of the job, which these take away.
    Row(f"{JOB}delete/", ADMINS, "queue, job", get=200, post=302),
    *(Row(f"{QUEUE}{name}/", ADMINS, "queue", get=200, post=302) for name in ("failed/clear", "empty", "requeue-all")),
    Row("admin/queues/workers/<int:queue_index>/", ADMINS, "queue", get=200, post=200),
    Row("admin/queues/workers/<int:queue_index>/<str:key>/", ADMINS, "queue, worker", get=200, post=200),
    Row("admin/queues/schedulers/<int:scheduler_index>/", ADMINS, "queue", get=404, post=404),
    Row(CRON, ADMINS, "queue, nothing", get=404, post=404),
    Row(f"{CRON}jobs/<path:cron_job_name>/", ADMINS, "queue, nothing, nothing", get=404, post=404),
]
SITE = [
    Row("admin/r/<path:row>", ADMINS, "nothing", get=404, post=404),
    Row("admin/", ADMIN_SITE, get=200, post=200),
    Row("admin/login/", ADMINS, get=302, post=302),
    Row("admin/logout/", ADMIN_SITE, get=405, post=302),
    Row("admin/password_change/", ADMIN_SITE, get=302, post=302),
    Row("admin/password_change/done/", ADMIN_SITE, get=200, post=405),
    Row("admin/autocomplete/", ADMIN_SITE, get=403, post=405),
    Row("admin/jsi18n/", ADMIN_SITE, get=200, post=405),
    Row("admin/r/<path:content_type_id>/<path:object_id>/", ADMINS, "nothing, nothing", get=404, post=404),
    Row("admin/auth/user/<id>/password/", ADMIN_SITE, "person", get=200, post=200),
    *model_rows("auth/user", "person", "add change delete"),
    *model_rows("auth/group", "group", "add change delete"),
    *model_rows("crossmodal/signinbudget", "sign-in budget", "delete"),
    *model_rows("crossmodal/knownaddress", "known address", "delete"),
    *model_rows("crossmodal/demonstration", "demonstration", "delete"),
    *model_rows("pipeline/video", "video", "change delete"),
    *model_rows("pipeline/segment", "segment", ""),
    *model_rows("pipeline/textlabel", "text label", ""),
    *model_rows("pipeline/trainingrun", "run", "delete"),
    *model_rows("pipeline/downloadsite", "site", ""),
    *model_rows("pipeline/prediction", "prediction", ""),
    *model_rows("annotation/campaign", "campaign", "change delete"),
    *model_rows("annotation/task", "task", ""),
    *model_rows("annotation/slot", "own slot", ""),
    *model_rows("annotation/skip", "skip", ""),
    *model_rows("annotation/vote", "vote", ""),
    *model_rows("annotation/adjudication", "adjudication", ""),
    *model_rows("annotation/importedlistener", "imported listener", ""),
    Row("admin/django_rq/dashboard/", ADMIN_SITE, get=302, post=302),
    Row(
        "admin/^(?P<app_label>auth|django_rq|crossmodal|pipeline|annotation)/$",
        ADMIN_SITE,
        get=200,
        post=200,
        at="/admin/auth/",
    ),
    Row("admin/(?P<url>.*)$", ADMIN_SITE, get=404, post=404, at="/admin/nothing/"),
]
ROWS = [*INSTALLATION, *VIDEOS, *CAMPAIGNS, *LISTENING, *EVALUATION, *QUEUES, *SITE]
