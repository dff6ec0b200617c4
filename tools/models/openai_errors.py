"""All the ways a chat server can fail, as our errors. None of their messages repeats what the server or we said."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from tools.errors import UpstreamError, UpstreamMalformed, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable

OVERLOADED = frozenset({408, 409, 425, 429})
"""Statuses below 500 that say: not now."""
_DECLINED = {
    "The conversation is too long for the model.": (
        "context_length_exceeded",
        "context length",
        "context window",
        "maximum context",
        "prompt is too long",
    ),
    "The model's server declined the request for its content.": (
        "content_filter",
        "content_policy",
        "content management policy",
    ),
    "The account at the model's server is out of quota.": ("insufficient_quota", "billing_hard_limit"),
}
"""What we say -> signs of it in an error report, in OpenAI's words and those of common servers."""


class BodyRefused(Exception):
    """A reply that is not read on: compressed, or far larger than an answer can be."""


class MayPass(Exception):
    """A failure that another try may not meet; `after_seconds` is the pause that the server asked for."""

    def __init__(self, error: UpstreamError, after_seconds: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.after_seconds = after_seconds


def failure_of(error: Exception) -> UpstreamError | MayPass:
    """The client library's error as ours."""
    import httpx2
    import openai

    if isinstance(error, UpstreamError | MayPass):
        return error
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, BodyRefused):
            return UpstreamMalformed("The model's server sent a reply that cannot be an answer.")
        if isinstance(cause, openai.APIStatusError):
            return _of_status(cause)
    for cause in chain:
        if isinstance(cause, openai.APITimeoutError | httpx2.TimeoutException | TimeoutError):
            return MayPass(UpstreamTimeout("The model's server could not be reached in time."))
        if isinstance(cause, httpx2.LocalProtocolError | httpx2.InvalidURL | httpx2.UnsupportedProtocol):
            return UpstreamRejected("The model's server cannot be asked: check its address and key.")
        if isinstance(cause, httpx2.DecodingError):
            return UpstreamMalformed("The model's server sent something that cannot be read.")
    for cause in chain:
        if isinstance(cause, openai.APIConnectionError | httpx2.TransportError | httpx2.StreamError | OSError):
            return MayPass(UpstreamUnavailable("The connection to the model's server failed."))
    return UpstreamMalformed("The model's server sent something that cannot be read.")


def error_in_stream(report: Any) -> UpstreamError | MayPass:
    """What an `error` object in the place of a chunk means."""
    code = report.get("code") if isinstance(report, dict) else None
    if declined := _declined(report):
        return declined
    if isinstance(code, int) and 400 <= code < 500 and code not in OVERLOADED:
        return UpstreamRejected(f"The model's server declined the request ({code}).")
    return MayPass(UpstreamUnavailable("The model's server reported an error."))


def retry_after_seconds(header: str | None) -> float | None:
    """`Retry-After` in seconds from now, from a number or a date (RFC 9110, 10.2.3); None when it is nonsense."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header).astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _of_status(error: Any) -> UpstreamError | MayPass:
    status = int(error.status_code)
    if status < 500 and (declined := _declined(error.body)):
        return declined
    if status in OVERLOADED or status >= 500:
        asked = retry_after_seconds(error.response.headers.get("retry-after"))
        return MayPass(UpstreamUnavailable(f"The model's server answered {status}."), asked)
    if status in {401, 403}:
        return UpstreamRejected(f"The model's server did not accept the key ({status}).")
    if status == 404:
        return UpstreamRejected("The model's server knows no such model or address (404).")
    return UpstreamRejected(f"The model's server declined the request ({status}).")


def _declined(report: Any) -> UpstreamRejected | None:
    """A refusal that no other try will change, when the report names one."""
    said = str(report)[:4096].casefold()
    for message, signs in _DECLINED.items():
        if any(sign in said for sign in signs):
            return UpstreamRejected(message)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
