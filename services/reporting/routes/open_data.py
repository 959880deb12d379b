"""Everything that is public, for whoever wants to do something with it: tables, their description, a catalogue entry.

Whoever asks is told what anybody is told, with credentials or without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b, sha256
from tempfile import TemporaryFile
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import urlencode
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec
from msgspec import Meta
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.moments import AsOf
from services.reporting.routes.asking import HELD, HeldSnapshot, Question, Reporting, tagged
from services.reporting.routes.tables import MEDIA_TYPES, AskedTable, Form, Made, Tables, sent
from services.reporting.tables.columns import Column, Kind, Lang
from services.reporting.tables.csv import MEDIA_TYPE as CSV
from shared.events.types import Kind as ThingKind
from shared.http.context import KEY, address_within, context_of
from shared.http.responses import encoded
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.rules.traffic_light import CURRENT_RULE

ZIP: Final = "application/zip"
JSON_LD: Final = "application/ld+json"
_OPEN: Final = Access(
    EVERYONE, anonymous=True, note="what is public, whoever asks", etag=True, log_position=True
)
_PROFILES: Final = "https://datapackage.org/profiles/2.0/"
_MEDIA: Final = "https://www.iana.org/assignments/media-types/"
_YEARS: Final = 10
"""Of how many years the register of meetings is told."""
_TOLD: Final = (
    *(ThingKind.COMMITMENT, ThingKind.ORGANIZATION, ThingKind.PILLAR, ThingKind.INDICATOR),
    *(ThingKind.DECISION, ThingKind.BODY, ThingKind.MEETING, ThingKind.ACTION_ITEM),
)
_TYPES: Final = {
    Kind.TEXT: "string",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.FLAG: "boolean",
    Kind.DAY: "date",
    Kind.INSTANT: "datetime",
}
TITLES: Final[Mapping[Lang, str]] = {
    "es": "Compromisos del gobierno: qué se prometió, qué se acordó y qué se cumplió",
    "en": "Commitments of the government: what was promised, decided and delivered",
}


class Publisher(NamedTuple):
    """Who publishes the data, and under which licence: its name by SPDX, and where it is."""

    name: str
    license: str
    license_url: str


class Resource(NamedTuple):
    """A table of the open data: what it is called, of which list it is, and what it is asked."""

    name: str
    dataset: str
    titles: Mapping[Lang, str]
    key: str | None = None
    query: Mapping[str, str] = {}

    def asked(self, at: AsOf) -> dict[str, str]:
        """What its list is asked, as of a day and a position."""
        found = {**self.query, "on": at.on.isoformat(), "position": str(at.position_told)}
        if self.dataset == "meeting-register":
            found["from"] = at.on.replace(year=max(1, at.on.year - _YEARS + 1), month=1, day=1).isoformat()
        return found


def _titles(spanish: str, english: str) -> Mapping[Lang, str]:
    return {"es": spanish, "en": english}


RESOURCES: Final = (
    Resource(
        "objectives",
        "commitments",
        _titles("Objetivos estratégicos", "Strategic objectives"),
        "code",
        {"kind": "strategic_objective"},
    ),
    Resource("actions", "commitments", _titles("Acciones", "Actions"), "code", {"kind": "action"}),
    Resource(
        "commitments", "commitments", _titles("Compromisos", "Commitments"), "code", {"kind": "commitment"}
    ),
    Resource("plan", "tree", _titles("El plan y sus partes", "The plan and its parts")),
    Resource("indicators", "indicators", _titles("Indicadores", "Indicators"), "code"),
    Resource(
        "indicator-values",
        "indicator-values",
        _titles("Valores de los indicadores", "Values of indicators"),
    ),
    Resource(
        "indicator-targets",
        "indicator-targets",
        _titles("Metas de los indicadores", "Targets of indicators"),
    ),
    Resource("decisions", "decisions", _titles("Acuerdos", "Decisions"), "number"),
    Resource(
        "decision-gaps",
        "decisions-gaps",
        _titles("Vacíos en el registro de los acuerdos", "Gaps in the record of decisions"),
    ),
    Resource("action-items", "action-items", _titles("Tareas", "Action items"), "id"),
    Resource(
        "meetings",
        "meeting-register",
        _titles("Reuniones por instancia y mes", "Meetings by body and month"),
    ),
    Resource("editions", "editions", _titles("Ediciones de los informes", "Editions of reports"), "code"),
    Resource("warning-signs", "warning-signs", _titles("Señales de alerta", "Warning signs")),
)


class OpenDataQuery(Question):
    """Of which day and how much of the log everything is told."""

    lang: Annotated[Lang, Field(description="The language of titles.")] = "es"


class DataPackage(msgspec.Struct):
    """A Frictionless Data Package 2.0: the tables, their fields, their licence, and of which position they are."""

    name: str
    title: str
    position: Annotated[int, Meta(description="The position of the log of which all of it is.")]
    licenses: Annotated[
        list[dict[str, str]], Meta(description="What may be done with it: a name by SPDX, and where it is.")
    ]
    resources: Annotated[list[dict[str, Any]], Meta(description="The tables, each with its schema.")]


class Catalogue(msgspec.Struct):
    """A catalogue in JSON-LD by DCAT, for portals that gather such."""


class OpenData:
    """Puts the open data together."""

    def __init__(self, reporting: Reporting, tables: Tables, publisher: Publisher) -> None:
        self._reporting = reporting
        self._tables = tables
        self._publisher = publisher

    async def at(self, request: Request, query: Question) -> AsOf:
        """The day and the position that a question turns out to be about."""
        at, _, _ = await self._reporting.ask(request, query, lambda *_: None, tells=_TOLD)
        return at

    def package(self, at: AsOf, lang: Lang, described: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The description of the whole, with that of each table."""
        return {
            "$schema": f"{_PROFILES}datapackage.json",
            "name": "bitacora",
            "title": TITLES[lang],
            "licenses": [{"name": self._publisher.license, "path": self._publisher.license_url}],
            "contributors": [{"title": self._publisher.name, "roles": ["publisher"]}],
            "on": at.on,
            "position": at.position_told,
            "known_on": at.known_on,
            "status_rule": CURRENT_RULE,
            "corrected": at.corrected,
            "resources": described,
        }

    def described(self, resource: Resource, lang: Lang, path: str, **more: Any) -> dict[str, Any]:
        """The description of a table that is at a path."""
        schema: dict[str, Any] = {
            "$schema": f"{_PROFILES}tableschema.json",
            "fields": [_field(column, lang) for column in self._tables.columns(resource.dataset)],
        }
        if resource.key is not None:
            schema["primaryKey"] = [resource.key]
        return {
            "name": resource.name,
            "title": resource.titles[lang],
            "type": "table",
            "path": path,
            "format": "csv",
            "mediatype": CSV,
            "encoding": "utf-8",
            **more,
            "schema": schema,
        }

    async def zipped(self, request: Request, at: AsOf, lang: Lang) -> Made:
        """All tables as CSV in one file, and their description."""
        file = TemporaryFile()  # noqa: SIM115 - closed when it has been sent
        try:
            described = []
            with ZipFile(file, "w", ZIP_DEFLATED) as whole:
                for resource in RESOURCES:
                    path = f"data/{resource.name}.csv"
                    made = await self._tables.made(
                        request, resource.dataset, resource.asked(at), AskedTable(Form.CSV)
                    )
                    with made.file:
                        size, digest = await run_in_threadpool(_put, whole, path, made.file)
                    described.append(
                        self.described(resource, lang, path, bytes=size, hash=f"sha256:{digest}")
                    )
                content = encoded(self.package(at, lang, described))
                whole.writestr(_entry("datapackage.json"), content)
        except BaseException:
            file.close()
            raise
        name = f"bitacora-{at.on}-at-{at.position_told}"
        tag = blake2b(content, digest_size=12).hexdigest()
        return Made(file, f'"{tag}"', name, made.headers)

    def catalogue(self, at: AsOf, base: str) -> dict[str, Any]:
        """The catalogue of what is at an address: this very data, as it is on any day."""
        licence = {"@id": self._publisher.license_url}
        publisher = {"@type": "foaf:Agent", "foaf:name": self._publisher.name}
        whole = {
            "@id": f"{base}/v1/open-data/datapackage.json",
            "dct:title": _in_languages(TITLES),
            "dcat:distribution": [
                _distribution(f"{base}/v1/open-data/bitacora.zip", ZIP, licence),
                _distribution(f"{base}/v1/open-data/datapackage.json", "application/json", licence),
            ],
        }
        parts = [
            {
                "@id": f"{base}/v1/open-data/datapackage.json#{resource.name}",
                "dct:title": _in_languages(resource.titles),
                "dcat:distribution": [
                    _distribution(
                        f"{base}/v1/exports/{resource.dataset}.{form}{_asking(resource.query)}",
                        media_type,
                        licence,
                    )
                    for form, media_type in MEDIA_TYPES.items()
                ],
            }
            for resource in RESOURCES
        ]
        shared = {
            "@type": "dcat:Dataset",
            "dct:description": _in_languages(TITLES),
            "dct:publisher": publisher,
            "dct:license": licence,
            "dct:modified": _day(at.known_on or at.on),
        }
        return {
            "@context": {
                "dcat": "http://www.w3.org/ns/dcat#",
                "dct": "http://purl.org/dc/terms/",
                "foaf": "http://xmlns.com/foaf/0.1/",
                "xsd": "http://www.w3.org/2001/XMLSchema#",
            },
            "@id": f"{base}/v1/open-data/catalog.jsonld",
            **shared,
            "@type": "dcat:Catalog",
            "dct:title": _in_languages(TITLES),
            "dct:identifier": f"bitacora-{at.position_told}",
            "dcat:dataset": [shared | one for one in (whole, *parts)],
        }


