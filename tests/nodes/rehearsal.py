"""A turn without an app: services that say what the test wants, and what the nodes said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flags.snapshot import Decision, FlagSnapshot
from nodes.context import Services, TurnContext
from nodes.events import TurnEvent
from nodes.turn import Turn
from tests.doubles import ScriptedChatModel
from tools.emotion.protocol import Emotion
from tools.intent.protocol import Intent
from tools.intent.rules import RuleIntentDetector
from tools.knowledge.protocol import Passage, Retrieval, RetrievalQuery
from tools.models.persona import Persona
from tools.models.protocol import ChatModel
from tools.models.router import SingleModelRouter
from tools.safety.crisis import HelpLineAnswers
from tools.safety.crisis_lines import read_help_lines
from tools.safety.handover import PersonOffer
from tools.stores.protocol import Conversation, Message

JOY = Emotion("joy", 0.8, 0.7, 0.5, 0.6, 0.9, "lexicon")


def passage(text: str, number: int = 1) -> Passage:
    """The whole of a document of its own."""
    return Passage(
        id=f"chunk_{number}",
        document_id=f"doc_{number}",
        dataset_id="default",
        title=f"Title {number}",
        heading="",
        page=number,
        start=10,
        end=10 + len(text),
        text=text,
        language="en",
        score=1 / number,
        source="bm25",
    )


@dataclass
class Rehearsal:
    """The services of one turn of tenant `t`, and a record of what was asked of them."""

    passages: Sequence[Passage] = ()
    kept: list[Message] = field(default_factory=list)
    """The conversation so far."""
    summary: str = ""
    model: ChatModel = field(default_factory=lambda: ScriptedChatModel("Hello ", "there."))
    flags: FlagSnapshot = field(default_factory=FlagSnapshot)
    said: list[TurnEvent] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    intent: Intent | Exception = field(default_factory=lambda: Intent("knowledge_question", 0.75, "rules"))
    """What the model says of every message, or how it fails."""
    emotions: dict[str, Emotion | Exception] = field(default_factory=dict[str, Emotion | Exception])
    """How single messages are read; all others are joy."""

    def context(self, message: str = "Hello!", **turn: Any) -> TurnContext:
        """The context of a turn with this message."""
        fields: dict[str, Any] = {"id": "turn_1", "conversation_id": "conv_1", "tenant_id": "t", "user_id": "u", **turn}
        services = Services(
            conversations=self,  # type: ignore[arg-type]
            retriever=self,
            models=SingleModelRouter([self.model]),
            personas=self,
            intents=self,
            rules=RuleIntentDetector(),
            keywords=self,
            emotions=self,  # type: ignore[arg-type]
            crises=HelpLineAnswers(read_help_lines(Path("nowhere"))),
            handover=PersonOffer("the care team"),
        )
        decision = Decision(engine="workflow", variant="workflow", reason="STATIC")
        return TurnContext(Turn(message=message, **fields), self.flags, decision, services, self.said.append)

    async def detect(self, message: str, language: str, history: Sequence[str] = ()) -> Intent:
        self.asked.append((message, language, list(history)))
        if isinstance(self.intent, Exception):
            raise self.intent
        return self.intent

    async def read(self, message: str, language: str, history: Sequence[str] = ()) -> Emotion:
        self.asked.append((message, language, list(history)))
        return self._felt(message)

    async def read_many(self, messages: Sequence[str]) -> Sequence[Emotion]:
        self.asked.append(("again", *messages))
        return [self._felt(message) for message in messages]

    def _felt(self, message: str) -> Emotion:
        emotion = self.emotions.get(message, JOY)
        if isinstance(emotion, Exception):
            raise emotion
        return emotion

    async def retrieve(self, tenant_id: str, query: RetrievalQuery) -> Retrieval:
        self.asked.append((tenant_id, query))
        return Retrieval(self.passages)

    def of(self, tenant_id: str) -> Persona:
        self.asked.append(tenant_id)
        return Persona()

    async def recall(self, tenant_id: str, conversation_id: str) -> tuple[Conversation, Sequence[Message]]:
        self.asked.append((tenant_id, conversation_id))
        return Conversation(conversation_id, "u", summary=self.summary), self.kept

    async def messages(self, tenant_id: str, conversation_id: str, *, limit: int) -> Sequence[Message]:
        self.asked.append((tenant_id, conversation_id, limit))
        return self.kept[-limit:]

    async def summarise(self, tenant_id: str, conversation_id: str, summary: str, until: int) -> None:
        self.asked.append(("summarise", tenant_id, conversation_id, summary, until))
