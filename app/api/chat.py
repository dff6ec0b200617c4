"""Chat: a message in, a stream of events out; and the turns behind it, to rejoin or stop."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.sse import event_stream
from app.auth import Principal, authenticated
from app.errors import RETRY_AFTER_SECONDS, responses
from app.turns import Ask, LiveTurn, OnBusy
from app.wiring import App
from nodes.turn import TurnOptions
from tools.errors import InvalidInput, NotFound
from tools.stores.protocol import Conversation

router = APIRouter(prefix="/api/v1", tags=["chat"])

ID = Annotated[str, Field(min_length=1, max_length=200)]


class ChatMessageBody(BaseModel):
    """One message; all but the last are the history of a new conversation."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class ChatBody(BaseModel):
    """What a client asks. Only `messages` is required; its last entry is the user's."""

    model_config = ConfigDict(strict=True, extra="forbid")

    messages: list[ChatMessageBody] = Field(min_length=1, max_length=1_000)
    conversation_id: ID | None = None
    stream: bool = True
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_k: int = Field(default=5, ge=1, le=50, description="Passages to answer from.")
    use_graph_rag: bool = True
    use_cache: bool = True
    model: ID = "auto"
    language: Literal["auto", "en", "zh"] = "auto"
    on_busy: OnBusy = "reject"
    dataset_ids: list[ID] | None = Field(default=None, max_length=100)
    user_id: ID | None = None


class CancelAnswer(BaseModel):
    """The turn's state when the cancel arrived."""

    turn_id: str
    status: str


async def the_app(request: Request) -> App:
    """The running app's parts (async, or FastAPI would hop to a thread for it)."""
    app: App = request.app.state.app
    return app


Caller = Annotated[Principal, Depends(authenticated)]
Parts = Annotated[App, Depends(the_app)]


@router.post(
    "/chat/stream",
    responses={
        200: {"description": "The turn's events.", "content": {"text/event-stream": {}, "application/json": {}}},
        **responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
    },
    response_class=Response,
)
async def chat_stream(body: ChatBody, caller: Caller, app: Parts) -> Response:
    """Answer the last message as server-sent events, or as one JSON object with `"stream": false`."""
    live = await app.turns.start(await _ask(body, caller, app))
    frames = await app.turns.follow(caller.tenant_id, live.turn.id)
    if body.stream:
        return event_stream(frames, app.settings.heartbeat_seconds)
    await live.finished()
    return _as_one_object(live)


@router.get(
    "/turns/{turn_id}/events",
    responses={
        200: {"description": "The turn's events.", "content": {"text/event-stream": {}}},
        **responses(401, 404, 422),
    },
    response_class=Response,
)
async def turn_events(
    turn_id: str, caller: Caller, app: Parts, last_event_id: Annotated[str | None, Header(max_length=300)] = None
) -> Response:
    """What a turn said after `Last-Event-ID`, then what it goes on to say, until it ends."""
    await _check_turn(app, caller, turn_id)
    after = _seq_of(last_event_id, turn_id) if last_event_id else 0
    frames = await app.turns.follow(caller.tenant_id, turn_id, after)
    return event_stream(frames, app.settings.heartbeat_seconds)


@router.post("/turns/{turn_id}/cancel", responses=responses(401, 404))
async def cancel_turn(turn_id: str, caller: Caller, app: Parts) -> CancelAnswer:
    """Stop a turn; on one that has ended this changes nothing."""
    await _check_turn(app, caller, turn_id)
    record = await app.turns.cancel(caller.tenant_id, turn_id)
    return CancelAnswer(turn_id=turn_id, status=record.status if record else "waiting")


async def _ask(body: ChatBody, caller: Principal, app: App) -> Ask:
    """Check what must be refused before the first byte; gives what the runner needs."""
    user_id = _user_of(body, caller)
    if body.conversation_id is not None and not caller.is_local:
        await owned_conversation(app, caller, body.conversation_id)
    for dataset_id in body.dataset_ids or ():
        await app.documents.get_dataset(caller.tenant_id, dataset_id)
    try:
        if body.messages[-1].role != "user":
            raise InvalidInput("The last message must be the user's.")
        app.services.models.choose(body.model)
    except InvalidInput:
        if body.conversation_id is not None:  # one that is not there is told first
            await owned_conversation(app, caller, body.conversation_id)
        raise
    return Ask(
        tenant_id=caller.tenant_id,
        user_id=user_id,
        message=body.messages[-1].content,
        conversation_id=body.conversation_id,
        history=[(message.role, message.content) for message in body.messages[:-1]],
        language=body.language,
        on_busy=body.on_busy,
        targeting_key=body.user_id if caller.is_local else caller.user_id,
        options=TurnOptions(
            temperature=body.temperature,
            top_k=body.top_k,
            use_graph_rag=body.use_graph_rag,
            use_cache=body.use_cache,
            model=body.model,
            dataset_ids=tuple(body.dataset_ids) if body.dataset_ids is not None else None,
        ),
    )


async def owned_conversation(app: App, caller: Principal, conversation_id: str) -> Conversation:
    """A conversation of the caller's; whoever may act for others finds the whole tenant's. Raises NotFound."""
    conversation = await app.conversations.get(caller.tenant_id, conversation_id)
    if not caller.owns(conversation.user_id):
        raise NotFound("There is no such conversation.")
    return conversation


async def _check_turn(app: App, caller: Principal, turn_id: str) -> None:
    """Raise NotFound unless the turn is the caller's."""
    if not caller.owns(await app.turns.user_of(caller.tenant_id, turn_id)):
        raise NotFound("There is no such turn.")


def _user_of(body: ChatBody, caller: Principal) -> str:
    if body.user_id is None or body.user_id == caller.user_id:
        return caller.user_id
    if not caller.is_local:
        caller.require("impersonate")
    return body.user_id


def _seq_of(last_event_id: str, turn_id: str) -> int:
    found = re.fullmatch(r"(.+):(\d{1,9})", last_event_id)
    if found is None or found.group(1) != turn_id:
        raise InvalidInput("Last-Event-ID is not one of this turn's.")
    return int(found.group(2))


def _as_one_object(live: LiveTurn) -> JSONResponse:
    """The turn without streaming: the fields of its events side by side, the text in `content`."""
    answer: dict[str, Any] = {}
    for event in live.events():
        kind = event.pop("type")
        event.pop("seq")
        if kind in {"start", "refs", "done"}:
            answer.update(event)
        elif kind not in {"delta", "replace"}:
            answer[kind] = event
    answer["content"] = live.answer
    if "error" in answer:
        return JSONResponse(answer, 503, {"Retry-After": RETRY_AFTER_SECONDS})
    return JSONResponse(answer)
