"""The state of a turn is the sum of what its nodes write."""

from __future__ import annotations

from nodes.detect_intent import DetectIntentUpdate
from nodes.events import Citation, Unsupported
from nodes.read_emotion import ReadEmotionUpdate
from nodes.ready_answer import ReadyAnswer
from nodes.recall_memory import RecallMemoryUpdate
from nodes.remember_turn import RememberTurnUpdate
from nodes.retrieve_knowledge import RetrieveKnowledgeUpdate
from nodes.route_model import RouteModelUpdate
from nodes.screen_input import ScreenInputUpdate
from nodes.verify_answer import VerifyAnswerUpdate
from nodes.write_answer import WriteAnswerUpdate
from tools.emotion.protocol import Emotion
from tools.intent.protocol import Intent
from tools.knowledge.protocol import GraphContext, Passage, PathStep
from tools.models.protocol import ChatMessage, ModelChoice

CHECKPOINTED: tuple[type, ...] = (
    ChatMessage,
    Citation,
    Emotion,
    GraphContext,
    Intent,
    ModelChoice,
    Passage,
    PathStep,
    ReadyAnswer,
    Unsupported,
)
"""The value types in the state: the only ones a checkpoint may bring back to life."""


class TurnState(
    ScreenInputUpdate,
    RecallMemoryUpdate,
    DetectIntentUpdate,
    ReadEmotionUpdate,
    RetrieveKnowledgeUpdate,
    RouteModelUpdate,
    WriteAnswerUpdate,
    VerifyAnswerUpdate,
    RememberTurnUpdate,
):
    """All keys of a turn; which are there depends on the way it took."""
