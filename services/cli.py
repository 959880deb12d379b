"""The command line: `bitacora up`, `migrate`, `import`, `rebuild`, `verify`, `token`, `openapi`.

Each command imports what it needs when it runs, because an image holds one service only.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from shared.errors import BitacoraError
from shared.identity.actor import Role

app = typer.Typer(
    name="bitacora",
    help="The record of what a government promised, decided and delivered.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console()
err = Console(stderr=True)


def main() -> None:
    """Run a command; what a person can mend is said in a sentence and ends with status 1."""
    try:
        app()
    except BitacoraError as error:
        err.print(f"[red]{error.message}[/red]", soft_wrap=True)
        sys.exit(1)
    except ValueError as error:
        err.print(f"[red]{error}[/red]", soft_wrap=True)
        sys.exit(1)


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Tell the demonstration set to the services first.")] = False,
    first_port: Annotated[int, typer.Option(help="The port of the first service; the others follow.")] = 8001,
) -> None:
    """Start the three services and the projection worker here, and keep serving until stopped."""
    from services.demo.show import show
    from services.up import CannotStart, Children, child_environment
    from shared.settings import load_settings

    settings = load_settings()
    _migrate()
    children = Children(child_environment(), first_port)
    try:
        with children.running():
            children.wait_ready()
            if demo:
                show(out, children.url, _token)
            out.print(
                f"\nServing; data in [bold]{settings.effective_log_url}[/bold]. Ctrl-C stops.", soft_wrap=True
            )
            children.serve()
    except KeyboardInterrupt:
        out.print("Stopped.")
    except CannotStart as error:
        err.print(f"[red]{error}[/red]", soft_wrap=True)
        raise typer.Exit(1) from error


@app.command()
def migrate() -> None:
    """Make or update the tables of the log and of the read model; safe to run at any time, by several at once."""
    _migrate()
    out.print("The log and the read model are up to date.")


def _migrate() -> None:
    from services.reporting.migrate import migrate as migrate_read_model
    from shared.eventlog.store import open_store
    from shared.settings import load_settings

    settings = load_settings()
    store = open_store(settings.effective_log_url)
    try:
        store.migrate()
    finally:
        store.close()
    migrate_read_model(settings.effective_read_model_url)


@app.command()
def token(
    role: Annotated[Role, typer.Option(help="What the bearer is.")],
    organization: Annotated[str, typer.Option(help="The code of the bearer's organisation.")],
    subject: Annotated[str | None, typer.Option(help="The bearer's subject id.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, help="How long it is valid.")] = 12,
) -> None:
    """Print a token for development, signed with the local key; refused in production."""
    sys.stdout.write(_token(role, organization, subject, hours) + "\n")


def _token(role: str, organization: str, subject: str | None = None, hours: float = 12) -> str:
    from shared.identity.development import issue_development_token
    from shared.settings import load_settings

    settings = load_settings()
    if settings.environment == "production":
        raise ValueError("In production tokens come from the identity provider.")
    if role == Role.SYSTEM:
        raise ValueError("No token carries the role `system`: it is for the services' own policies.")
    return issue_development_token(
        settings.effective_development_key_file,
        role=Role(role),
        organization=organization,
        subject=subject,
        now=datetime.now(UTC),
        lifetime=timedelta(hours=hours),
    )


@app.command()
def verify() -> None:
    """Read the whole log and check it: no gap, no event that cannot be read, no time running backwards."""
    from shared.eventlog.store import open_store
    from shared.eventlog.verification import verify as verify_log
    from shared.settings import load_settings

    store = open_store(load_settings().effective_log_url)
    try:
        report = verify_log(store)
    finally:
        store.close()
    out.print(report.summary(), soft_wrap=True)
    if not report.sound:
        raise typer.Exit(1)


@app.command()
def openapi(
    check: Annotated[bool, typer.Option(help="Only say whether the documents are up to date.")] = False,
) -> None:
    """Write the generated documents: OpenAPI, the events, the errors, and who may do what."""
    from services.documents import documents

    behind = []
    for path, text in documents().items():
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                behind.append(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            out.print(f"wrote {path}")
    if behind:
        err.print("These documents are behind the code; run `make docs`: " + ", ".join(map(str, behind)))
        raise typer.Exit(1)


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
