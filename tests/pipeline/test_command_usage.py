"""What all commands of the jobs share on the command line."""

import pytest
from django.core.management import load_command_class

COMMANDS = ["add_video", "export_dataset", "import_dataset", "predict", "process", "train"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_each_option_means_and_gives_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load_command_class("pipeline", name).run_from_argv(["manage.py", name, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert f"Example:\n  manage.py {name}" in out
    assert "--format {text,json}" in out


@pytest.mark.parametrize(
    "line",
    [
        "add_video",
        "add_video https://youtu.be/i4b-_bNsajY",
        "add_video https://youtu.be/i4b-_bNsajY --split both",
        "add_video https://youtu.be/i4b-_bNsajY --split train --policy mine",
        "import_dataset --split train",
        "import_dataset dataset.csv",
        "export_dataset",
        "predict",
        "predict first",
        "process --wait=5",
        "train --classifier magic",
        "train --c one",
        "train --format xml",
    ],
)
def test_wrong_usage_is_status_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = line.partition(" ")[0]
    with pytest.raises(SystemExit) as ended:
        load_command_class("pipeline", name).run_from_argv(["manage.py", *line.split()])
    assert ended.value.code == 2
    assert f"usage: manage.py {name}" in capsys.readouterr().err
