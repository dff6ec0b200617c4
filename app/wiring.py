"""Which implementation stands behind each Protocol: the only place that knows them all."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any

import structlog
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from app.auth import Authenticator
from app.knowledge_parts import KnowledgeParts, open_enrichment, open_knowledge
from app.observability.health import PartHealth
from app.observability.metrics import Metrics
from app.observability.snapshots import Snapshots
from app.settings import Settings
from app.turns import TurnRunner
from flags.source import FlagSource
from graphs.coordinator import Coordinators
from graphs.graph import GraphCoordinator
from graphs.legacy import LegacyCoordinator
from graphs.state import CHECKPOINTED
from graphs.workflow import WorkflowCoordinator
from nodes.context import Services
from tools.emotion.open import open_emotion_reader
from tools.errors import NotAvailable, ZhiyinError
from tools.intent.keywords import KeywordIntentDetector
from tools.intent.ml import MlIntentDetector, open_intent_detector
from tools.intent.probe import probe_accuracy
from tools.intent.rules import RuleIntentDetector
from tools.knowledge.extraction.quoted import QuotedNames
from tools.memory.profile import ProfileBuilder
from tools.models.embedders.open import open_embedder
from tools.models.open import open_chat_models
from tools.models.persona import FilePersonaSource
from tools.models.protocol import ChatModel, Embedder
from tools.models.router import SingleModelRouter
from tools.safety.crisis import HelpLineAnswers
from tools.safety.crisis_lines import read_help_lines
from tools.safety.handover import PersonOffer
from tools.stores.audit import SqlAuditStore
from tools.stores.checkpoints import SqlCheckpointSaver
from tools.stores.conversations import SqlConversationStore
from tools.stores.database import Database
from tools.stores.histories import SqlHistoryStore
from tools.stores.moods import SqlMoodStore
from tools.stores.moods_protocol import MoodStore
from tools.stores.owner import ProcessOwner
from tools.stores.protocol import AuditStore, ConversationStore, TurnStore
from tools.stores.turns import SqlTurnStore
from tools.stores.users import SqlUserStore
from tools.stores.users_protocol import UserStore

log = structlog.get_logger(__name__)

SNAPSHOT_SECONDS = 15.0
"""How often the metrics of the last window are written down."""
WARM_UP_SECONDS = 60.0
CHECK_SECONDS = 2.0
"""A part that does not answer a health check within this time is down."""
_PROBES = itertools.count()
"""Makes each text that probes the encoder a new one, which no cache of it can answer."""


@dataclass(frozen=True, slots=True)
class Replacements:
    """Parts that stand in for the configured ones, behind the same Protocols."""

    chat_models: Sequence[ChatModel] | None = None
    embedder: Embedder | None = None


@dataclass(frozen=True, slots=True)
class App(KnowledgeParts):
    """The running app's parts, as routes and commands reach them."""

    settings: Settings
    flags: FlagSource
    metrics: Metrics
    database: Database
    conversations: ConversationStore
    turn_store: TurnStore
    audit: AuditStore
    moods: MoodStore
    users: UserStore
    profiles: ProfileBuilder
    embedder: Embedder
    intents: MlIntentDetector
    models: SingleModelRouter
    services: Services
    turns: TurnRunner

    async def warm_up(self) -> None:
        """Load what reads messages now rather than with the first one; without it the app is `degraded`."""
        await asyncio.gather(
            _checked(self.embedder.embed(["ready"]), WARM_UP_SECONDS),
            _checked(self.intents.warm_up(), WARM_UP_SECONDS),
            _checked(self.services.emotions.read_many(["ready", "准备好了"]), WARM_UP_SECONDS),
        )

    async def warm_up_models(self) -> None:
        """Load what the first answer would wait for; what cannot be loaded is logged, and fails its own turns."""
        try:
            await self.models.warm_up()
        except ZhiyinError as error:
            log.warning("models.not_ready", code=error.code, reason=error.message)

    async def health(self) -> dict[str, PartHealth]:
        """How each part is; a turn needs the store and a chat model, and gets by without all others."""
        store, embedder, graph, vectors, intents, emotions = await asyncio.gather(
            _checked(self.database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())),
            _checked(self.embedder.embed([f"ready {next(_PROBES)}"])),
            _checked(self.graphs.check()),
            _checked(self.vectors.check() if self.vectors else asyncio.sleep(0)),
            _checked(self._understands()),
            _checked(self._feels()),
        )
        health = {
            "store": PartHealth("ok" if store else "down", needed=True),
            "embedder": PartHealth("ok" if embedder else "degraded", needed=False),
            "graph_store": PartHealth("ok" if graph else "degraded", needed=False),
            "intent_model": PartHealth("ok" if intents else "degraded", needed=False),
            "emotion_model": PartHealth("ok" if emotions else "degraded", needed=False),
            "chat_model": PartHealth("ok", needed=True, detail=self.services.models.names()[0]),
        }
        if self.vectors is not None:
            health["vector_store"] = PartHealth("ok" if vectors else "degraded", needed=False)
        return health

    async def _understands(self) -> None:
        """Raises NotAvailable when rules have to stand in for the intent model."""
        number = next(_PROBES)
        for message, language in ((f"ready {number}", "en"), (f"准备好了 {number}", "zh")):
            _made_by_model((await self.intents.detect(message, language)).decided_by)

    async def _feels(self) -> None:
        """Raises NotAvailable when words have to stand in for an emotion model, unless words are what is asked for."""
        number = next(_PROBES)
        for reading in await self.services.emotions.read_many([f"ready {number}", f"准备好了 {number}"]):
            if self.settings.emotion_backend != "lexicon":
                _made_by_model(reading.decided_by)


