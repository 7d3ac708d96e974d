"""Train an audio model."""

from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandError, CommandParser

from pipeline.choices import Policy, RunState, Split
from pipeline.intake import start_run
from pipeline.management.base import PipelineCommand, add_format, add_label_policy, add_split, bar
from pipeline.modelling import parameters_of
from pipeline.models import TrainingRun
from pipeline.recipes import RECOMMENDED, RUN_RECIPES, SVM_RBF, follow
from pipeline.stages.features import EXTRACTORS
from pipeline.stages.training import BALANCINGS, CLASSIFIERS, FOLD_SCHEMES, TrainingParameters
from pipeline.waiting import Work, wait

DEFAULTS = TrainingParameters()
# What no recipe says.
OWN_OPTIONS = ("split", "policy", "fold_scheme", "folds", "seed")


class Command(PipelineCommand):
    help = (
        "Starts a training run on all ready videos of a split and prints its number. Folds never split a video.\n\n"
        "Example:\n  manage.py train --recipe recommended --folds 5 --wait"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_split(parser, required=False, default=Split.TRAIN)
        add_label_policy(parser, default=Policy.RECOMMENDED, help_text="Whose text labels the model learns.")
        parser.add_argument(
            "--recipe",
            choices=list(RUN_RECIPES),
            default=RECOMMENDED,
            help=f"Fills the six options that follow where they are not given. Default: {RECOMMENDED}.",
        )
        parser.add_argument("--extractor", choices=tuple(EXTRACTORS), help="Which features it hears.")
        parser.add_argument(
            "--normalise-videos",
            action=BooleanOptionalAction,
            default=None,
            help="Standardise features within each video by all of its segments, without labels.",
        )
        parser.add_argument("--classifier", choices=CLASSIFIERS, help="What is trained.")
        parser.add_argument("--balancing", choices=BALANCINGS, help="How small classes are made up for.")
        for option, meaning in (
            ("c", "Values of C to choose from; smaller is stronger regularisation."),
            ("gamma", f"Kernel widths of {SVM_RBF} to choose from, as multiples of 1 / number of features."),
        ):
            parser.add_argument(f"--{option}", type=float, nargs="+", metavar=option.upper(), default=[], help=meaning)
        parser.add_argument(
            "--fold-scheme",
            choices=FOLD_SCHEMES,
            default=DEFAULTS.fold_scheme,
            help=f"How videos are set aside for scoring. Default: {DEFAULTS.fold_scheme}.",
        )
        parser.add_argument("--folds", type=int, default=DEFAULTS.folds, help=f"Default: {DEFAULTS.folds}.")
        parser.add_argument("--seed", type=int, default=DEFAULTS.seed, help="Of folds and balancing. Default: 0.")
        parser.add_argument("--wait", action="store_true", help="Watch until it is done, then print its scores.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["seed"] < 2**31:
            raise CommandError("The seed must be between 0 and 2147483647.")
        followed = follow(options["recipe"], {**options, "c_values": options["c"], "gamma_values": options["gamma"]})
        columns = {**{name: options[name] for name in OWN_OPTIONS}, **followed}
        parameters_of(TrainingRun(**columns)).check()
        run = start_run(columns)
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
