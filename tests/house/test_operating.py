"""What an operator is given names only what there is: metrics, settings, modules, commands, claims, pages."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from prometheus_client import CollectorRegistry

from services.cli import app
from services.commitments.app import create_app as commitments
from services.documents import settings_table
from services.meetings.app import create_app as meetings
from services.reporting.app import create_app as reporting
from services.reporting.datasets import Schema
from services.reporting.follow import Worker
from services.reporting.generations import open_read_model
from shared.clock import Clock
from shared.eventlog.open import open_store
from shared.http.metrics import new_registry
from shared.identity.actor import Actor, Role
from shared.settings import Settings, load_settings
from tests.support.deployment import ROOT, module_path

DEPLOY = ROOT / "deploy"
OPERATING = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
OF_PROMETHEUS = {"up", "time"}
QUERIES = re.compile(r"\b(?:sum|max|min|by|rate|increase|histogram_quantile|max_over_time|le|without|avg)\b")


def names_of(registry: CollectorRegistry) -> set[str]:
    """The series that a registry shows, with those that a histogram and a counter come to."""
    found = set()
    for family in registry.collect():
        found |= {family.name, *(sample.name for sample in family.samples)}
        if family.type == "histogram":
            found |= {f"{family.name}_{end}" for end in ("bucket", "sum", "count")}
        if family.type == "counter":
            found.add(f"{family.name}_total")
    return found


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every series that one of the processes shows."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    found: set[str] = set()
    for create in (commitments, meetings, reporting):
        found |= names_of(create(settings).state.registry)
    registry = new_registry()
    read_model = open_read_model(settings.effective_read_model_url, Schema(Clock().zone.key))
    with closing(open_store(settings.effective_log_url)) as store, closing(read_model):
        store.migrate()
        Worker(store, read_model, Clock()).measure(registry)
        return found | names_of(registry)


def queried(expression: str) -> set[str]:
    """The series that an expression of PromQL asks for."""
    plain = re.sub(r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"|\b(?:by|without)\s*\([^)]*\)", " ", expression)
    words = set(re.findall(r"\b[a-z_][a-z0-9_]*\b", QUERIES.sub(" ", plain)))
    return words - OF_PROMETHEUS


def rules() -> list[dict[str, Any]]:
    """The alerts."""
    loaded = yaml.safe_load((DEPLOY / "prometheus/bitacora.rules.yml").read_text(encoding="utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def test_alerts_and_the_dashboard_ask_for_series_that_there_are(shown: set[str]) -> None:
    board = json.loads((DEPLOY / "grafana/bitacora.json").read_text(encoding="utf-8"))
    expressions = [rule["expr"] for rule in rules()]
    expressions += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(expressions) > 25
    asked = {name for expression in expressions for name in queried(expression)}
    assert asked - shown == set()
    assert queried('histogram_quantile(0.9, sum by (le) (rate(no_such_bucket{a="b"}[5m]))) - log_head') == {
        "no_such_bucket",
        "log_head",
    }


def test_every_alert_is_explained_to_whoever_is_woken_by_it() -> None:
    assert [rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in OPERATING] == []


def test_the_alerts_pass_their_own_tests_where_promtool_is_at_hand() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus/bitacora.rules.test.yml").read_text(encoding="utf-8"))
    known = {rule["alert"] for rule in rules()}
    assert {one["alertname"] for test in tests["tests"] for one in test["alert_rule_test"]} <= known
    if promtool := shutil.which("promtool"):
        subprocess.run(
            [promtool, "test", "rules", "bitacora.rules.test.yml"], cwd=DEPLOY / "prometheus", check=True
        )


def test_every_reason_of_readiness_is_explained() -> None:
    explained = (ROOT / "docs/eventlog.md").read_text(encoding="utf-8")
    code = [
        path.read_text(encoding="utf-8")
        for top in ("shared", "services")
        for path in (ROOT / top).rglob("*.py")
    ]
    reasons = {one for text in code for one in re.findall(r'(?:NotReady|keeping_up)\(\s*"([a-z-]+)"', text)}
    assert {"log-corrupt", "log-behind", "read-model-stopped"} <= reasons
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in explained] == []


def test_every_setting_says_what_it_is_and_is_in_the_table() -> None:
    mute = [name for name, field in Settings.model_fields.items() if not field.description]
    assert mute == []
    table = settings_table()
    assert [name for name in Settings.model_fields if f"| `BITACORA_{name.upper()}` |" not in table] == []
    assert "| `127.0.0.1,::1` | list |" in table, "as it is given in the environment"


def known_settings() -> set[str]:
    """The names of all settings, as variables."""
    return {f"BITACORA_{name.upper()}" for name in Settings.model_fields}


def runs(command: list[str]) -> bool:
    """Whether a command of ours names something that runs."""
    program, *rest = command
    if Path(program).name == "bitacora":
        return rest[0] in getattr(typer.main.get_command(app), "commands", {})
    return rest[0] == "-m" and module_path(rest[1]) is not None


def units() -> Iterator[tuple[str, configparser.RawConfigParser]]:
    """The units of systemd."""
    for path in sorted((DEPLOY / "systemd").glob("*.*")):
        parser = configparser.RawConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(path.read_text(encoding="utf-8"))
        yield path.name, parser


def test_the_units_run_what_there_is_as_nobody_in_particular() -> None:
    names = {name for name, _ in units()}
    for name, unit in units():
        after = unit["Unit"].get("After", "").split() + unit["Unit"].get("Requires", "").split()
        assert {one for one in after if one.startswith("bitacora")} <= names, name
        if name.endswith(".service"):
            service = unit["Service"]
            assert runs(shlex.split(service["ExecStart"])), name
            assert {pair.partition("=")[0] for pair in service["Environment"].split()} <= known_settings()
            assert (service["User"], service["NoNewPrivileges"], service["UMask"]) == (
                "bitacora",
                "yes",
                "0077",
            )


def manifests() -> list[dict[str, Any]]:
    """What is applied to a cluster."""
    place = DEPLOY / "kubernetes"
    listed = yaml.safe_load((place / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert {*listed, "kustomization.yaml"} == {path.name for path in place.iterdir()}
    return [one for name in listed for one in yaml.safe_load_all((place / name).read_text(encoding="utf-8"))]


def pods() -> dict[str, dict[str, Any]]:
    """The pods of the manifests, by the name of what runs them."""
    return {
        one["metadata"]["name"]: one["spec"]["template"]
        for one in manifests()
        if one["kind"] in ("Deployment", "Job")
    }


def test_kubernetes_knows_every_member_of_the_manifests() -> None:
    """Judged by the published schemas, strictly: a misspelt member is refused rather than ignored."""
    for one in manifests():
        kubernetes_validate.validate(one, desired_version=kubernetes_validate.latest_version(), strict=True)


def test_a_misspelt_member_of_a_manifest_is_noticed() -> None:
    wrong = next(one for one in manifests() if one["kind"] == "Deployment")
    wrong["spec"]["replica"] = wrong["spec"].pop("replicas", 1)
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(wrong, desired_version=kubernetes_validate.latest_version(), strict=True)


def test_the_pods_run_what_there_is_without_rights_and_are_watched() -> None:
    assert len(pods()) == 5
    for name, pod in pods().items():
        (container,) = pod["spec"]["containers"]
        assert runs(container["command"]), name
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
        assert name == "bitacora-migrate" or "livenessProbe" in container
    ready = [
        pod["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"]
        for name, pod in pods().items()
        if name not in ("bitacora-migrate", "bitacora-worker")
    ]
    assert ready == ["/health/ready"] * 3


def test_what_selects_pods_in_the_manifests_finds_some() -> None:
    labels = [pod["metadata"]["labels"] for pod in pods().values()]

    def chosen(selector: Mapping[str, str]) -> bool:
        return any(selector.items() <= one.items() for one in labels)

    for one in manifests():
        spec, kind = one["spec"], one["kind"]
        if kind == "Service":
            assert chosen(spec["selector"]), one
        elif kind in ("Deployment", "PodDisruptionBudget"):
            assert chosen(spec["selector"]["matchLabels"]), one
        elif kind == "NetworkPolicy":
            for name in spec["podSelector"].get("matchExpressions", ()):
                assert all(chosen({name["key"]: value}) for value in name["values"])
    budgets = [one["metadata"]["name"] for one in manifests() if one["kind"] == "PodDisruptionBudget"]
    assert sorted([*budgets, "bitacora-migrate"]) == sorted(pods())


def test_the_settings_of_the_manifests_are_settings() -> None:
    loaded = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text(encoding="utf-8"))
    given = dict(pair.split("=", 1) for one in loaded["configMapGenerator"] for pair in one["literals"])
    for pod in pods().values():
        given |= {one["name"]: one["value"] for one in pod["spec"]["containers"][0].get("env", ())}
    assert given.keys() <= known_settings()


def test_the_example_realm_and_its_settings_make_actors_of_its_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    realm = json.loads((DEPLOY / "keycloak/bitacora-realm.json").read_text(encoding="utf-8"))
    lines = (DEPLOY / "keycloak/bitacora.env").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert given.keys() <= known_settings()
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    names = {one["name"] for one in realm["roles"]["realm"]}
    assert names == set(settings.oidc_roles)
    (scope,) = realm["clientScopes"]
    mapped = {one["config"].get("claim.name") for one in scope["protocolMappers"]}
    assert {settings.oidc_role_claim, settings.oidc_organization_claim} <= mapped
    audiences = {one["config"].get("included.custom.audience") for one in scope["protocolMappers"]}
    assert settings.oidc_audience in audiences
    claims = {
        "sub": "f3a9d4c2",
        "organization": "DCI",
        "realm_access": {"roles": ["offline_access", "default-roles-bitacora", "bitacora-admin"]},
    }
    assert settings.claims.read(claims) == Actor("f3a9d4c2", "DCI", Role.ADMIN)


def test_the_page_for_operators_names_settings_and_commands_that_there_are() -> None:
    assert set(re.findall(r"BITACORA_[A-Z_]+", OPERATING)) <= known_settings()
    commands = getattr(typer.main.get_command(app), "commands", {})
    named = {word for word in re.findall(r"bitacora ([a-z][a-z-]+)", OPERATING) if word != "up"}
    assert {word for word in named if word not in commands} == set()
    pages = re.findall(r"`((?:docs|deploy)/[\w./-]+)`", OPERATING)
    assert [page for page in pages if not (ROOT / page).exists()] == []
