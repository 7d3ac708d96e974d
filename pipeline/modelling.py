"""From labelled features to a model with its card and predictions."""

from dataclasses import asdict
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from crossmodal import scratch
from pipeline.choices import RunState
from pipeline.claims import finish, new_files, saving, show
from pipeline.extracting import features_of
from pipeline.files import local_path
from pipeline.labels import LABELS
from pipeline.models import Prediction, TrainingRun, Video
from pipeline.scores import evaluate_folds
from pipeline.stages import training
from pipeline.stages.abstention import risk_coverage
from pipeline.stages.artifact import read_artifact, write_artifact
from pipeline.stages.contours import RATE_HZ, WINDOW_SAMPLES
from pipeline.stages.crossmodal_features import CrossmodalExtractor
from pipeline.stages.errors import StageError
from pipeline.stages.label_noise import estimate_noise
from pipeline.stages.normalising import NormalisedModel, predict_video
from pipeline.stages.pyaudioanalysis import MID_WINDOW_S, SHORT_WINDOW_S
from pipeline.stages.training import TrainingParameters, TrainingResult
from pipeline.training_data import TrainingData, gather

# Of segments with likely wrong labels: more than people can hear, and small enough for a row of the database.
MAX_LIKELY_WRONG = 1_000
NORMALISED_NOTE = (
    "Features were standardised within each video by all of its kept segments, labelled or not, without their labels; "
    "out-of-fold figures therefore use what a predicted video's own segments sound like, and the mean and spread that "
    "small videos are drawn towards are those of the whole corpus, the predicted video included."
)


def parameters_of(run: TrainingRun) -> TrainingParameters:
    defaults = TrainingParameters()
    return TrainingParameters(
        classifier=run.classifier,
        c_values=tuple(float(c) for c in run.c_values) or defaults.c_values,
        gamma_values=tuple(float(gamma) for gamma in run.gamma_values) or defaults.gamma_values,
        folds=run.folds,
        fold_scheme=run.fold_scheme,
        balancing=run.balancing,
        seed=run.seed,
    )


def train(run: TrainingRun) -> None:
    """The work of the job `train`."""
    with scratch.temporary_folder() as folder:
        data = gather(run, folder, show(run, "Gathering features"))
        result = training.train(data.X, data.y, data.fold_groups, parameters_of(run), progress=show(run, "Training"))
        scores = _scores(data, result)
        path = folder / "model.skops"
        model = NormalisedModel(data.normaliser, result.pipeline) if data.normaliser else result.pipeline
        card = write_artifact(path, model, _card(run, data, result, scores))
        rows = prediction_rows(
            run, data.segments, result.out_of_fold_labels, result.out_of_fold_probabilities, result.folds
        )
        with new_files(run, artifact=path) as names, saving(run):
            run.predictions.all().delete()
            Prediction.objects.bulk_create(rows, batch_size=500)
            finish(
                run,
                RunState.DONE,
                finished_at=timezone.now(),
                data_fingerprint=data.fingerprint(),
                scores=scores,
                card=card,
                **names,
            )


def _scores(data: TrainingData, result: TrainingResult) -> dict[str, Any]:
    return {
        "best_c": result.best_c,
        "score_by_c": {f"{c:g}": score for c, score in result.score_by_c.items()},
        "n": len(data.y),
        "videos": len(np.unique(data.groups)),
        "out_of_fold": evaluate_folds(data.y, result.out_of_fold_labels, data.fold_groups),
        "best_gamma": result.best_gamma,
        "risk_coverage": risk_coverage(data.y, result.out_of_fold_probabilities).as_dict(),
        "likely_wrong": _likely_wrong(data, result),
    }


def _likely_wrong(data: TrainingData, result: TrainingResult) -> dict[str, Any]:
    """Per class how many text labels are likely wrong, and which segments have them, the least believable first."""
    noise = estimate_noise(data.y, result.out_of_fold_probabilities)
    rows = list(zip(noise.likely_wrong.tolist(), noise.better.tolist(), strict=True))[:MAX_LIKELY_WRONG]
    return {
        **noise.as_dict(data.y),
        "total": len(noise.likely_wrong),
        "segments": [
            {"segment": int(data.segments[row]), "given": str(data.y[row]), "likely": label} for row, label in rows
        ],
    }


