"""What a client asks, whatever the transport."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class TurnOptions(BaseModel):
    """How the client wants it answered."""

    model_config = ConfigDict(frozen=True)

    temperature: float | None = None
    top_k: int = 5
    """Passages to answer from."""
    use_graph_rag: bool = True
    use_cache: bool = True
    model: str = "auto"
    dataset_ids: tuple[str, ...] | None = None
    """Data sets to answer from; None means all of the tenant's."""


class Turn(BaseModel):
    """One user message and all until its terminal event."""

    model_config = ConfigDict(frozen=True)

    id: str
    conversation_id: str
    tenant_id: str
    user_id: str
    message: str
    language: Literal["auto", "en", "zh"] = "auto"
    modality: Literal["text", "voice"] = "text"
    opens_conversation: bool = False
    """Whether nothing was said before it, so that there is nothing to recall."""
    options: TurnOptions = TurnOptions()
