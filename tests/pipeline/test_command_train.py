"""`train`."""

import json
from typing import Any

import pytest
from redis import Redis

from pipeline import waiting
from pipeline.models import TrainingRun
from pipeline.queues import get_queue
from pipeline.workers import PipelineWorker
from tests.pipeline.conftest import Command

pytestmark = pytest.mark.django_db
SCORES = {
    "best_c": 0.1,
    "n": 40,
    "videos": 4,
    "out_of_fold": {"averages": {"macro": {"f1": 0.5, "precision": 0.25, "recall": 0.75}}},
}


@pytest.fixture
def settle(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says how the run ends while the command waits."""
    PipelineWorker([get_queue("compute")], connection=redis).register_birth()

    def set_end(**columns: Any) -> None:
        pause = {"pause": lambda seconds: TrainingRun.objects.update(**columns)}
        monkeypatch.setattr(waiting.wait, "__kwdefaults__", pause)

    return set_end


def test_it_starts_a_run_with_what_it_is_told(command: Command) -> None:
    chosen = "--split test --policy seed-2019 --balancing none --fold-scheme leave-one-group-out"
    numbers = "--c 0.5 2 --folds 3 --seed 7 --extractor pyaudioanalysis-reference"
    status, out, _ = command("train", *chosen.split(), *numbers.split())
    run = TrainingRun.objects.get()
    assert (status, out) == (0, f"Run {run.pk}: waiting.\n")
    assert (run.split, run.policy, run.balancing, run.fold_scheme) == (
        "test",
        "seed-2019",
        "none",
        "leave-one-group-out",
    )
    assert (run.c_values, run.folds, run.seed, run.extractor) == ([0.5, 2.0], 3, 7, "pyaudioanalysis-reference")


def test_a_recipe_fills_what_is_not_given(command: Command) -> None:
    command("train", "--no-normalise-videos")
    command("train")
    command("train", "--recipe", "seed-2019")
    changed, recommended, seed = TrainingRun.objects.order_by("pk")
    assert (recommended.recipe, recommended.extractor, recommended.classifier) == (
        "recommended",
        "crossmodal",
        "svm-rbf",
    )
    assert (recommended.normalise_videos, recommended.gamma_values) == (True, [0.3, 0.6])
    assert (changed.recipe, changed.normalise_videos, changed.c_values) == ("", False, recommended.c_values)
    assert (seed.recipe, seed.extractor, seed.balancing) == ("seed-2019", "pyaudioanalysis-136", "smote")


def test_it_knows_the_label_policies_of_the_settings(strict_policy: None, command: Command) -> None:
    command("train", "--policy", "strict")
    assert TrainingRun.objects.get().policy == "strict"


def test_it_waits_and_prints_the_scores(settle: Any, command: Command) -> None:
    settle(state="done", scores=SCORES)
    status, out, _ = command("train", "--wait")
    assert status == 0
    assert "Best C 0.1; out of fold on 40 segments of 4 videos: macro F1 0.500, precision 0.250, recall 0.750." in out
    status, out, _ = command("train", "--wait", "--format", "json")
    assert json.loads(out)["scores"] == SCORES


def test_a_failed_run_is_status_1_with_its_sentence(settle: Any, command: Command) -> None:
    settle(state="failed", error_message="There are too few videos.")
    status, _, err = command("train", "--wait")
    assert status == 1
    assert "There are too few videos." in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--c", "0"],
        ["--c", "nan"],
        ["--folds", "1"],
        ["--seed", "-1"],
        ["--gamma", "0"],
        ["--recipe", "seed-2019", "--gamma", "1"],
    ],
)
def test_values_that_cannot_be_used_are_refused_before_anything_is_stored(
    arguments: list[str], command: Command
) -> None:
    status, _, err = command("train", *arguments)
    assert status == 1
    assert err.strip().endswith(".")
    assert not TrainingRun.objects.exists()
