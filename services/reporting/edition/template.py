"""How an edition is set: as a table (CSV, and the same cells in a spreadsheet) and as a page.

An edition is set for ever as it was published: what is written here is never changed for `edition_1`, whose bytes a
test compares with those of the version that was the first to write it, in each language. Another setting is another
template. That is why its words and days are written here and not looked up in the catalogues of the pages, nor in those
of a library.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from html import escape
from io import BytesIO
from typing import Any, Final

from services.reporting.edition.content import EditionContent, EditionEntry, EditionSection, sections
from services.reporting.tables.columns import BETWEEN, Cell, Column, Kind, Lang
from services.reporting.tables.csv import CsvTable
from services.reporting.tables.xlsx import Sheet, SheetColumn

HEADINGS: Final = {
    EditionSection.DELAYED: "Delayed",
    EditionSection.DISCARDED: "Discarded",
    EditionSection.NEEDS_ATTENTION: "Needs attention",
    EditionSection.NEEDS_ATTENTION_INTERNAL_DEADLINE: "Needs attention: the unit's own deadline has passed",
    EditionSection.ACHIEVED_LATE: "Achieved, late",
    EditionSection.ACHIEVED: "Achieved",
    EditionSection.ON_TIME: "On time",
    EditionSection.MERGED: "Merged into another",
    EditionSection.SPLIT: "Split into others",
}
REASONS: Final = {
    "technical": "technical reasons",
    "budgetary": "budgetary reasons",
    "change_of_priorities": "a change of priorities",
}

_TEXT, _DAY, _NUMBER = Kind.TEXT, Kind.DAY, Kind.NUMBER
_COLUMNS: Final[Sequence[tuple[str, Kind, str]]] = (
    ("section", _TEXT, "Where it stands in the edition, bad news first."),
    ("code", _TEXT, "The code of the commitment."),
    ("title", _TEXT, "What it is called."),
    ("kind", _TEXT, "To which layer of the plan it belongs."),
    ("lead_organization", _TEXT, "The code of the organisation that answers for it."),
    ("lead_organization_name", _TEXT, "What that was called on that day."),
    ("collaborating_organizations", _TEXT, "Those that take part without leading."),
    ("pillar", _TEXT, "The code of its pillar."),
    ("pillar_name", _TEXT, "What that was called on that day."),
    ("region", _TEXT, "Its region."),
    ("goal", _TEXT, "What was promised."),
    ("quote", _TEXT, "In whose words."),
    ("source", _TEXT, "Where."),
    ("source_on", _DAY, "On which day."),
    ("first_public_deadline_on", _DAY, "The first day promised in public."),
    ("public_deadline_on", _DAY, "The day that was promised on the day of the edition."),
    ("moves", _TEXT, "How the one became the other, and why."),
    ("status", _TEXT, "The state; empty for what goes on in others."),
    ("late_days", Kind.INTEGER, "Days after the public deadline."),
    ("discard_reason_type", _TEXT, "Of which type was the reason to discard it."),
    ("discard_reason", _TEXT, "The reason itself."),
    ("result_on", _DAY, "The day of what came of it."),
    ("result", _TEXT, "What came of it."),
    ("evidence", _TEXT, "What shows it."),
    ("percent", _NUMBER, "How much is done, by the last accepted report."),
    ("merged_into", _TEXT, "In what it goes on."),
    ("split_into", _TEXT, "Into what it was split."),
)
COLUMNS: Final = [Column(name, (name,), kind, about) for name, kind, about in _COLUMNS]


def rows(content: EditionContent) -> Iterator[list[Cell]]:
    """The table of an edition: a row for each commitment, with a cell for each of `COLUMNS`."""
    for one in content.items:
        cells = _cells(one)
        yield [cells[column.name] for column in COLUMNS]


def csv_of(content: EditionContent) -> bytes:
    """An edition as CSV."""
    file = BytesIO()
    CsvTable(file, COLUMNS).write(rows(content))
    return file.getvalue()


def sheet_of(content: EditionContent) -> Sheet:
    """What a spreadsheet of an edition says besides its rows."""
    return Sheet(
        name=content.edition.code,
        columns=[SheetColumn(one.name, one.kind, one.name, one.about) for one in COLUMNS],
        about=_about(content, _ENGLISH),
        about_name="about",
        fields_header=["field", "label", "meaning"],
        cut="Texts that were too long for a cell",
    )


def html_of(content: EditionContent, lang: Lang = "en") -> bytes:
    """An edition as a page that needs nothing else; what it quotes is in the language in which it was recorded."""
    about, words = content.edition, _Words(lang)
    title = escape(f"{about.report_name}: {words.day(about.on)}")
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{lang}">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style></head>",
        f"<body><h1>{title}</h1>",
        "<dl>",
        *(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in _about(content, words)),
        "</dl>",
        f"<table><thead><tr><th>{words.say('Section')}</th><th>{words.say('Commitments')}</th></tr></thead><tbody>",
        *(
            f"<tr><td>{escape(words.say(HEADINGS[section]))}</td><td>{content.totals[section]}</td></tr>"
            for section in EditionSection
        ),
        f"<tr><th>{words.say('All')}</th><th>{content.totals['registered']}</th></tr></tbody></table>",
    ]
    for section, found in sections(content.items):
        lines.append(f"<section><h2>{escape(words.say(HEADINGS[section]))}</h2>")
        lines += [line for one in found for line in _article(one, words)]
        lines.append("</section>")
    lines.append("</body></html>\n")
    return "\n".join(lines).encode()


_STYLE: Final = (
    "body{font-family:sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;line-height:1.4}"
    "dt{font-weight:bold}dd{margin:0 0 .3rem}article{border-top:1px solid #999;padding:.5rem 0}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.1rem 1rem .1rem 0}blockquote{font-style:italic}"
)


def _about(content: EditionContent, words: _Words) -> list[tuple[str, str]]:
    about, say = content.edition, words.say
    found = [
        (say("Edition"), about.code),
        (say("Report"), f"{about.report_name} ({about.report})"),
        (say("Addressed to"), about.addressed_to or ""),
        (say("Audience"), say(about.audience.value)),
        (say("Tells of"), words.day(about.on)),
        (say("Was due on"), words.day(about.due_on)),
        (say("Published on"), words.day(about.published_on)),
        (say("Position in the log"), str(about.position)),
        (say("Rule"), about.status_rule),
        (say("Template"), about.template),
        *((f"{say('Only')}: {say(name)}", BETWEEN.join(values)) for name, values in about.filters.items()),
    ]
    return [(name, text) for name, text in found if text]


def _article(one: EditionEntry, words: _Words) -> Iterator[str]:
    promised, say = one.promised, words.say
    yield f'<article id="{escape(one.code)}"><h3>{escape(f"{one.code}: {one.title}")}</h3><dl>'
    facts = (
        (say("Led by"), one.lead_organization_name or one.lead_organization),
        (say("Pillar"), one.pillar_name or one.pillar),
        (say("Promised"), promised.goal),
        (say("By"), words.day(promised.public_deadline_on) or say("no day was promised")),
        (say("Moved"), _moves(one, words)),
        (say("Days late"), None if one.late_days in (None, 0) else str(one.late_days)),
        (say("Discarded for"), _given_up(one, words)),
        (say("Result"), one.result and _result(one, words)),
        (say("Evidence"), one.result and _evidence(one)),
        (say("Done"), None if one.percent is None else f"{words.number(one.percent)} %"),
        (say("Goes on in"), BETWEEN.join([*([one.merged_into] if one.merged_into else []), *one.split_into])),
    )
    for name, text in facts:
        if text:
            yield f"<dt>{name}</dt><dd>{escape(text)}</dd>"
    yield "</dl>"
    if promised.quote:
        where = ", ".join(filter(None, (promised.source, words.day(promised.source_on))))
        yield f"<blockquote>{escape(promised.quote)} <cite>{escape(where)}</cite></blockquote>"
    yield "</article>"


def _cells(one: EditionEntry) -> dict[str, Any]:
    promised, result = one.promised, one.result
    return {
        **{column.name: getattr(one, column.name, None) for column in COLUMNS},
        "section": one.section.value,
        "collaborating_organizations": BETWEEN.join(one.collaborating_organizations) or None,
        "goal": promised.goal,
        "quote": promised.quote,
        "source": promised.source,
        "source_on": _day(promised.source_on),
        "first_public_deadline_on": _day(promised.first_public_deadline_on),
        "public_deadline_on": _day(promised.public_deadline_on),
        "moves": _moves(one, _ENGLISH) or None,
        "discard_reason_type": one.discarded and one.discarded.type and one.discarded.type.value,
        "discard_reason": one.discarded and one.discarded.reason,
        "result_on": result and result.on.isoformat(),
        "result": result and result.text,
        "evidence": result and _evidence(one),
        "split_into": BETWEEN.join(one.split_into) or None,
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _moves(one: EditionEntry, words: _Words) -> str:
    none = words.say("no day")
    return BETWEEN.join(
        f"{words.day(move.before) or none} → {words.day(move.after) or none}"
        f"{f' ({move.reason})' if move.reason else ''}"
        for move in one.promised.moves
    )


def _given_up(one: EditionEntry, words: _Words) -> str | None:
    if one.discarded is None:
        return None
    kind = one.discarded.type
    return ": ".join(filter(None, (kind and words.say(REASONS[kind.value]), one.discarded.reason)))


def _result(one: EditionEntry, words: _Words) -> str:
    assert one.result is not None
    return ": ".join(filter(None, (words.day(one.result.on), one.result.text)))


def _evidence(one: EditionEntry) -> str | None:
    assert one.result is not None
    return BETWEEN.join(" ".join(filter(None, (each.description, each.url))) for each in one.result.evidence)


# --- languages -------------------------------------------------------------------------------------------------------

SPANISH: Final = {
    "Delayed": "Atrasados",
    "Discarded": "Descartados",
    "Needs attention": "Requieren atención",
    "Needs attention: the unit's own deadline has passed": "Requieren atención: vencido su plazo interno",
    "Achieved, late": "Cumplidos con atraso",
    "Achieved": "Cumplidos",
    "On time": "A tiempo",
    "Merged into another": "Fusionados con otro",
    "Split into others": "Divididos en otros",
    "technical reasons": "razones técnicas",
    "budgetary reasons": "razones presupuestarias",
    "a change of priorities": "cambio de prioridades",
    "Section": "Sección",
    "Commitments": "Compromisos",
    "All": "Todos",
    "Edition": "Edición",
    "Report": "Informe",
    "Addressed to": "Dirigido a",
    "Audience": "Para",
    "public": "el público",
    "government": "el gobierno",
    "Tells of": "Cuenta al",
    "Was due on": "Debía rendirse el",
    "Published on": "Publicada el",
    "Position in the log": "Posición en el registro",
    "Rule": "Regla",
    "Template": "Plantilla",
    "Only": "Solo",
    "pillar": "eje",
    "organization": "organización",
    "region": "región",
    "kind": "tipo",
    "origin": "origen",
    "speech_year": "año del discurso",
    "Led by": "Organismo responsable",
    "Pillar": "Eje",
    "Promised": "Prometido",
    "By": "Para el",
    "no day was promised": "no se prometió un día",
    "Moved": "Plazo movido",
    "no day": "sin día",
    "Days late": "Días de atraso",
    "Discarded for": "Descartado por",
    "Result": "Lo logrado",
    "Evidence": "Evidencia",
    "Done": "Avance",
    "Goes on in": "Sigue en",
}
"""Every word of the page, in Spanish."""
_MONTHS: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)


class _Words:
    """How one language says what the page says."""

    def __init__(self, lang: Lang) -> None:
        self._spanish = lang == "es"

    def say(self, english: str) -> str:
        """A word of the page."""
        return SPANISH[english] if self._spanish else english

    def day(self, day: date | None) -> str:
        """A civil day; nothing where there is none."""
        if day is None:
            return ""
        return f"{day.day} de {_MONTHS[day.month - 1]} de {day.year}" if self._spanish else day.isoformat()

    def number(self, value: Decimal) -> str:
        """A number with all its digits."""
        written = f"{value:f}"
        return written.replace(".", ",") if self._spanish else written


_ENGLISH: Final = _Words("en")
