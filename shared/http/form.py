"""Reading a form whose parts are texts and files (RFC 7578), as strictly as a body of JSON is read."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, InstanceOf, ValidationError, WithJsonSchema
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from shared.http.body import must_fit
from shared.http.context import context_of
from shared.http.problems import RequestProblemError
from shared.http.validation import invalid_request

MEDIA_TYPE: Final = "multipart/form-data"
MOST_PARTS: Final = 20
LONGEST_NAME: Final = 200
"""Bytes of the name of a file, in UTF-8: file systems take some more."""
_NAME: Final = re.compile(r"[^\x00-\x1f/\\:\x7f]+")


class SentFile(NamedTuple):
    """A file that came with a request: what it is called, without the folders it lay in, and what is in it."""

    name: str
    content: bytes


def _called(file: SentFile) -> SentFile:
    name = re.split(r"[/\\]", file.name)[-1].strip()
    if _NAME.fullmatch(name) is None or name in {".", ".."} or len(name.encode()) > LONGEST_NAME:
        raise ValueError(f'give the file a name of at most {LONGEST_NAME} bytes: filename="…"')
    return SentFile(name, file.content)


File = Annotated[
    InstanceOf[SentFile],
    AfterValidator(_called),
    WithJsonSchema({"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}),
]
"""Declare as the type of a part that is a file."""


class Form(BaseModel):
    """The parts of a form by their names; one that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def read_form(request: Request, form: type[Form]) -> Form:
    """The parts of a form, as its model has them; the route has said in the request's context how large it may be."""
    limit = await must_fit(request)
    parser = MultiPartParser(
        request.headers,
        request.stream(),
        max_files=MOST_PARTS,
        max_fields=MOST_PARTS,
        max_part_size=limit,
    )
    try:
        parts = (await parser.parse()).multi_items()
    except (MultiPartException, UnicodeDecodeError, KeyError) as error:
        raise RequestProblemError(
            "malformed-request", f"The body is no {MEDIA_TYPE} that can be read: see RFC 7578."
        ) from error
    given: dict[str, list[Any]] = {}
    for name, part in parts:
        value: Any = part
        if isinstance(part, UploadFile):
            value = SentFile(part.filename or "", await part.read())
            await part.close()
        given.setdefault(name, []).append(value)
    context_of(request).digest_of_form = await asyncio.to_thread(_digest_of, given)
    several = {name for name, field in form.model_fields.items() if _is_several(field.annotation)}
    try:
        return form.model_validate(
            {
                name: values if name in several or len(values) > 1 else values[0]
                for name, values in given.items()
            }
        )
    except ValidationError as error:
        raise invalid_request(error, ()) from error


def _digest_of(parts: Mapping[str, Sequence[str | SentFile]]) -> bytes:
    digest = hashlib.sha256()
    for name, values in sorted(parts.items()):
        for value in values:
            for text in (name, *(value if isinstance(value, SentFile) else (value,))):
                told = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
                # Each is preceded by its length, so that no two lists of parts give the same bytes.
                digest.update(len(told).to_bytes(8, "big") + told)
    return digest.digest()


def _is_several(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) in (list, tuple)
