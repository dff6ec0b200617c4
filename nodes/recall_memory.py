"""Bring the conversation so far to mind, within a budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from nodes.context import TurnContext
from tools.memory.summary import within_budget
from tools.models.protocol import ChatMessage

HISTORY_TOKENS = 1_500
"""Messages past this many tokens are told by the running summary alone."""


class RecallMemoryInput(TypedDict):
    """Reads nothing: the conversation is named in the context."""


class RecallMemoryUpdate(TypedDict, total=False):
    """`history` holds the latest messages, oldest first; `summary` stands for those before.

    `history_is_long` says that messages had to be left out and wait to be folded into the summary.
    """

    history: Sequence[ChatMessage]
    summary: str
    history_is_long: bool


async def recall_memory(state: RecallMemoryInput, context: TurnContext) -> RecallMemoryUpdate:
    """Recall the earlier messages of the conversation, without the one being answered."""
    turn = context.turn
    if turn.opens_conversation:
        return {"history": [], "summary": "", "history_is_long": False}
    conversation, messages = await context.services.conversations.recall(turn.tenant_id, turn.conversation_id)
    earlier = [message for message in messages if message.turn_id != turn.id]
    recent = within_budget(earlier, HISTORY_TOKENS)
    return {
        "history": [ChatMessage(message.role, message.content) for message in recent],
        "summary": conversation.summary,
        "history_is_long": len(recent) < len(earlier),
    }
