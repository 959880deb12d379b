"""Traces, for installations that want them: from a request through the log to the projection that shows what it wrote.

The events that a request records carry its trace context (`traceparent`, as W3C has it), and whoever acts on them
goes on in the same trace. Until `begin` or `begin_tracing` is called nothing of OpenTelemetry is imported here, no
event carries anything, and each question costs the look at one name. The SDK comes with `bitacora[telemetry]`.
"""

from __future__ import annotations

import re
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer, TracerProvider

EXTRA: Final = (
    "BITACORA_TELEMETRY needs packages that are not here: install bitacora[telemetry], or leave it unset."
)
_LINE: Final = re.compile(rb'"traceparent":"00-([0-9a-f]{32})-([0-9a-f]{16})-01"')


class _Tracing(NamedTuple):
    provider: TracerProvider
    tracer: Tracer


_NOTHING: Final = nullcontext()
_on: _Tracing | None = None


def begin_tracing(service: str) -> None:
    """Trace this process under the name of a service; where to is said by the variables `OTEL_…` of OpenTelemetry.

    ValueError, in a sentence, where the SDK is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ValueError(EXTRA) from error
    # What the environment says of the process (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) goes before what we say.
    provider = TracerProvider(
        resource=Resource({SERVICE_NAME: f"bitacora-{service}"}).merge(Resource.create())
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    begin(provider)


def begin(provider: TracerProvider) -> None:
    """Trace to a provider from now on."""
    global _on  # noqa: PLW0603 - one for the process, like its log
    _on = _Tracing(provider, provider.get_tracer("bitacora"))


def end() -> None:
    """Trace no more."""
    global _on  # noqa: PLW0603
    _on = None


def provider() -> TracerProvider | None:
    """Where traces go; None while there are none."""
    return None if _on is None else _on.provider


def traceparent() -> str | None:
    """The context of what is being done just now, to be carried by what it records; None where nobody follows it."""
    if _on is None:
        return None
    from opentelemetry.trace import get_current_span

    now = get_current_span().get_span_context()
    if not now.is_valid or not now.trace_flags.sampled:
        return None
    return f"00-{now.trace_id:032x}-{now.span_id:016x}-01"


def span(name: str, line: bytes | None = None, **attributes: Any) -> AbstractContextManager[Any]:
    """A step of the present trace or, with the line of an event, of the one in which that was recorded."""
    if _on is None:
        return _NOTHING
    within = None if line is None else _context_of(line)
    return _on.tracer.start_as_current_span(name, within, attributes=attributes)


def now() -> int:
    """The present, as `done` takes it; 0 where nobody asks."""
    return 0 if _on is None else time.time_ns()


def done(name: str, began: int, line: bytes, **attributes: Any) -> None:
    """A step that began at an instant (`now`) and is over, in the trace in which the event of a line was recorded."""
    if _on is None:
        return
    within = _context_of(line)
    if within is not None:
        _on.tracer.start_span(name, within, attributes=attributes, start_time=began).end()


def _context_of(line: bytes) -> Context | None:
    """The context that an event carries, if it does; what a text of it says is escaped, and so is not taken for one."""
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    found = _LINE.search(line)
    if found is None:
        return None
    trace, parent = int(found[1], 16), int(found[2], 16)
    there = SpanContext(trace, parent, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(there))
