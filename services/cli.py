"""The command line of an installation: start it, bring records in, check them, and build the read model anew.

Each command imports what it needs when it runs, because an image holds one service only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.terminal import _, say
from shared.errors import BitacoraError, CorruptEvent
from shared.identity.actor import Role
from shared.starting import PRIVATE, must_be_reachable, sentence

if TYPE_CHECKING:
    from services.reporting.edition.comparison import Checked
    from services.reporting.rebuild import Progress as Built
    from shared.eventlog.store import Store
    from shared.eventlog.verification import Report
    from shared.settings import Settings
    from shared.tabular.engine import Importer, ImportState
    from shared.tabular.kinds import ImportKind

app = typer.Typer(
    name="bitacora",
    help=_("The record of what a government promised, decided and delivered."),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console()
err = Console(stderr=True)


def main() -> None:
    """Run a command; what a person can mend is said in a sentence and ends with status 1."""
    os.umask(PRIVATE)
    try:
        app()
    except CorruptEvent as error:
        err.print(f"[red]{unreadable(error)}[/red]", soft_wrap=True, highlight=False)
        sys.exit(1)
    except (BitacoraError, ValueError, OSError) as error:
        err.print(sentence(error), style="red", soft_wrap=True, highlight=False, markup=False)
        sys.exit(1)


def unreadable(error: CorruptEvent) -> str:
    """What somebody at a terminal can do about an event that cannot be read."""
    return say(
        "The event at position {position} cannot be read: {reason}. Mend its line from a backup, or let "
        "everything go "
        "on without it: `bitacora quarantine {position} --reason …`. `bitacora verify` says whether there "
        "are more.",
        position=error.position,
        reason=escape(error.reason),
    )


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help=_("Tell the demonstration set to the services first."))] = False,
    story: Annotated[
        bool, typer.Option(help=_("Print what the set tells of, too: histories, meetings, decisions."))
    ] = False,
    first_port: Annotated[
        int, typer.Option(help=_("The port of the first service; the others follow."))
    ] = 8001,
) -> None:
    """Start the three services and the projection worker here, and keep serving until stopped."""
    out.print(_("[bold]Bitácora[/bold], the record of what a government promised, decided and delivered."))
    out.print(_("Making or updating its tables."))
    from services.demo.show import show
    from services.demo.telling import StoryFailed
    from services.up import CannotStart, Children, child_environment

    settings = _settings()
    children = Children(child_environment(), first_port)
    try:
        children.must_have_ports()
        _migrate()
        with children.running():
            ports = children.ports
            out.print(
                say(
                    "Starting {services} services on the ports from {first} to {last}, and the worker that "
                    "keeps their read model.",
                    services=len(ports),
                    first=min(ports.values()),
                    last=max(ports.values()),
                ),
                highlight=False,
            )
            children.wait_ready()
            if demo:
                out.print(_("They answer. Telling them the demonstration set, as their clients would."))
                show(out, children.url, _token, story=story)
            out.print(
                say(
                    "\nServing; data in [bold]{log}[/bold]. Ctrl-C stops.",
                    log=settings.effective_log_url,
                ),
                soft_wrap=True,
            )
            out.print(
                say("Look first at [bold]{address}/[/bold] in a browser.", address=children.url("reporting")),
                soft_wrap=True,
            )
            children.serve()
    except KeyboardInterrupt:
        out.print(_("Stopped."))
    except CannotStart as error:
        err.print(f"[red]{error}[/red]", soft_wrap=True)
        raise typer.Exit(1) from error
    except StoryFailed as error:
        err.print(_("[red]The demonstration set could not be told to this record.[/red]"), soft_wrap=True)
        err.print(
            _(
                "It may hold an earlier version of the set: give BITACORA_DATA_DIR another folder, or leave"
                " --demo out."
            ),
            soft_wrap=True,
        )
        err.print(str(error), soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(1) from error


@app.command()
def migrate(
    writers: Annotated[
        list[str] | None,
        typer.Option(help=_("A role of PostgreSQL that may append to the log, and no more.")),
    ] = None,
    readers: Annotated[
        list[str] | None, typer.Option(help=_("A role of PostgreSQL that may read the log, and no more."))
    ] = None,
) -> None:
    """Make or update the tables of the log, and build the read model of this version; safe to run at any time.

    Services of another version go on answering from theirs meanwhile.
    """
    _migrate(writers or (), readers or ())
    out.print(_("The tables of the log and of the read model are up to date."))


def _migrate(writers: Sequence[str] = (), readers: Sequence[str] = ()) -> None:
    """Make or update all tables, and say how far the read model has to go if it is not where the log is."""
    from services.reporting.datasets import Schema
    from services.reporting.generations import open_installed
    from services.reporting.rebuild import build_missing
    from shared.clock import Clock

    settings = _settings()
    clock = Clock(settings.timezone)
    must_be_reachable(settings.log_named_by, settings.effective_log_url)
    must_be_reachable(settings.read_model_named_by, settings.effective_read_model_url, directory=True)
    read_model = open_installed(settings, Schema(clock.zone.key, windows=settings.warning_windows))
    try:
        with _log() as store, ExitStack() as watched:
            store.migrate()
            if writers or readers:
                store.grant(writers, readers)
            if store.head() and read_model.live() is None:
                shown = watched.enter_context(_progress(_("Building the read model")))
                build_missing(store, read_model, clock, _telling(shown), wait=True)
            else:
                build_missing(store, read_model, clock, _telling(), wait=True)
            head = store.head()
        with read_model.reading() as reading:
            reached = reading.position
    finally:
        read_model.close()
    if reached < head:
        out.print(
            say(
                "The read model has read {reached} of {head} events: until the worker has come to the end, "
                "or `bitacora rebuild`, boards and lists tell of these only. Readiness of reporting says "
                "how far it is.",
                reached=reached,
                head=head,
            ),
            soft_wrap=True,
            highlight=False,
        )


@app.command(name="import")
def import_(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help=_("What others published: CSV, XLSX or JSON."))
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help=_("How to read it; see docs/importing.md.")),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=_("What it is, where no mapping says so: bodies, for example."))
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("Write nothing, and report the same."))
    ] = False,
    report: Annotated[Path | None, typer.Option(help=_("Where to leave the report as JSON."))] = None,
    organization: Annotated[str, typer.Option(help=_("On whose behalf the rows are entered."))] = "DCI",
    subject: Annotated[str, typer.Option(help=_("Who enters them, by subject id."))] = "import",
) -> None:
    """Enter what others keep in tables, as its mapping says; running it again adds nothing."""
    from shared.tabular.kinds import chosen

    found = chosen(mapping, kind, _import_kinds())
    _import(lambda state: found.make(state, file, mapping), dry_run, report, organization, subject)


def _import_kinds() -> Iterator[ImportKind]:
    """What the services that are installed here take in."""
    for service in ("commitments", "meetings"):
        if find_spec(f"services.{service}") is not None:
            yield from import_module(f"services.{service}.importing.kinds").KINDS


mapping_app = typer.Typer(help=_("How a table of others is to be read."))
app.add_typer(mapping_app, name="mapping")


@mapping_app.command(name="new")
def mapping_new(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=_("A table."))],
    sheet: Annotated[
        str | None, typer.Option(help=_("Of a workbook; by default the first that is not hidden."))
    ] = None,
    kind: Annotated[
        Literal["commitments", "indicators"], typer.Option(help=_("What the rows of the table are."))
    ] = "commitments",
) -> None:
    """Look at a table and print a mapping for it, with what is unsure as comments."""
    from services.commitments.importing.proposing import propose

    typer.echo(propose(file, sheet, kind), nl=False)


sheet_app = typer.Typer(help="The form in which an initiative is described.")
app.add_typer(sheet_app, name="sheet")


@sheet_app.command(name="new")
def sheet_new(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The workbook (.xlsx) to make.")],
    initiatives: Annotated[int, typer.Option(min=1, max=200, help="How many sheets.")] = 1,
    lang: Annotated[Literal["es", "en"], typer.Option(help="The language of the labels.")] = "es",
    first_year: Annotated[int, typer.Option(min=1900, max=2195, help="The first of its six years.")] = 2010,
) -> None:
    """Make a workbook of blank capture sheets, to be filled in and brought in with --kind capture-sheets."""
    from shared.tabular.capture_sheet import BLANK, write_capture_sheets

    with file.open("xb") as target:
        write_capture_sheets(target, [BLANK] * initiatives, lang, first_year=first_year)


@app.command(name="import-meetings")
def import_meetings_(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help=_("A JSON Lines file of meetings, as in OParl.")),
    ],
    mapping: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help=_("How to read it; see docs/importing.md."))
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("Write nothing, and report the same."))
    ] = False,
    report: Annotated[Path | None, typer.Option(help=_("Where to leave the report as JSON."))] = None,
    organization: Annotated[str, typer.Option(help=_("On whose behalf the rows are entered."))] = "DCI",
    subject: Annotated[str, typer.Option(help=_("Who enters them, by subject id."))] = "import",
) -> None:
    """Enter meetings with their agendas and results from a file that others publish; again adds nothing."""
    from services.meetings.importing.decisions import MeetingImport

    _import(lambda state: MeetingImport(state, file, mapping), dry_run, report, organization, subject)


@app.command(name="import-bodies")
def import_bodies_(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help=_("A TOML file, as docs/examples/bodies.toml.")),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("Write nothing, and report the same."))
    ] = False,
    report: Annotated[Path | None, typer.Option(help=_("Where to leave the report as JSON."))] = None,
    organization: Annotated[str, typer.Option(help=_("On whose behalf the bodies are entered."))] = "DCI",
    subject: Annotated[str, typer.Option(help=_("Who enters them, by subject id."))] = "import",
) -> None:
    """Enter the bodies that hold meetings, with their protocols; a body that is there is described anew."""
    from services.meetings.importing.bodies import BodyImport

    _import(lambda state: BodyImport(state, file), dry_run, report, organization, subject)


def _import(
    make: Callable[[ImportState], Importer[Any, Any]],
    dry_run: bool,
    report: Path | None,
    organization: str,
    subject: str,
) -> None:
    """Import, show what it did, and leave its report; rows that were refused end the command with status 1."""
    from shared.clock import Clock
    from shared.identity.actor import Actor
    from shared.tabular.engine import run_import

    with _log() as store, _progress(_("Importing")) as shown:
        result = run_import(
            store,
            make,
            actor=Actor(subject, organization, Role.DCI),
            clock=Clock(_settings().timezone),
            dry_run=dry_run,
            progress=shown,
        )
    if report is not None:
        result.write(report)
    out.print(result.summary(), soft_wrap=True, highlight=False, markup=False)
    if result.errors:
        raise typer.Exit(1)


@app.command()
def rebuild() -> None:
    """Build the read model anew from the log, beside the present one, and put it in its place."""
    from services.reporting.datasets import Schema
    from services.reporting.generations import open_installed
    from services.reporting.generations.interface import RebuildUnderWayError
    from services.reporting.projections.projector import MustBeginAnewError
    from services.reporting.rebuild import rebuild as rebuild_read_model
    from shared.clock import Clock

    settings = _settings()
    clock = Clock(settings.timezone)
    must_be_reachable(settings.log_named_by, settings.effective_log_url)
    must_be_reachable(settings.read_model_named_by, settings.effective_read_model_url, directory=True)
    read_model = open_installed(settings, Schema(clock.zone.key, windows=settings.warning_windows))
    try:
        with _log() as store, _progress(_("Rebuilding")) as shown:
            position = rebuild_read_model(
                store,
                read_model,
                clock,
                _telling(shown),
            )
    except RebuildUnderWayError as error:
        raise ValueError(_("Another process is rebuilding the read model.")) from error
    except MustBeginAnewError as error:
        raise ValueError(say("Meanwhile {error}: run this again.", error=error)) from error
    finally:
        read_model.close()
    out.print(say("The read model is new, up to position {position}.", position=position))


@app.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help=_("Check a copy of a log in SQLite, not the log in use.")
        ),
    ] = None,
    holds: Annotated[
        str | None,
        typer.Option(help=_("An event it must hold, as POSITION or POSITION:IDENTITY: what a backup said.")),
    ] = None,
    read_model: Annotated[
        bool,
        typer.Option("--read-model", help=_("Replay the log as well, and compare the read model with it.")),
    ] = False,
) -> None:
    """Read the whole log and check it: no gap, no event that cannot be read, no time running backwards."""
    if file is not None and read_model:
        raise ValueError(_("A copy has no read model: leave out --file, or --read-model."))
    from shared.eventlog.backup import must_be_log
    from shared.eventlog.verification import verify as verify_log

    if file is not None:
        must_be_log(file)
    with _log(file) as store, _progress(_("Verifying")) as shown:
        head = store.head()
        report = verify_log(store, lambda position: shown(position, head))
        held = holds is None or _holds(store, holds)
    _show(report)
    if not report.events:
        err.print(
            _("The log holds no event: there is nothing to call sound. Is it the right one, and complete?")
        )
    if not held:
        err.print(
            say(
                "This log does not hold the event {holds}. Is it the right one, complete, and copied to the"
                " letter?",
                holds=holds,
            ),
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    if not report.sound or not report.events or not held:
        raise typer.Exit(1)
    out.print(
        _("The log is sound.")
        if not report.quarantined
        else _("The log is sound, but for what is put aside.")
    )
    if read_model and not _compare():
        raise typer.Exit(1)


def _compare() -> bool:
    """Compare the read model with the log, and say dataset by dataset where they differ; whether they agree.

    Then every edition is gathered from it once more, and compared with what was published.
    """
    from services.reporting.comparison import compare
    from services.reporting.datasets import Schema
    from services.reporting.edition.comparison import all_checked
    from services.reporting.generations import open_installed
    from shared.clock import Clock

    settings = _settings()
    clock = Clock(settings.timezone)
    model = open_installed(settings, Schema(clock.zone.key, windows=settings.warning_windows))
    try:
        with _log() as store, _progress(_("Comparing")) as shown:
            found = compare(store, model, clock, lambda _what, done, of: shown(done, of))
            with model.reading() as reading:
                checked = list(all_checked(reading, store, clock.day_of))
            put_aside = bool(store.known_quarantined)
    finally:
        model.close()
    for one in found.datasets:
        if one.wrong:
            err.print(
                say(
                    "[red]{dataset}[/red]: {wrong} of {rows} rows are not as the log says",
                    dataset=one.dataset,
                    wrong=one.wrong,
                    rows=one.rows,
                )
            )
        for row in one.shown:
            err.print(
                f"  {row.key}: {row.what}",
                soft_wrap=True,
                highlight=False,
                markup=False,
            )
    rows = sum(one.rows for one in found.datasets)
    if not found.agrees:
        err.print(_("The read model is not what the log says: `bitacora rebuild` builds it anew."))
        return False
    out.print(
        say(
            "The read model says what the log says: {rows} rows of {datasets} datasets at position "
            "{position}.",
            rows=rows,
            datasets=len(found.datasets),
            position=found.position,
        ),
        soft_wrap=True,
        highlight=False,
    )
    return _show_editions(checked, put_aside=put_aside)


def _show_editions(checked: Sequence[Checked], *, put_aside: bool) -> bool:
    """Which editions no longer come out of the log as they were published; whether all that should, do.

    Where events were put aside, one may rest on these: it is told, and is what it was.
    """
    for one in checked:
        if one.anew is None:
            err.print(
                say(
                    "[red]edition {code}[/red] cannot be read: the line of its event is not what was "
                    "recorded.",
                    code=one.code,
                )
            )
        elif not one.same:
            told = ", ".join(one.anew.differing) or _("its totals")
            err.print(
                say(
                    "[red]edition {code}[/red] no longer comes out of the log; told otherwise: {told}. What"
                    " was published is kept.",
                    code=one.code,
                    told=told,
                ),
                soft_wrap=True,
            )
    if checked and all(one.same for one in checked):
        out.print(
            say("{editions} editions come out of the log as they were published.", editions=len(checked)),
            highlight=False,
        )
    return all(one.same or (put_aside and one.anew is not None) for one in checked)


def _holds(store: Store, event: str) -> bool:
    """Whether a log holds an event, given by its position and perhaps by its identity."""
    position, _colon, identity = event.partition(":")
    if not position.isascii() or not position.isdigit():
        raise ValueError(
            _("--holds takes a position, or a position and an identity with a colon between them.")
        )
    found = store.identity_at(int(position))
    return found is not None and identity in ("", found)


def _show(report: Report) -> None:
    """What a check of a log found."""
    out.print(
        say(
            "{events} events in {streams} streams, up to position {head}.",
            events=report.events,
            streams=report.streams,
            head=report.head,
        ),
        highlight=False,
    )
    for name, count in report.unknown_types.items():
        out.print(
            say(
                "{count} events are of the type {name}, which this version does not know.",
                count=count,
                name=name,
            ),
            highlight=False,
        )
    for event in report.quarantined:
        out.print(
            say(
                "position {position} of stream {stream_id} is put aside: {cause} ({reason})",
                position=event.position,
                stream_id=event.stream_id,
                cause=event.cause,
                reason=event.reason,
            ),
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    for position in report.mended:
        out.print(
            say(
                "position {position} was put aside, is another line now, and counts again.", position=position
            ),
            highlight=False,
        )
    for fault in report.faults:
        stream = "" if fault.stream_id is None else say(", stream {stream}", stream=fault.stream_id)
        err.print(
            say(
                "[red]position {position}[/red]{stream}: {reason}",
                position=fault.position,
                stream=stream,
                reason=escape(fault.reason),
            ),
            soft_wrap=True,
        )
    if not report.sound:
        err.print(
            say("The log is not sound: {faults} faults.", faults=len(report.faults) + report.more_faults)
        )


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help=_("The file to make; one that is there is not overwritten."))],
) -> None:
    """Copy the log in SQLite into one file, as it is at one moment, and check the copy; services may go on writing."""
    from shared.eventlog.backup import backup as back_up

    with _progress(_("Copying")) as shown:
        copy = back_up(_log_file(), file, shown)
    _show(copy.report)
    out.print(
        say(
            "{file} holds the log up to position {position}, identity {identity}. Keep these two with it: "
            "`bitacora verify --file … --holds {position}:{identity}` tells whether a copy is whole.",
            file=file,
            position=copy.position,
            identity=copy.identity,
        ),
        soft_wrap=True,
        highlight=False,
    )
    if not copy.report.sound:
        raise typer.Exit(1)


@app.command()
def restore(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help=_("What `bitacora backup` made."))
    ],
) -> None:
    """Put a backup in the place of a log in SQLite that is not there; move the present one aside first."""
    from shared.eventlog.backup import restore as put_back

    with _progress(_("Restoring")) as shown:
        copy = put_back(file, _log_file(), shown)
    out.print(
        say(
            "Restored up to position {position}, identity {identity}. What was recorded after it is not in "
            "this log: docs/operating.md says what to do about it. Then start the services; the read model "
            "follows by itself.",
            position=copy.position,
            identity=copy.identity,
        ),
        soft_wrap=True,
        highlight=False,
    )


def _log_file() -> Path:
    """The file of the log that the settings name; ValueError for another engine."""
    url = _settings().effective_log_url
    if not url.startswith("sqlite:///"):
        raise ValueError(
            _("This is for a log in SQLite. PostgreSQL has its own ways, which docs/operating.md describes.")
        )
    return Path(url.removeprefix("sqlite:///"))


@app.command()
def quarantine(
    position: Annotated[
        int, typer.Argument(min=1, help=_("The event, by its position; see `bitacora verify`."))
    ],
    reason: Annotated[str, typer.Option(help=_("Why, for whoever finds the gap in ten years."))],
    although_readable: Annotated[
        bool,
        typer.Option("--although-readable", help=_("Also if it can be read: it is not what was recorded.")),
    ] = False,
    organization: Annotated[str, typer.Option(help=_("On whose behalf."))] = "DCI",
    subject: Annotated[str, typer.Option(help=_("Who does it, by subject id."))] = "operator",
) -> None:
    """Put an event aside that cannot be read: it stays where it lies, and everything goes on without it."""
    from shared.clock import Clock
    from shared.eventlog.quarantine import quarantine as put_aside
    from shared.identity.actor import Actor

    with _log() as store:
        done = put_aside(
            store,
            position,
            reason=reason,
            actor=Actor(subject, organization, Role.ADMIN),
            now=Clock(_settings().timezone).now,
            although_readable=although_readable,
        )
    out.print(
        say(
            "The event at position {position} ({cause}) is put aside: the event at position {at} says so. "
            "Running services go on without it by themselves, and the worker builds the read model anew "
            "where it told of it. What services keep of the whole log (organizations, bodies, keys, "
            "decisions) loses it at their next start.",
            position=position,
            cause=done.event.cause,
            at=done.at,
        ),
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


followers = typer.Typer(help=_("What follows the log, how far it has come, and what it could not handle."))
app.add_typer(followers, name="followers")


@followers.callback(invoke_without_command=True)
def show_followers(context: typer.Context) -> None:
    """Show what follows the log, how far it has come, and the events it has set aside."""
    if context.invoked_subcommand is not None:
        return
    with _log() as store:
        head = store.head()
        for name, position in store.followers().items():
            out.print(
                say(
                    "{name}: acted up to position {position} of {head}",
                    name=name,
                    position=position,
                    head=head,
                ),
                highlight=False,
            )
        letters = store.dead_letters()
    for letter in letters:
        again = _(", to be tried again") if letter.retry else ""
        out.print(
            say(
                "{follower}: position {position} set aside on {set_aside_at:%Y-%m-%d %H:%M:%S} UTC{again}: "
                "{error}",
                follower=letter.follower,
                position=letter.position,
                set_aside_at=letter.set_aside_at,
                again=again,
                error=letter.error,
            ),
            soft_wrap=True,
            highlight=False,
            markup=False,
        )


@followers.command()
def retry(
    name: Annotated[str, typer.Argument(help=_("The follower, by its name in the list."))],
    position: Annotated[
        int | None,
        typer.Argument(help=_("The event, by its position; all that were set aside when left out.")),
    ] = None,
) -> None:
    """Let a follower try again what it set aside; a running service does so within seconds."""
    with _log() as store:
        asked = store.retry(name, position)
    if not asked:
        raise ValueError(say("{name} has set nothing of that kind aside.", name=name))
    out.print(say("{asked} to be tried again.", asked=asked), highlight=False)


@app.command()
def token(
    role: Annotated[Role, typer.Option(help=_("What the bearer is."))],
    organization: Annotated[str, typer.Option(help=_("The code of the bearer's organisation."))],
    subject: Annotated[str | None, typer.Option(help=_("The bearer's subject id."))] = None,
    hours: Annotated[float, typer.Option(min=0.01, help=_("How long it is valid."))] = 12,
) -> None:
    """Print a token for development, signed with the local key; refused in production."""
    sys.stdout.write(_token(role, organization, subject, hours) + "\n")


def _token(role: str, organization: str, subject: str | None = None, hours: float = 12) -> str:
    from shared.identity.development import issue_development_token

    settings = _settings()
    if settings.environment == "production":
        raise ValueError(_("In production tokens come from the identity provider."))
    if role == Role.SYSTEM:
        raise ValueError(_("No token carries the role `system`: it is for the services' own policies."))
    return issue_development_token(
        settings.effective_development_key_file,
        role=Role(role),
        organization=organization,
        subject=subject,
        now=datetime.now(UTC),
        lifetime=timedelta(hours=hours),
    )


@app.command()
def openapi(
    check: Annotated[bool, typer.Option(help=_("Only say whether the documents are up to date."))] = False,
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
            out.print(say("wrote {path}", path=path))
    if behind:
        err.print(_("These documents are behind the code; run `make docs`: ") + ", ".join(map(str, behind)))
        raise typer.Exit(1)


def _settings() -> Settings:
    from shared.settings import load_settings

    return load_settings()


@contextmanager
def _log(file: Path | None = None) -> Iterator[Store]:
    """The log that the settings name, or one in a file of SQLite, closed at the end."""
    from shared.eventlog.open import open_log, open_store

    settings = _settings()
    if file is None:
        must_be_reachable(settings.log_named_by, settings.effective_log_url)
    store = open_log(settings) if file is None else open_store(f"sqlite:///{file}")
    try:
        yield store
    finally:
        store.close()


def _telling(shown: Callable[[int, int], None] = lambda _done, _total: None) -> Callable[[Built], None]:
    """Shows the progress of building, and says once what a person should hear of."""
    told: set[str] = set()

    def tell(progress: Built) -> None:
        shown(progress.position, progress.head)
        if progress.notice is not None and progress.notice not in told:
            told.add(progress.notice)
            err.print(progress.notice, soft_wrap=True, highlight=False, markup=False)

    return tell


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for a person; nothing where nobody watches. Called with how much is done, of how much."""
    with Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


for one in (app, mapping_app, followers):
    for command in one.registered_commands:
        assert command.callback is not None
        command.help = _(str(getdoc(command.callback)))
    if one.registered_callback is not None and one.registered_callback.callback is not None:
        one.registered_callback.help = _(str(getdoc(one.registered_callback.callback)))

if __name__ == "__main__":
    main()
