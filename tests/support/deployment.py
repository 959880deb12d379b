"""Reads `deploy/` and `docker-compose.yml` as an engine would, and says what in them points at nothing."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")
MUST_BE_GIVEN = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")


@dataclass(frozen=True)
class Deployment:
    """The files as text, so that a test can plant an error in one of them."""

    dockerfile: str
    compose: str
    env_example: str
    dockerignore: str

    @classmethod
    def read(cls) -> Deployment:
        """The files as they are."""
        return cls(
            dockerfile=(ROOT / "deploy/Dockerfile").read_text(),
            compose=(ROOT / "docker-compose.yml").read_text(),
            env_example=(ROOT / "deploy/env.example").read_text(),
            dockerignore=(ROOT / ".dockerignore").read_text(),
        )

    def instructions(self) -> list[tuple[str, str]]:
        """The Dockerfile as (instruction, arguments), its continued lines joined."""
        lines = [line for line in self.dockerfile.splitlines() if not line.lstrip().startswith("#")]
        joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
        return [
            (word.upper(), rest)
            for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())
        ]

    def services(self) -> dict[str, dict[str, Any]]:
        """The services of the compose file; a variable that must be given stands there as written."""
        loaded: dict[str, dict[str, Any]] = yaml.safe_load(self.compose)["services"]
        return loaded

    def ours(self) -> dict[str, dict[str, Any]]:
        """The services that run an image of our own."""
        return {name: service for name, service in self.services().items() if "build" in service}

    def copied(self, service: str) -> list[tuple[list[str], str]]:
        """What the image of a service takes from the repository: sources and target of each COPY."""
        found = []
        for word, rest in self.instructions():
            if word == "COPY" and not rest.startswith("--from"):
                *sources, target = rest.replace("${SERVICE}", service).split()
                found.append((sources, target))
        return found

    def healthcheck(self) -> str:
        """The path that the image's own health check asks for."""
        (command,) = (rest for word, rest in self.instructions() if word == "HEALTHCHECK")
        return command[command.index("/", command.index("BITACORA_PORT")) :].partition("'")[0]


def problems(deployment: Deployment, *, settings: Iterable[str], commands: Iterable[str]) -> list[str]:
    """What is wrong, in sentences: given the names of the settings and the commands of the command line."""
    return [
        *_wrong_paths(deployment),
        *_wrong_commands(deployment, set(commands)),
        *_wrong_variables(deployment, {f"BITACORA_{name.upper()}" for name in settings}),
        *_wrong_conditions(deployment),
        *_open_doors(deployment),
    ]


def lay_out(deployment: Deployment, service: str, place: Path) -> Path:
    """Copies into `place` what the image of a service would hold under /app, and returns that folder."""
    for sources, target in deployment.copied(service):
        if not target.startswith("/app"):
            continue
        for source in sources:
            origin, into = ROOT / source, place / target.removeprefix("/")
            if origin.is_dir():
                shutil.copytree(origin, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, into)
    return place / "app"


def module_path(module: str, root: Path = ROOT) -> Path | None:
    """The file that `python -m module` would run, if there is one."""
    base = root.joinpath(*module.split("."))
    if (base / "__main__.py").exists():
        return base / "__main__.py"
    file = base.with_suffix(".py")
    return file if file.exists() and "__main__" in file.read_text() else None


def _wrong_paths(deployment: Deployment) -> Iterator[str]:
    for name, service in deployment.ours().items():
        build = service["build"]
        if not (ROOT / build["dockerfile"]).exists():
            yield f"{name}: there is no {build['dockerfile']}"
        for sources, _ in deployment.copied(build["args"]["SERVICE"]):
            for source in sources:
                if not (ROOT / source).exists():
                    yield f"{name}: COPY {source}: there is no such path"
                elif not _sent(source, deployment.dockerignore):
                    yield f"{name}: COPY {source}: .dockerignore keeps it out"


def _sent(source: str, dockerignore: str) -> bool:
    """Whether a path reaches the engine: the last matching line decides, `!` lets in."""
    sent = True
    for line in dockerignore.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        negated, pattern = pattern.startswith("!"), pattern.lstrip("!").rstrip("/").removeprefix("**/")
        parts = [source, *map(str, Path(source).parents)]
        if any(fnmatch.fnmatch(part, pattern) for part in parts if part != "."):
            sent = negated
    return sent


def _wrong_commands(deployment: Deployment, known: set[str]) -> Iterator[str]:
    given = [
        (name, service["build"]["args"]["SERVICE"], service.get("command"))
        for name, service in deployment.ours().items()
    ]
    (default,) = (json.loads(rest) for word, rest in deployment.instructions() if word == "CMD")
    services = {image for _, image, _ in given}
    given += [
        ("Dockerfile", image, shlex.split(default[-1].replace("${SERVICE}", image))[1:]) for image in services
    ]
    for name, image, command in given:
        match command:
            case ["python", "-m", module]:
                held = [s for sources, _ in deployment.copied(image) for s in sources]
                path = module_path(module)
                if path is None:
                    yield f"{name}: nothing runs as python -m {module}"
                elif not any(path.is_relative_to(ROOT / source) for source in held):
                    yield f"{name}: the image of {image} does not hold {module}"
            case ["bitacora", subcommand, *_]:
                if subcommand not in known:
                    yield f"{name}: bitacora has no command {subcommand}"
            case _:
                yield f"{name}: {command} is no command of ours"


def _wrong_variables(deployment: Deployment, known: set[str]) -> Iterator[str]:
    for file, text in (
        ("Dockerfile", deployment.dockerfile),
        ("docker-compose.yml", deployment.compose),
        ("env.example", deployment.env_example),
    ):
        for variable in sorted(set(re.findall(r"\bBITACORA_[A-Z_]+\b", text)) - known):
            yield f"{file}: {variable} is no setting"
    offered = set(re.findall(r"^([A-Z_]+)=", deployment.env_example, re.MULTILINE))
    for variable in sorted(set(re.findall(r"\$\{([A-Z_]+)", deployment.compose)) ^ offered):
        yield f"{variable} is in only one of docker-compose.yml and env.example"


def _wrong_conditions(deployment: Deployment) -> Iterator[str]:
    services = deployment.services()
    for name, service in services.items():
        for other, wanted in service.get("depends_on", {}).items():
            if other not in services:
                yield f"{name}: waits for {other}, which does not exist"
                continue
            disabled = services[other].get("healthcheck", {}).get("disable", False)
            if wanted["condition"] == "service_healthy" and disabled:
                yield f"{name}: waits for the health of {other}, which has no health check"


def _open_doors(deployment: Deployment) -> Iterator[str]:
    users = [rest for word, rest in deployment.instructions() if word == "USER"]
    if not users or users[-1].split(":")[0] in ("0", "root"):
        yield "Dockerfile: runs as root"
    for name, service in deployment.services().items():
        if "build" not in service and service.get("user") in (None, "root", "0"):
            yield f"{name}: runs as root"
        if service.get("image", "").endswith(":latest"):
            yield f"{name}: latest names no version"
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable) and not MUST_BE_GIVEN.fullmatch(str(value)):
                yield f"{name}: {variable} must come from outside"
            if re.search(r"://[^/@:]+:[^$@][^@]*@", str(value)):
                yield f"{name}: {variable} holds a password"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                yield f"{name}: port {port} is open to the network"
    for line in re.findall(r"^[A-Z_]+=.+$", deployment.env_example, re.MULTILINE):
        yield f"env.example: {line.partition('=')[0]} has a value"
