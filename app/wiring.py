"""Which implementation stands behind each Protocol: the only place that knows them all."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from app.auth import Authenticator
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
from tools.emotion.lexicon import LexiconEmotionReader
from tools.errors import ZhiyinError
from tools.intent.keywords import KeywordIntentDetector
from tools.intent.probe import probe_accuracy
from tools.intent.rules import RuleIntentDetector
from tools.knowledge.ingest import Ingestor
from tools.knowledge.protocol import Retriever
from tools.knowledge.retriever import HybridRetriever
from tools.models.embedders.open import open_embedder
from tools.models.open import open_chat_models
from tools.models.persona import FilePersonaSource
from tools.models.protocol import ChatModel, Embedder
from tools.models.router import SingleModelRouter
from tools.stores.audit import SqlAuditStore
from tools.stores.checkpoints import SqlCheckpointSaver
from tools.stores.chunks import SqlChunkReader
from tools.stores.conversations import SqlConversationStore
from tools.stores.database import Database
from tools.stores.documents import SqlDocumentStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.knowledge_protocol import DocumentStore
from tools.stores.owner import ProcessOwner
from tools.stores.protocol import AuditStore, ConversationStore, TurnStore
from tools.stores.turns import SqlTurnStore

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


@dataclass(frozen=True, slots=True)
class App:
    """The running app's parts, as routes and commands reach them."""

    settings: Settings
    flags: FlagSource
    metrics: Metrics
    database: Database
    conversations: ConversationStore
    turn_store: TurnStore
    documents: DocumentStore
    audit: AuditStore
    embedder: Embedder
    retriever: Retriever
    ingestor: Ingestor
    models: SingleModelRouter
    services: Services
    turns: TurnRunner

    async def warm_up(self) -> None:
        """Load the encoder now rather than with the first question; without it the app is `degraded`."""
        await _checked(self.embedder.embed(["ready"]), WARM_UP_SECONDS)

    async def warm_up_models(self) -> None:
        """Load what the first answer would wait for; what cannot be loaded is logged, and fails its own turns."""
        try:
            await self.models.warm_up()
        except ZhiyinError as error:
            log.warning("models.not_ready", code=error.code, reason=error.message)

    async def health(self) -> dict[str, PartHealth]:
        """How each part is; a turn needs the store and a chat model, and gets by without the encoder."""
        store, embedder = await asyncio.gather(
            _checked(self.database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())),
            _checked(self.embedder.embed([f"ready {next(_PROBES)}"])),
        )
        return {
            "store": PartHealth("ok" if store else "down", needed=True),
            "embedder": PartHealth("ok" if embedder else "degraded", needed=False),
            "chat_model": PartHealth("ok", needed=True, detail=self.services.models.names()[0]),
        }


def authenticator_of(settings: Settings) -> Authenticator:
    """Checks tokens with the configured secret; without one everybody is the local principal."""
    secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
    return Authenticator(secret, settings.jwt_audience, settings.jwt_issuer)


@asynccontextmanager
async def open_app(settings: Settings, replacements: Replacements | None = None) -> AsyncIterator[App]:
    """All parts, opened in order and closed in the opposite one.

    Raises:
        StoreUnavailable: the data folder cannot be used.
        ConfigurationError: flags or persona are not valid.
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
        embedder = open_embedder(settings)
        stack.push_async_callback(embedder.close)
        retriever = HybridRetriever(SqlChunkReader(database), embedder)
        stack.push_async_callback(retriever.close)
        documents = SqlDocumentStore(database)
        ingestor = Ingestor(documents, SqlIndexQueue(database), embedder, owner, settings.data_dir, settings)
        await ingestor.start()
        stack.push_async_callback(ingestor.close)
        models = SingleModelRouter(swapped.chat_models or open_chat_models(settings, embedder))
        stack.push_async_callback(models.close)
        conversations = SqlConversationStore(database)
        services = Services(
            conversations=conversations,
            retriever=retriever,
            models=models,
            personas=FilePersonaSource(settings.data_dir),
            intents=RuleIntentDetector(),
            keywords=KeywordIntentDetector(),
            emotions=LexiconEmotionReader(),
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
        coordinators = _coordinators(database, metrics)
        turns = TurnRunner(turn_store, coordinators, services, flags, metrics, owner, settings.turn_deadline_seconds)
        metrics.watch_in_flight(lambda: turns.in_flight)
        await turns.open()
        stack.push_async_callback(turns.close)
        yield App(
            settings=settings,
            flags=flags,
            metrics=metrics,
            database=database,
            conversations=conversations,
            turn_store=turn_store,
            documents=documents,
            audit=SqlAuditStore(database),
            embedder=embedder,
            retriever=retriever,
            ingestor=ingestor,
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


async def _checked(check: Any, seconds: float = CHECK_SECONDS) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await check
    except (ZhiyinError, TimeoutError):
        return False
    return True
