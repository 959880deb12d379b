"""The documents that are made from the code: OpenAPI, the events, the errors, and who may do what.

`bitacora openapi` writes them; a test fails when one that is committed falls behind.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from services.commitments import app as commitments
from services.meetings import app as meetings
from services.reporting import app as reporting
from shared.events.documentation import render as events
from shared.http.catalogue import Catalogue, Explained
from shared.http.service import Service
from shared.identity.access import AccessTable, markdown_table
from shared.settings import Settings

DOCS = Path("docs")
MAKE = "<!-- Made by `make docs` from the code; do not edit. -->\n\n"


def documents() -> dict[Path, str]:
    """Every generated document, by its path below the project's root."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        services = {
            "commitments": commitments.create_app(settings),
            "meetings": meetings.create_app(settings),
            "reporting": reporting.create_app(settings),
        }
        made = {DOCS / "openapi" / f"{name}.json": _openapi(service) for name, service in services.items()}
        made[DOCS / "errors.md"] = _errors(
            {name: service.problems.catalogue for name, service in services.items()}
        )
        made[DOCS / "access.md"] = _access({name: service.access for name, service in services.items()})
    made[DOCS / "events.md"] = events()
    made[DOCS / "settings.md"] = settings_table()
    return made


_BOUNDS: Final = {"ge": "from", "gt": "above", "le": "to"}


def settings_table() -> str:
    """Every setting of an installation, as the code has them."""
    lines = [
        "# Settings",
        "",
        MAKE
        + "All of them are environment variables, read once, when a process starts. What an installation must say is",
        "in `deploy/env.example`; `docs/operating.md` says when to change the rest. Values that cannot work, alone or",
        "together, stop the start with a sentence that names the setting.",
        "",
        "| setting | default | takes | what it is |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = f"`{_written(default)}`" if default not in (None, "", (), {}) else ""
        lines.append(f"| `BITACORA_{name.upper()}` | {shown} | {_takes(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _written(value: object) -> str:
    """A value as it is given in the environment."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _takes(field: FieldInfo) -> str:
    """What a setting may be."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(kind))
    if kind is bool:
        return "`true`, `false`"
    if kind in (int, float, Decimal):
        bounds = {
            name: getattr(mark, name) for mark in field.metadata for name in _BOUNDS if hasattr(mark, name)
        }
        limits = "".join(f" {_BOUNDS[name]} {_written(bounds[name])}" for name in _BOUNDS if name in bounds)
        return ("whole number" if kind is int else "number") + limits
    if kind is Path or Path in get_args(kind):
        return "path"
    return "pairs" if get_origin(kind) is dict else "list" if get_origin(kind) is tuple else "text"


def _openapi(service: Service) -> str:
    return json.dumps(service.openapi(), indent=2, ensure_ascii=False) + "\n"


def _errors(catalogues: Mapping[str, Catalogue]) -> str:
    """Every code by status: what it means, and which services answer with it; they may explain it differently."""
    explained: dict[tuple[str, Explained], list[str]] = {}
    for name, catalogue in catalogues.items():
        for code, entry in catalogue.items():
            explained.setdefault((code, entry), []).append(name)
    lines = [
        "# Errors",
        "",
        MAKE
        + "Every refusal is a problem document (RFC 9457, `application/problem+json`). Its `type` ends in one",
        "of the codes below, which never change their meaning; `detail` says what was wrong, and `errors` points",
        "at the values at fault. With `Accept-Language: es` titles and details are in Spanish; what a sentence says of",
        "this very request may stand in English beside it.",
        "",
        "The services do not limit how often they are asked. A proxy in front of them may, and its answers (429 with",
        "`Retry-After`, say) are not in this list.",
    ]
    for status in sorted({entry.status for _, entry in explained}):
        lines += [
            "",
            f"## {status}",
            "",
            "| code | | what it means, and what to do | services |",
            "|---|---|---|---|",
        ]
        for (code, entry), services in sorted(explained.items()):
            if entry.status == status:
                where = "all" if len(services) == len(catalogues) else ", ".join(services)
                text = entry.explanation.replace("|", "\\|")
                lines.append(f"| `{code}` | {entry.title} | {text} | {where} |")
    return "\n".join(lines) + "\n"


def _access(tables: Mapping[str, AccessTable]) -> str:
    parts = [
        "# Who may do what",
        "",
        MAKE
        + "The rows are those the services enforce before a request's body is read. What an actor may not see is",
        "answered as if it did not exist.",
    ]
    for name, table in tables.items():
        parts += ["", f"## {name}", "", markdown_table(table).rstrip()]
    return "\n".join(parts) + "\n"