def open_data_routes(reporting: Reporting, tables: Tables, publisher: Publisher) -> Router:
    """The routes of the open data."""
    router = Router("open-data", "Everything that is public, as one package, and its entry in a catalogue.")
    data = OpenData(reporting, tables, publisher)

    @router.get("/v1/open-data/datapackage.json", access=_OPEN, answers=DataPackage, query=OpenDataQuery)
    async def get_data_package(request: Request, query: OpenDataQuery) -> Response:
        """What there is of open data on a day, as a Frictionless Data Package 2.0: tables, fields, licence, position.

        Its paths lead to the tables of that very day and position; `bitacora.zip` has all of them in one file.
        """
        asking = _as_anybody(request)
        at, base = await data.at(asking, query), _base(request)
        described = [
            data.described(one, query.lang, f"{base}/v1/exports/{one.dataset}.csv{_asking(one.asked(at))}")
            for one in RESOURCES
        ]
        return tagged(asking, data.package(at, query.lang, described), at)

    @router.get(
        "/v1/open-data/bitacora.zip",
        access=_OPEN,
        answers=None,
        query=OpenDataQuery,
        media_type=ZIP,
        descriptions={200: "The tables as CSV below `data/`, and `datapackage.json`."},
    )
    async def get_open_data(request: Request, query: OpenDataQuery) -> Response:
        """Everything that is public on a day, as CSV in one file with its description, all of one position.

        Strategic objectives, actions and commitments stand apart. The register of meetings is that of ten years.
        """
        asking, held = _as_anybody(request), HeldSnapshot()
        asking.scope[HELD] = held
        try:
            async with tables.turn():
                made = await data.zipped(asking, await data.at(asking, query), query.lang)
        finally:
            await run_in_threadpool(held.close)
        return sent(request, made, "zip", ZIP)

    @router.get(
        "/v1/open-data/catalog.jsonld",
        access=_OPEN,
        answers=Catalogue,
        query=Question,
        media_type=JSON_LD,
    )
    async def get_catalogue(request: Request, query: Question) -> Response:
        """The entry of the open data in a catalogue: DCAT 3 in JSON-LD, with each table in each of its forms."""
        asking = _as_anybody(request)
        at = await data.at(asking, query)
        answer = tagged(asking, data.catalogue(at, _base(request)), at)
        if answer.status_code == 200:
            answer.headers["Content-Type"] = JSON_LD
        return answer

    return router


