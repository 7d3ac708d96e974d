"""From labelled features to a model with its card and predictions."""

import hashlib
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from pipeline.choices import RunState
from pipeline.claims import finish, new_files, saving, show
from pipeline.extracting import features_of
from pipeline.files import local_path
from pipeline.labels import LABELS
from pipeline.models import Prediction, TextLabel, TrainingRun, Video
from pipeline.scores import evaluate_folds
from pipeline.stages import training
from pipeline.stages.abstention import risk_coverage
from pipeline.stages.artifact import read_artifact, write_artifact
from pipeline.stages.contours import RATE_HZ, WINDOW_SAMPLES
from pipeline.stages.crossmodal_features import CrossmodalExtractor
from pipeline.stages.errors import StageError
from pipeline.stages.label_noise import estimate_noise
from pipeline.stages.progress import ProgressCallback
from pipeline.stages.pyaudioanalysis import MID_WINDOW_S, SHORT_WINDOW_S
from pipeline.stages.row_file import RowFile
from pipeline.stages.training import TrainingParameters, TrainingResult

# Of segments with likely wrong labels: more than people can hear, and small enough for a row of the database.
MAX_LIKELY_WRONG = 1_000
# Of the feature matrix while its fingerprint is taken: about 10 MB.
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class TrainingData:
    """The rows that a model learns from.

    Attributes
    ----------
    X : np.ndarray [shape=(n, n_features), dtype=float64]
        Memory-mapped.
    y : np.ndarray of str [shape=(n,)]
    groups : np.ndarray [shape=(n,), dtype=int64]
        Primary key of each row's video.
    segments : np.ndarray [shape=(n,), dtype=int64]
        Primary key of each row's segment.
    names : tuple of str
        Names of the features.
    """

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    segments: np.ndarray
    names: tuple[str, ...]

    def fingerprint(self) -> str:
        """SHA-256 over keys, labels and feature bytes; the same data give the same fingerprint."""
        digest = hashlib.sha256()
        for group, segment, label in zip(self.groups, self.segments, self.y, strict=True):
            digest.update(f"{group} {segment} {label}\n".encode())
        for start in range(0, len(self.X), ROWS_AT_ONCE):
            digest.update(np.ascontiguousarray(self.X[start : start + ROWS_AT_ONCE], dtype="<f8").tobytes())
        return digest.hexdigest()


def gather(run: TrainingRun, rows_on_disk: RowFile, progress: ProgressCallback) -> TrainingData:
    """Features and labels of all ready videos of the run's split, in the order of videos and positions."""
    parts: list[tuple[list[str], list[int], list[int]]] = []
    names: tuple[str, ...] = ()
    videos = list(Video.objects.in_split(run.split).ready().order_by("pk"))
    for done, video in enumerate(videos, start=1):
        labelled = TextLabel.objects.filter(
            segment__video=video, segment__exclusion="", policy=run.policy, label__in=LABELS
        ).values_list("segment__position", "segment_id", "label")
        rows = {position: (pk, label) for position, pk, label in labelled}
        if rows:
            table = features_of(video, run.extractor)
            names = table.names
            chosen = [row for row, position in enumerate(table.keys.tolist()) if position in rows]
            pks, labels = zip(*(rows[int(table.keys[row])] for row in chosen), strict=True) if chosen else ((), ())
            rows_on_disk.append(table.X[chosen])
            parts.append((list(labels), [video.pk] * len(chosen), list(pks)))
        progress(done, len(videos))
    if not any(labels for labels, _, _ in parts):
        raise StageError(
            f"No ready video of the {run.get_split_display().lower()} split has a segment with a label; "
            "add videos and wait until they are ready."
        )
    return TrainingData(
        X=rows_on_disk.mapped(),
        y=np.array([label for labels, _, _ in parts for label in labels]),
        groups=np.array([group for _, groups, _ in parts for group in groups], dtype=np.int64),
        segments=np.array([pk for _, _, pks in parts for pk in pks], dtype=np.int64),
        names=names,
    )


def parameters_of(run: TrainingRun) -> TrainingParameters:
    return TrainingParameters(
        classifier=run.classifier,
        c_values=tuple(float(c) for c in run.c_values) or TrainingParameters().c_values,
        folds=run.folds,
        fold_scheme=run.fold_scheme,
        balancing=run.balancing,
        seed=run.seed,
    )


def train(run: TrainingRun) -> None:
    """The work of the job `train`."""
    with (
        tempfile.TemporaryDirectory(prefix="crossmodal-") as folder,
        RowFile(Path(folder) / "features") as rows_on_disk,
    ):
        data = gather(run, rows_on_disk, show(run, "Gathering features"))
        result = training.train(data.X, data.y, data.groups, parameters_of(run), progress=show(run, "Training"))
        scores = _scores(data, result)
        path = Path(folder) / "model.skops"
        card = write_artifact(path, result.pipeline, _card(run, data, result, scores))
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
        "out_of_fold": evaluate_folds(data.y, result.out_of_fold_labels, data.groups),
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
        "classes": list(LABELS),
        "feature_names": list(data.names),
        "extractor": run.extractor,
        **window_lengths(run.extractor),
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
        "notes": list(result.notes),
        "scores": scores,
    }


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
    labels, probabilities = training.predict(model, table.X[chosen]) if chosen else (np.array([]), np.zeros((0, 3)))
    segments = np.array([pks[int(table.keys[row])] for row in chosen], dtype=np.int64)
    with transaction.atomic():
        TrainingRun.objects.select_for_update().get(pk=run.pk)
        run.predictions.filter(segment__video=video, fold__isnull=True).delete()
        Prediction.objects.bulk_create(prediction_rows(run, segments, labels, probabilities, None), batch_size=500)
