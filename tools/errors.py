"""Everything that can go wrong in a way the caller should know about.

An error is named for what its catcher does with it::

    ZhiyinError
    ├── InvalidInput          the caller must send something else
    ├── NotFound              there is no such thing, or it is not the caller's
    ├── Conflict              it would clash with what is there; try later or otherwise
    │   └── TurnInProgress    the conversation is already answering
    ├── TooLarge              past a stated limit
    ├── NotAvailable          a capability that is not built or not configured
    ├── StoreUnavailable      a store refuses for now (locked, full, gone); retryable
    └── UpstreamError         a language model's server let us down
        ├── UpstreamUnavailable   refused, reset, 5xx, overloaded; retryable
        ├── UpstreamTimeout       said nothing for too long; retryable
        ├── UpstreamRejected      understood us and said no (401, 400, filter)
        └── UpstreamMalformed     said something that cannot be read

Messages may reach users and logs: they never hold a secret or the input itself.
"""

from __future__ import annotations

from typing import ClassVar


class ZhiyinError(Exception):
    """A failure with a stable `code` and a message that is safe to show."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code  # type: ignore[misc]


class InvalidInput(ZhiyinError):
    """The request is well-formed but means nothing we can act on."""

    code = "invalid_input"


class NotFound(ZhiyinError):
    """Absent, or another tenant's: the two are told apart by nobody."""

    code = "not_found"


class Conflict(ZhiyinError):
    """The state of things forbids it just now."""

    code = "conflict"


class TurnInProgress(Conflict):
    """The conversation already has a running turn."""

    code = "turn_in_progress"


class TooLarge(ZhiyinError):
    """Larger than a limit that the message names."""

    code = "too_large"


class NotAvailable(ZhiyinError):
    """The capability is not part of this build, or nothing is configured for it."""

    code = "not_available"


class StoreUnavailable(ZhiyinError):
    """A store cannot serve right now; nothing was half written."""

    code = "store_unavailable"
    retryable = True


class UpstreamError(ZhiyinError):
    """A language model's server failed the turn."""

    code = "upstream_error"


class UpstreamUnavailable(UpstreamError):
    """Refused, reset, overloaded or answering 5xx."""

    code = "upstream_unavailable"
    retryable = True


class UpstreamTimeout(UpstreamError):
    """No byte within the time allowed."""

    code = "upstream_timeout"
    retryable = True


class UpstreamRejected(UpstreamError):
    """The server understood the request and declined it."""

    code = "upstream_rejected"


class UpstreamMalformed(UpstreamError):
    """The reply is not what the protocol allows."""

    code = "upstream_malformed"
