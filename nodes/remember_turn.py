"""Keep the conversation light: what no longer fits in memory is folded into its running summary.

The messages themselves are kept by whoever runs the turn, in one transaction with its last event.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from nodes.context import TurnContext
from tools.memory.summary import fold, within_budget

KEPT_TOKENS = 1_000
"""What stays verbatim; less than what is recalled, so that folding happens now and then, not every turn."""


class RememberTurnInput(TypedDict):
    """What was said, to know whether there is anything to fold."""

    history_is_long: NotRequired[bool]


class RememberTurnUpdate(TypedDict, total=False):
    """`folded` counts the messages that went into the summary."""

    folded: int


async def remember_turn(state: RememberTurnInput, context: TurnContext) -> RememberTurnUpdate:
    """Fold the oldest messages into the summary once the history outgrows its budget."""
    turn, store = context.turn, context.services.conversations
    if not state.get("history_is_long"):
        return {"folded": 0}
    conversation, messages = await store.recall(turn.tenant_id, turn.conversation_id)
    kept = max(len(within_budget(messages, KEPT_TOKENS)), 2)
    old = messages[: len(messages) - kept]
    if old:
        summary = fold(conversation.summary, old)
        await store.summarise(turn.tenant_id, turn.conversation_id, summary, old[-1].position)
    return {"folded": len(old)}