def window_lengths(extractor_name: str) -> dict[str, float | None]:
    """Lengths in seconds for the card; statistics over a whole segment have no mid-term window."""
    if extractor_name == CrossmodalExtractor.name:
        return {"short_window_s": WINDOW_SAMPLES / RATE_HZ, "mid_window_s": None}
    return {"short_window_s": SHORT_WINDOW_S, "mid_window_s": MID_WINDOW_S}


def _card(run: TrainingRun, data: TrainingData, result: TrainingResult, scores: dict[str, Any]) -> dict[str, Any]:
    """What must be known to use and to judge the model (method §6)."""
    parameters = {name: value for name, value in asdict(parameters_of(run)).items() if name != "seed"}
    return {
        "run": run.pk,
        "recipe": run.recipe or None,
        "classes": list(LABELS),
        "feature_names": list(data.names),
        "extractor": run.extractor,
        **window_lengths(run.extractor),
        "normalised_within_videos": _normalisation(data),
        "label_policy": run.policy,
        "split": run.split,
        "parameters": {
            **parameters,
            "c_values": list(parameters["c_values"]),
            "gamma_values": list(parameters["gamma_values"]),
        },
        "seed": run.seed,
        "training_videos": np.unique(data.groups).tolist(),
        "data_sha256": data.fingerprint(),
        "notes": [*data.notes, *result.notes, *([NORMALISED_NOTE] if data.normaliser else [])],
        "scores": scores,
    }


def _normalisation(data: TrainingData) -> dict[str, int] | None:
    """What the model draws the statistics of small videos towards, in numbers; the values are in the model's file."""
    if data.normaliser is None:
        return None
    return {name: getattr(data.normaliser, name) for name in ("segments", "groups", "half_own_segments")}


def prediction_rows(
    run: TrainingRun, segments: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, folds: np.ndarray | None
) -> list[Prediction]:
    """Unsaved rows; the columns of `probabilities` are in the order of `LABELS`."""
    return [
        Prediction(
            run=run,
            segment_id=int(segment),
            label=str(labels[row]),
            fold=None if folds is None else int(folds[row]),
            **{f"p_{name}": float(probabilities[row, column]) for column, name in enumerate(LABELS)},
        )
        for row, segment in enumerate(segments)
    ]


def predict(run_pk: int, video_pk: int) -> None:
    """The work of the job `predict_video`: what the model did not learn from; out-of-fold predictions stay.

    Predictions have no state to claim; two of these at once write the same rows one after the other.
    """
    run = TrainingRun.objects.filter(pk=run_pk, state=RunState.DONE).first()
    video = Video.objects.ready().filter(pk=video_pk).first()
    if run is None or video is None:
        return
    table = features_of(video, run.extractor)
    if list(table.names) != run.card.get("feature_names"):
        raise StageError(f"The model of run {run.pk} learned from other features; train a new one.")
    with local_path(run.artifact) as path:
        model = read_artifact(path, run.card)
    learned = set(
        run.predictions.out_of_fold().filter(segment__video=video).values_list("segment__position", flat=True)
    )
    pks = dict(video.segments.kept().values_list("position", "pk"))
    chosen = [row for row, key in enumerate(table.keys.tolist()) if key in pks and key not in learned]
    # All of the video's segments, since some models standardise by them; then those that are wanted.
    labels, probabilities = predict_video(model, table.X)
    labels, probabilities = labels[chosen], probabilities[chosen]
    segments = np.array([pks[int(table.keys[row])] for row in chosen], dtype=np.int64)
    with transaction.atomic():
        TrainingRun.objects.select_for_update().get(pk=run.pk)
        run.predictions.filter(segment__video=video, fold__isnull=True).delete()
        Prediction.objects.bulk_create(prediction_rows(run, segments, labels, probabilities, None), batch_size=500)
