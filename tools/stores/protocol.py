"""What the stores of conversations, turns and audit rows promise, whatever they are built on.

`tenant_id` is the first argument everywhere; what belongs to another tenant does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from tools.stores.moods_protocol import Mood

T = TypeVar("T")

TurnStatus = Literal["running", "done", "cancelled", "error", "rolled_back"]
MessageStatus = Literal["complete", "partial"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it is kept. `partial` answers were cut by a cancel or an error."""

    id: str
    role: Literal["system", "user", "assistant"]
    content: str
    turn_id: str | None = None
    status: MessageStatus = "complete"
    citations: Sequence[Mapping[str, Any]] = ()
    created_at: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread of turns. `summary` stands for the messages up to position `summary_until`."""

    id: str
    user_id: str
    title: str = ""
    summary: str = ""
    summary_until: int = 0
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and the cursor that leads to the next ones (None at the end)."""

    items: Sequence[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class NewTurn:
    """A turn about to start. `history` seeds a conversation that this turn makes."""

    id: str
    user_id: str
    message: str
    conversation_id: str
    make_conversation: bool = False
    history: Sequence[tuple[Literal["system", "user", "assistant"], str]] = ()


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the client gets it: `data` is the JSON text of the frame, to the letter."""

    seq: int
    data: str


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """How a turn ended, and the answer to keep (none when `answer` is empty)."""

    status: Literal["done", "cancelled", "error"]
    answer: str = ""
    citations: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A turn as it is kept."""

    id: str
    conversation_id: str
    user_id: str
    status: TurnStatus
    owner: str
    cancel_requested: bool = False


class ConversationStore(Protocol):
    """Conversations and their messages."""

    async def create(self, tenant_id: str, conversation: Conversation) -> Conversation:
        """Keep a new conversation; times are set by the store."""
        ...

    async def get(self, tenant_id: str, conversation_id: str) -> Conversation:
        """One conversation. Raises NotFound."""
        ...

    async def list(self, tenant_id: str, user_id: str | None, limit: int, cursor: str | None) -> Page[Conversation]:
        """Newest activity first; `user_id` None lists the whole tenant's. Raises InvalidInput for a bad cursor."""
        ...

    async def rename(self, tenant_id: str, conversation_id: str, title: str) -> Conversation:
        """Set the title. Raises NotFound."""
        ...

    async def delete(self, tenant_id: str, conversation_id: str) -> Sequence[str]:
        """Remove it with its messages, turns and events; gives the removed turns' ids. Raises NotFound."""
        ...

    async def messages(
        self, tenant_id: str, conversation_id: str, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Message]:
        """Messages in order with `position > after`; with `limit`, the last `limit` of them. Raises NotFound."""
        ...

    async def recall(self, tenant_id: str, conversation_id: str) -> tuple[Conversation, Sequence[Message]]:
        """The conversation and its messages after `summary_until`, read at one moment. Raises NotFound."""
        ...

    async def summarise(self, tenant_id: str, conversation_id: str, summary: str, until: int) -> None:
        """Set the running summary of the messages up to position `until`. Raises NotFound."""
        ...


class TurnStore(Protocol):
    """Turns and everything they said."""

    async def begin(self, tenant_id: str, turn: NewTurn, owner: str) -> None:
        """Start a turn: the conversation (when `make_conversation`), its history and the user's message, at once.

        A conversation without a title takes the message's beginning as its title.

        Raises:
            NotFound: no such conversation of this tenant (when not `make_conversation`).
            TurnInProgress: the conversation has a running turn, in this process or another.
        """
        ...

    async def append(
        self,
        tenant_id: str,
        turn_id: str,
        events: Sequence[StoredEvent],
        end: TurnEnd | None = None,
        mood: Mood | None = None,
    ) -> None:
        """Keep events; with `end`, close the turn and keep its answer in the same transaction.

        `mood`, which one of the events tells, is kept for the turn's user with them, dated as the turn's message;
        not for one who opted out, and only the turn's first.
        """
        ...

    async def get(self, tenant_id: str, turn_id: str) -> TurnRecord:
        """One turn. Raises NotFound."""
        ...

    async def events(self, tenant_id: str, turn_id: str, after: int = 0) -> Sequence[StoredEvent]:
        """Events with `seq > after`, in order. Raises NotFound."""
        ...

    async def running(self, tenant_id: str, conversation_id: str) -> str | None:
        """The id of the conversation's running turn."""
        ...

    async def request_cancel(self, tenant_id: str, turn_id: str) -> TurnRecord:
        """Ask whoever runs it to stop it; an ended turn is left alone. Raises NotFound."""
        ...

    async def cancel_requests(self, owner: str) -> Sequence[str]:
        """Ids of the owner's running turns that somebody asked to stop."""
        ...

    async def roll_back(self, tenant_id: str, turn_id: str) -> None:
        """Remove the messages and the mood of an ended turn. Raises NotFound."""
        ...

    async def owners_of_running(self) -> Sequence[str]:
        """All owners that have running turns."""
        ...

    async def interrupt(self, owner: str, data: str) -> int:
        """End all running turns of a dead owner with one last event; gives their number.

        `data` is the event's JSON with `{seq}` where its number goes; answers so far are kept as partial.
        """
        ...


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who changed or refused what."""

    principal: str
    action: str
    target: str
    before: Any = None
    after: Any = None
    request_id: str | None = None
    at: str = ""
    position: int = 0


class AuditStore(Protocol):
    """An append-only record."""

    async def append(self, tenant_id: str, row: AuditRow) -> None:
        """Add a row; its time is set by the store."""
        ...

    async def list(self, tenant_id: str, limit: int, cursor: str | None) -> Page[AuditRow]:
        """Newest first. Raises InvalidInput for a bad cursor."""
        ...
