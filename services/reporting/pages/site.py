"""What all pages have in common: frame, headers, language, and what is shown where there is no page."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.pages import pictures
from services.reporting.pages.feed import MEDIA_TYPE, Feed, as_xml
from services.reporting.pages.language import MEANINGS, language
from services.reporting.pages.signs import sign_told
from services.reporting.queries.moments import AsOf
from services.reporting.routes.asking import PUBLIC_SECONDS
from shared.http.context import address_within, path_within, visitor_of
from shared.http.preconditions import not_modified
from shared.http.responses import QUARANTINED
from shared.http.templates import spoken_in as asked_for
from shared.http.templates import templates_of
from shared.languages import LANGUAGES, N_, Language

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing from another host, and no script at all."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language, Authorization, X-Api-Key",
}
ORDER: Final = (
    "delayed",
    "discarded",
    "needs_attention",
    "needs_attention_internal_deadline",
    "on_time",
    "achieved",
    "merged",
    "split",
)
"""In which order states are told: the bad news first."""
_STYLE: Final = (files(__package__) / "static" / "style.css").read_bytes()
_STYLE_TAG: Final = blake2b(_STYLE, digest_size=8).hexdigest()


class Site:
    """Makes pages of templates, each in the language its reader asked for."""

    def __init__(self) -> None:
        self._environments = {code: _environment(language(code)) for code in LANGUAGES}

    def page(
        self,
        request: Request,
        template: str,
        at: AsOf,
        json: str,
        /,
        *,
        news: tuple[str, str] | None = None,
        **shown: Any,
    ) -> Response:
        """A page about a day; `json` is where the same stands as JSON, to which the question is added.

        `news` is where its own feed is, if it has one besides that of the whole, and what that is of.
        """
        own = {"lang", "after", "since"} | dict(parse_qsl(json.partition("?")[2])).keys()
        own |= {"on"} if "to" in own else set()
        asked = {name: value for name, value in request.query_params.items() if value and name not in own}
        root = request.scope.get("root_path", "")
        joint = "&" if "?" in json else "?"
        behind = f"{root}{json}" + (f"{joint}{urlencode(asked)}" if asked else "")
        feeds = [("/news.atom", spoken_in(request).text(N_("the plan"))), *([news] if news else [])]
        body = self._render(request, template, at=at, json=behind, feeds=feeds, **shown)
        return self._answer(request, body, at, "text/html")

    def feed(self, request: Request, at: AsOf, feed: Feed) -> Response:
        """The news as a feed."""
        body = as_xml(self._render(request, "news.atom", feed=feed).decode()).encode()
        return self._answer(request, body, at, MEDIA_TYPE)

    def file(self, request: Request, at: AsOf, content: bytes, media_type: str) -> Response:
        """What other programs read, about a day."""
        return self._answer(request, content, at, media_type)

    def _answer(self, request: Request, body: bytes, at: AsOf, media_type: str) -> Response:
        tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        held = not_modified(request, tag, position=at.position_told)
        answer = held or Response(body, media_type=media_type)
        answer.headers.update(HEADERS)
        answer.headers["ETag"] = tag
        answer.headers["Log-Position"] = str(at.position_told)
        if at.unreadable:
            answer.headers[QUARANTINED] = str(at.unreadable)
        everybody = visitor_of(request) is None
        answer.headers["Cache-Control"] = (
            f"public, max-age={PUBLIC_SECONDS}" if everybody else "private, no-cache"
        )
        return answer

    def problem(self, request: Request, status: int, title: str, detail: str, more: str = "") -> Response:
        """A page that says why there is none."""
        body = self._render(
            request, "problem.html", at=None, json=None, feeds=[], title=title, detail=detail, more=more
        )
        return Response(body, status, {**HEADERS, "Cache-Control": "no-store"}, "text/html")

    def style(self, request: Request) -> Response:
        """The one style sheet."""
        tag = f'"{_STYLE_TAG}"'
        headers = {**HEADERS, "ETag": tag, "Cache-Control": "public, max-age=3600"}
        return not_modified(request, tag) or Response(_STYLE, 200, headers, "text/css")

    def _render(self, request: Request, template: str, **shown: Any) -> bytes:
        spoken = spoken_in(request)
        found = self._environments[spoken.code].get_template(template)
        links = Links(request)
        return found.render(link=links, spoken=spoken, style=_STYLE_TAG, **shown).encode()


class Links:
    """Addresses of pages, which keep the language and the two times that were asked for."""

    def __init__(self, request: Request) -> None:
        self._root: str = request.scope.get("root_path", "")
        self._path: str = self._root + path_within(request.scope)
        self._asked = dict(request.query_params)
        self._outside = address_within(request)
        self._prefix = self._outside.path.removesuffix(path_within(request.scope))

    @property
    def path(self) -> str:
        """This page without what was asked of it, for a form."""
        return self._path

    def __call__(self, path: str, **query: Any) -> str:
        """A page by its path, at the day and as known when this one is; `query` adds to that, None takes away."""
        kept = {
            name: self._asked[name] for name in ("lang", "on", "known_at", "position") if name in self._asked
        }
        return self._address(f"{self._root}{path}", kept | query)

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """What a form on this page asks besides its own fields."""
        mine = {*without, "after"}
        names = (
            ("lang", "on", "known_at", "position", "since", "by")
            if without
            else ("lang", "on", "known_at", "position")
        )
        return [(name, self._asked[name]) for name in names if name not in mine and self._asked.get(name)]

    def fixed(self, path: str) -> str:
        """What is the same whatever day is asked about."""
        return f"{self._root}{path}"

    def today(self, path: str) -> str:
        """What goes on: in the language that was asked for, of the present whatever day is shown."""
        return self._address(f"{self._root}{path}", {"lang": self._asked.get("lang")})

    def outside(self, path: str, **query: Any) -> str:
        """A page as a program finds it that knows nothing of this one; it keeps nothing."""
        return str(self._outside.replace(path=f"{self._prefix}{path}", query=urlencode(query)))

    @property
    def itself(self) -> str:
        """What was asked for, as it can be asked for from outside."""
        return str(self._outside.replace(query=urlencode(self._asked)))

    def file(self, path: str, tag: str) -> str:
        """A file that all pages share; its address changes with it."""
        return f"{self._root}{path}?v={tag}"

    def here(self, **query: Any) -> str:
        """This page, asked otherwise."""
        return self._address(self._path, self._asked | query)

    @staticmethod
    def _address(path: str, query: Mapping[str, Any]) -> str:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return f"{path}?{urlencode(given)}" if given else path


def spoken_in(request: Request) -> Language:
    """The language of an answer: that of `lang`, or what the browser asks for."""
    return language(asked_for(request))


def _environment(spoken: Language) -> Environment:
    environment = templates_of(__package__, spoken)
    environment.filters["sign"] = lambda one: sign_told(one, spoken)
    environment.globals |= {
        "languages": LANGUAGES,
        "marks": pictures.MARKS,
        "meanings": {state: spoken.text(meaning) for state, meaning in MEANINGS.items()},
        "order": ORDER,
    }
    return environment