def _as_anybody(request: Request) -> Request:
    """The request as if it came without credentials."""
    context = msgspec.structs.replace(context_of(request), actor=None, caller=None)
    return Request({**request.scope, KEY: context}, request.receive)


def _base(request: Request) -> str:
    """Where this service is for the asker."""
    return str(address_within(request).replace(query="")).partition("/v1/open-data/")[0]


def _asking(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query)}" if query else ""


def _field(column: Column, lang: Lang) -> dict[str, str]:
    told = {"name": column.name, "type": _TYPES[column.kind], "title": column.label(lang)}
    return told | ({"description": column.about} if column.about else {})


def _put(whole: ZipFile, path: str, file: Any) -> tuple[int, str]:
    """Put a file into another; its length and its digest."""
    file.seek(0)
    digest, size = sha256(), 0
    with whole.open(_entry(path), "w") as entry:
        for piece in iter(lambda: file.read(1 << 20), b""):
            entry.write(piece)
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _entry(path: str) -> ZipInfo:
    """An entry without a time of its own, so that the same tables are the same file."""
    entry = ZipInfo(path)
    entry.compress_type = ZIP_DEFLATED
    return entry


def _in_languages(texts: Mapping[Lang, str]) -> list[dict[str, str]]:
    return [{"@language": lang, "@value": text} for lang, text in texts.items()]


def _day(day: Any) -> dict[str, str]:
    return {"@type": "xsd:date", "@value": day.isoformat()}


def _distribution(address: str, media_type: str, licence: Mapping[str, str]) -> dict[str, Any]:
    return {
        "@type": "dcat:Distribution",
        "dcat:accessURL": {"@id": address},
        "dcat:downloadURL": {"@id": address},
        "dcat:mediaType": {"@id": f"{_MEDIA}{media_type}"},
        "dct:license": licence,
    }