def authenticator_of(settings: Settings) -> Authenticator:
    """Checks tokens with the configured secret; without one everybody is the local principal."""
    secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
    return Authenticator(secret, settings.jwt_audience, settings.jwt_issuer)


@asynccontextmanager
async def open_app(settings: Settings, replacements: Replacements | None = None) -> AsyncIterator[App]:
    """All parts, opened in order and closed in the opposite one.

    Raises:
        StoreUnavailable: the data folder cannot be used.
        ConfigurationError: flags, persona, help lines or examples of intents are not valid.
    """
    swapped = replacements or Replacements()
    async with AsyncExitStack() as stack:
        database = await asyncio.to_thread(
            Database, settings.database_path, busy_timeout_ms=settings.sqlite_busy_timeout_ms
        )
        stack.push_async_callback(database.close)
        owner = ProcessOwner(settings.owners_dir)
        stack.callback(owner.close)
        flags = settings.open_flags()
        flags.start()
        stack.push_async_callback(flags.close)
        embedder = swapped.embedder or open_embedder(settings)
        stack.push_async_callback(embedder.close)
        knowledge = await open_knowledge(stack, settings, database, embedder, owner)
        chat_models = swapped.chat_models or open_chat_models(settings, embedder)
        models = SingleModelRouter(chat_models)
        stack.push_async_callback(models.close)
        await open_enrichment(stack, settings, database, knowledge, chat_models)
        conversations = SqlConversationStore(database)
        intents = open_intent_detector(embedder, settings.data_dir)
        stack.push_async_callback(intents.close)
        emotions = open_emotion_reader(settings)
        stack.push_async_callback(emotions.close)
        services = Services(
            conversations=conversations,
            retriever=knowledge.retriever,
            models=models,
            personas=FilePersonaSource(settings.data_dir),
            intents=intents,
            rules=RuleIntentDetector(),
            keywords=KeywordIntentDetector(),
            emotions=emotions,
            crises=HelpLineAnswers(read_help_lines(settings.data_dir)),
            handover=PersonOffer(settings.handover_contact),
        )
        metrics = Metrics()
        snapshots = Snapshots(
            metrics,
            settings.log_dir,
            lambda: flags.current().performance_monitoring,
            lambda: probe_accuracy(services.intents),
            SNAPSHOT_SECONDS,
        )
        snapshots.start()
        stack.push_async_callback(snapshots.close)
        turn_store = SqlTurnStore(database)
        histories = SqlHistoryStore(database)
        coordinators = _coordinators(database, metrics)
        turns = TurnRunner(turn_store, coordinators, services, flags, metrics, owner, settings.turn_deadline_seconds)
        metrics.watch_in_flight(lambda: turns.in_flight)
        await turns.open()
        stack.push_async_callback(turns.close)
        yield App(
            **{part.name: getattr(knowledge, part.name) for part in fields(knowledge)},
            settings=settings,
            flags=flags,
            metrics=metrics,
            database=database,
            conversations=conversations,
            turn_store=turn_store,
            audit=SqlAuditStore(database),
            moods=SqlMoodStore(database),
            users=SqlUserStore(database),
            profiles=ProfileBuilder(histories, QuotedNames(histories)),
            embedder=embedder,
            intents=intents,
            models=models,
            services=services,
            turns=turns,
        )


def _coordinators(database: Database, metrics: Metrics) -> Coordinators:
    saver = SqlCheckpointSaver(database, JsonPlusSerializer(allowed_msgpack_modules=CHECKPOINTED))
    return {
        "legacy": LegacyCoordinator(metrics),
        "workflow": WorkflowCoordinator(metrics),
        "langgraph": GraphCoordinator(metrics, saver),
    }


def _made_by_model(decided_by: str) -> None:
    if decided_by != "ml":
        raise NotAvailable("A model that reads messages is missing.")


async def _checked(check: Any, seconds: float = CHECK_SECONDS) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await check
    except (ZhiyinError, TimeoutError):
        return False
    return True
