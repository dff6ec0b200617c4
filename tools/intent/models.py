"""The models of the examples as they stand now: loaded where one is stored, else trained, off the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import structlog

from flags.errors import ConfigurationError
from tools.errors import NotAvailable, ZhiyinError
from tools.intent.examples import Example, read_examples
from tools.intent.model import IntentModel, load_model, save_model
from tools.intent.training import name_of_model, train_intents, vectors_of
from tools.models.protocol import Embedder, Language

log = structlog.get_logger(__name__)

ARTEFACTS = Path(__file__).parent / "artefacts"
LOOK_SECONDS = 1.0
"""How often an operator's file is looked at, at most."""
RETRY_SECONDS = 60.0
"""How long to wait with the next try when the encoder could not serve."""

Signature = tuple[int, int, int] | None


@dataclass(slots=True)
class _Known:
    """The last good model of a language, the file that it or a vain try was made of, and when to look again."""

    model: IntentModel | None = None
    tried: Signature = None
    ever_tried: bool = False
    look_at: float = float("-inf")
    work: asyncio.Task[None] | None = None


class IntentModels:
    """One model per language. A file that went bad leaves the last good model as it is, and is logged once."""

    def __init__(
        self,
        embedder: Embedder,
        data_dir: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        shipped: Path = ARTEFACTS,
    ) -> None:
        """Read the operator's examples, if there are any: `intents/en.yaml` and `intents/zh.yaml` in `data_dir`.

        Raises:
            ConfigurationError: one of the files cannot be used.
        """
        self._embedder = embedder
        self._folder = data_dir / "intents"
        self._clock = clock
        self._shipped = shipped
        self._known: dict[Language, _Known] = {language: _Known() for language in get_args(Language)}
        for language in self._known:
            if (own := self._own(language)) is not None:
                read_examples(language, own)

    def current(self, language: Language) -> IntentModel | None:
        """The model to use right now; None while there is none yet. A changed file is taken up in the background."""
        known = self._known[language]
        now = self._clock()
        if now >= known.look_at and (known.work is None or known.work.done()):
            known.look_at = now + LOOK_SECONDS
            signature = self._signature(language)
            if not known.ever_tried or signature != known.tried:
                known.ever_tried, known.tried = True, signature
                known.work = asyncio.get_running_loop().create_task(self._renew(language, known))
        return known.model

    async def warm_up(self) -> None:
        """Wait until each language has the model of its examples, or cannot have it."""
        for language, known in self._known.items():
            self.current(language)
            if known.work is not None:
                await known.work

    async def close(self) -> None:
        """Let go of training that is under way."""
        for known in self._known.values():
            if known.work is not None:
                known.work.cancel()
                await asyncio.gather(known.work, return_exceptions=True)

    async def _renew(self, language: Language, known: _Known) -> None:
        try:
            known.model = await self._model_of(language)
        except (ConfigurationError, OSError) as error:
            log.error("intent.examples_kept_as_they_were", language=language, reason=str(error))
        except ZhiyinError as error:
            log.warning("intent.no_model", language=language, code=error.code, reason=error.message)
            known.ever_tried, known.look_at = False, self._clock() + RETRY_SECONDS

    async def _model_of(self, language: Language) -> IntentModel:
        examples = await asyncio.to_thread(read_examples, language, self._own(language))
        name = await asyncio.to_thread(name_of_model, examples, language, self._embedder)
        kept = self._folder / "models" / language
        for folder in (self._shipped / language, kept):
            model = await asyncio.to_thread(_stored, folder, name)
            if model is not None:
                return model
        return await self._trained(examples, language, name, kept)

    async def _trained(self, examples: Sequence[Example], language: Language, name: str, kept: Path) -> IntentModel:
        vectors = await vectors_of(examples, language, self._embedder)
        model = await asyncio.to_thread(train_intents, examples, language, vectors, name)
        try:
            await asyncio.to_thread(save_model, kept, model)
        except OSError as error:
            log.warning("intent.model_not_kept", language=language, reason=str(error.strerror))
        return model

    def _own(self, language: Language) -> Path | None:
        path = self._folder / f"{language}.yaml"
        return path if path.is_file() else None

    def _signature(self, language: Language) -> Signature:
        try:
            status = (self._folder / f"{language}.yaml").stat()
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, status.st_ino)


def _stored(folder: Path, name: str) -> IntentModel | None:
    """The model in `folder`, if it is the one of this name and whole."""
    try:
        model = load_model(folder)
    except NotAvailable:
        return None
    return model if model.name == name else None
