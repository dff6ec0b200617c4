"""Conversations: list, make, read, rename, delete, export."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from app.api.chat import Caller, Parts, owned_conversation
from app.errors import responses
from tools.stores.protocol import Conversation, Message

router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])


class ConversationOut(BaseModel):
    """A conversation without its messages."""

    id: str
    title: str
    user_id: str
    created_at: str
    updated_at: str


class MessageOut(BaseModel):
    """A message as it is kept; `status` is `partial` where a cancel or an error cut it."""

    id: str
    role: str
    content: str
    status: str
    turn_id: str | None
    citations: Sequence[Mapping[str, Any]]
    created_at: str


class ConversationWithMessages(ConversationOut):
    """A conversation with all its messages; `running_turn_id` names the turn that is answering now."""

    messages: list[MessageOut]
    running_turn_id: str | None


class ConversationPage(BaseModel):
    """Some conversations, latest activity first."""

    items: list[ConversationOut]
    next_cursor: str | None


class NewConversation(BaseModel):
    """A conversation to make."""

    model_config = ConfigDict(strict=True, extra="forbid")

    title: str = Field(default="", max_length=200)


class Rename(BaseModel):
    """A new title."""

    model_config = ConfigDict(strict=True, extra="forbid")

    title: str = Field(min_length=1, max_length=200)


async def owned(conversation_id: str, caller: Caller, app: Parts) -> Conversation:
    """The conversation, if it is the caller's; whoever may act for others sees the whole tenant's."""
    return await owned_conversation(app, caller, conversation_id)


Owned = Annotated[Conversation, Depends(owned)]


@router.get("", responses=responses(401, 422))
async def list_conversations(
    caller: Caller, app: Parts, limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: str | None = None
) -> ConversationPage:
    """The caller's conversations."""
    user_id = None if caller.is_local else caller.user_id
    page = await app.conversations.list(caller.tenant_id, user_id, limit, cursor)
    return ConversationPage(items=[_out(item) for item in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, responses=responses(400, 401, 415, 422))
async def make_conversation(caller: Caller, app: Parts, body: NewConversation | None = None) -> ConversationOut:
    """An empty conversation."""
    title = body.title if body else ""
    new = Conversation(id=f"conv_{uuid.uuid4().hex}", user_id=caller.user_id, title=title)
    return _out(await app.conversations.create(caller.tenant_id, new))


@router.get("/{conversation_id}", responses=responses(401, 404))
async def read_conversation(conversation: Owned, caller: Caller, app: Parts) -> ConversationWithMessages:
    """A conversation with its messages."""
    messages = await app.conversations.messages(caller.tenant_id, conversation.id)
    running = await app.turn_store.running(caller.tenant_id, conversation.id)
    return ConversationWithMessages(
        **_out(conversation).model_dump(), messages=[_message(m) for m in messages], running_turn_id=running
    )


@router.patch("/{conversation_id}", responses=responses(400, 401, 404, 415, 422))
async def rename_conversation(conversation: Owned, caller: Caller, app: Parts, body: Rename) -> ConversationOut:
    """Give a conversation another title."""
    return _out(await app.conversations.rename(caller.tenant_id, conversation.id, body.title))


@router.delete("/{conversation_id}", status_code=204, responses=responses(401, 404))
async def delete_conversation(conversation: Owned, caller: Caller, app: Parts) -> None:
    """Delete a conversation and all that came of it; a running turn is stopped first."""
    await app.turns.stop_conversation(caller.tenant_id, conversation.id)
    await app.conversations.delete(caller.tenant_id, conversation.id)


@router.get("/{conversation_id}/export", responses=responses(401, 404), response_class=Response)
async def export_conversation(conversation: Owned, caller: Caller, app: Parts) -> Response:
    """The conversation as a JSON file."""
    whole = await read_conversation(conversation, caller, app)
    headers = {"Content-Disposition": f'attachment; filename="{conversation.id}.json"'}
    return JSONResponse(whole.model_dump(exclude={"running_turn_id"}), headers=headers)


def _out(conversation: Conversation) -> ConversationOut:
    return ConversationOut(
        id=conversation.id,
        title=conversation.title,
        user_id=conversation.user_id,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


def _message(message: Message) -> MessageOut:
    return MessageOut(
        id=message.id,
        role=message.role,
        content=message.content,
        status=message.status,
        turn_id=message.turn_id,
        citations=message.citations,
        created_at=message.created_at,
    )
