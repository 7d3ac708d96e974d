"""Train an audio model."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from pipeline.choices import Policy, RunState, Split
from pipeline.intake import start_run
from pipeline.management.base import PipelineCommand, add_format, add_policy, add_split, bar
from pipeline.models import TrainingRun
from pipeline.stages.features import DEFAULT_EXTRACTOR, EXTRACTORS
from pipeline.stages.training import BALANCINGS, CLASSIFIERS, FOLD_SCHEMES, TrainingParameters
from pipeline.waiting import Work, wait

DEFAULTS = TrainingParameters()


class Command(PipelineCommand):
    help = (
        "Starts a training run on all ready videos of a split and prints its number. Folds never split a video.\n\n"
        "Example:\n  manage.py train --policy recommended --c 0.01 0.1 1 --folds 5 --wait"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_split(parser, required=False, default=Split.TRAIN)
        add_policy(parser, default=Policy.RECOMMENDED, help_text="Whose text labels the model learns.")
        for name, known, default, meaning in (
            ("classifier", CLASSIFIERS, DEFAULTS.classifier, "What is trained."),
            ("balancing", BALANCINGS, DEFAULTS.balancing, "How small classes are made up for."),
            ("fold-scheme", FOLD_SCHEMES, DEFAULTS.fold_scheme, "How videos are set aside for scoring."),
            ("extractor", tuple(EXTRACTORS), DEFAULT_EXTRACTOR, "Which features it hears."),
        ):
            parser.add_argument(f"--{name}", choices=known, default=default, help=f"{meaning} Default: {default}.")
        parser.add_argument(
            "--c",
            type=float,
            nargs="+",
            metavar="C",
            default=list(DEFAULTS.c_values),
            help="Values of C to choose from; smaller is stronger regularisation. Default: "
            + " ".join(f"{c:g}" for c in DEFAULTS.c_values),
        )
        parser.add_argument("--folds", type=int, default=DEFAULTS.folds, help=f"Default: {DEFAULTS.folds}.")
        parser.add_argument("--seed", type=int, default=DEFAULTS.seed, help="Of folds and balancing. Default: 0.")
        parser.add_argument("--wait", action="store_true", help="Watch until it is done, then print its scores.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        parameters = {
            name: options[name]
            for name in ("split", "policy", "classifier", "balancing", "fold_scheme", "extractor", "folds", "seed")
        }
        TrainingParameters(c_values=tuple(options["c"]), folds=options["folds"], seed=options["seed"]).check()
        if not 0 <= options["seed"] < 2**31:
            raise CommandError("The seed must be between 0 and 2147483647.")
        run = start_run({**parameters, "c_values": options["c"]})
        if options["wait"]:
            with bar(unit="%") as shown:
                wait(Work([], [run.pk], []), shown)
        run.refresh_from_db()
        self._print(run, options["format"])
        if run.state == RunState.FAILED:
            raise CommandError(run.error_message)

    def _print(self, run: TrainingRun, output: str) -> None:
        if output == "json":
            self.print_json({"run": run.pk, "state": run.state, "scores": run.scores, "error": run.error_message})
            return
        self.stdout.write(f"Run {run.pk}: {run.get_state_display().lower()}.")
        if run.scores:
            macro = run.scores["out_of_fold"]["averages"]["macro"]
            self.stdout.write(
                f"Best C {run.scores['best_c']:g}; out of fold on {run.scores['n']} segments of "
                f"{run.scores['videos']} videos: macro F1 {macro['f1']:.3f}, precision {macro['precision']:.3f}, "
                f"recall {macro['recall']:.3f}."
            )
