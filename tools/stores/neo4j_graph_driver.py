"""Neo4j's async driver under our rules: bounded, timed, retried where that is safe, its errors in our words."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, LiteralString, TypeVar, cast

from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncSession, AsyncTransaction, NotificationMinimumSeverity
from neo4j.exceptions import (
    ConnectionAcquisitionTimeoutError,
    CypherSyntaxError,
    CypherTypeError,
    DriverError,
    Neo4jError,
)
from pydantic import SecretStr

from tools.errors import InvalidInput, StoreUnavailable

T = TypeVar("T")
IN_FLIGHT = 32
"""Calls at a time; the others wait here, within their time limit, and not for a connection."""
POOL = 48
RECORDS_AT_ONCE = 1000
ATTEMPTS = 4
"""Tries of one call, all of them within its time limit."""
PAUSE_SECONDS = 0.1
SERVER_SECONDS = 120.0
"""After which the server itself ends a transaction that nobody asks about any more."""
KEY_CHARACTERS = 500
_BUGS = (CypherSyntaxError, CypherTypeError)


class Asking:
    """A session or transaction that is asked in batches of records; every step has the time limit."""

    def __init__(self, runner: AsyncSession | AsyncTransaction, limit_seconds: float) -> None:
        self._runner = runner
        self._limit = limit_seconds

    async def batches(self, query: str, **parameters: Any) -> AsyncIterator[list[list[Any]]]:
        """Records as lists of values, some hundreds at a time."""
        async with asyncio.timeout(self._limit):
            result = await self._runner.run(cast(LiteralString, query), parameters)
        while True:
            async with asyncio.timeout(self._limit):
                records = await result.fetch(RECORDS_AT_ONCE)
            if not records:
                return
            yield [record.values() for record in records]

    async def rows(self, query: str, **parameters: Any) -> list[list[Any]]:
        """All records as lists of values."""
        return [row async for batch in self.batches(query, **parameters) for row in batch]


Work = Callable[[Asking], Awaitable[T]]
"""What is done in one transaction. It may run twice, so it touches nothing but the transaction."""


class Neo4jDriver:
    """A pool of connections to one server, opened when first needed."""

    def __init__(
        self, uri: str, user: str, password: SecretStr | None, database: str | None, limit_seconds: float
    ) -> None:
        self._uri = uri
        self._auth = (user, password.get_secret_value()) if password is not None else None
        self._database = database
        self._limit = limit_seconds
        self._places = asyncio.Semaphore(IN_FLIGHT)
        self._driver: AsyncDriver | None = None

    async def ask(self, work: Work[T]) -> T:
        """Let `work` ask what it wants, each question in a transaction of its own. Raises StoreUnavailable."""
        return await self._retried(self._asked, work)

    async def transact(self, work: Work[T]) -> T:
        """Run `work` in one transaction; an error in it rolls all back.

        A commit whose answer is lost is tried again, so `work` must know its own traces. Raises StoreUnavailable.
        """
        return await self._retried(self._transacted, work)

    async def close(self) -> None:
        """Let go of the connections."""
        driver, self._driver = self._driver, None
        if driver is not None:
            try:
                async with asyncio.timeout(self._limit):
                    await driver.close()
            except (DriverError, Neo4jError, TimeoutError, OSError):
                pass  # a server that is gone needs no farewell

    async def _retried(self, attempt: Callable[[Work[T]], Awaitable[T]], work: Work[T]) -> T:
        ends = asyncio.get_running_loop().time() + self._limit
        for tried in range(1, ATTEMPTS + 1):
            try:
                async with asyncio.timeout_at(ends):
                    await self._places.acquire()
                try:
                    return await attempt(work)
                finally:
                    self._places.release()
            except (DriverError, Neo4jError, TimeoutError, OSError) as error:
                pause = PAUSE_SECONDS * 2**tried
                late = asyncio.get_running_loop().time() + pause > ends
                if isinstance(error, _BUGS):
                    raise
                if late or tried == ATTEMPTS or not _passing(error):
                    raise _unavailable(error) from error
                await asyncio.sleep(pause)
            except (UnicodeEncodeError, OverflowError) as error:
                raise InvalidInput("The text holds characters that are no valid Unicode.") from error
        raise AssertionError("unreachable")

    async def _asked(self, work: Work[T]) -> T:
        session = self._session()
        try:
            return await work(Asking(session, self._limit))
        except BaseException:
            session.cancel()
            raise
        finally:
            await self._closed(session)

    async def _transacted(self, work: Work[T]) -> T:
        session = self._session()
        try:
            async with asyncio.timeout(self._limit):
                transaction = await session.begin_transaction(timeout=SERVER_SECONDS)
            value = await work(Asking(transaction, self._limit))
            async with asyncio.timeout(self._limit):
                await transaction.commit()
            return value
        except BaseException:
            # Breaking the connection off is the one way back that needs no answer from the server.
            session.cancel()
            raise
        finally:
            await self._closed(session)

    async def _closed(self, session: AsyncSession) -> None:
        try:
            async with asyncio.timeout(self._limit):
                await session.close()
        except TimeoutError:
            session.cancel()

    def _session(self) -> AsyncSession:
        if self._driver is None:
            self._driver = AsyncGraphDatabase.driver(
                self._uri,
                auth=self._auth,
                max_connection_pool_size=POOL,
                connection_timeout=self._limit,
                connection_acquisition_timeout=self._limit,
                max_transaction_retry_time=0,
                keep_alive=True,
                notifications_min_severity=NotificationMinimumSeverity.OFF,
            )
        return self._driver.session(database=self._database, fetch_size=RECORDS_AT_ONCE)


def _passing(error: BaseException) -> bool:
    """Whether trying again may help: not where the server did not answer in time, for it has had its time."""
    if isinstance(error, ConnectionAcquisitionTimeoutError | TimeoutError):
        return False
    return isinstance(error, OSError) or (isinstance(error, Neo4jError | DriverError) and error.is_retryable())


def _unavailable(error: BaseException) -> StoreUnavailable:
    """Only the kind of the error: the driver's words may hold what was asked."""
    kind = getattr(error, "code", None) or type(error).__name__
    return StoreUnavailable(f"The graph server cannot serve right now: {kind}.")


def key_of(norm: str) -> str:
    """A norm as an index takes it: the server refuses keys of more than some 8,000 bytes."""
    if len(norm) <= KEY_CHARACTERS:
        return norm
    return f"{norm[:KEY_CHARACTERS]}#{hashlib.sha256(norm.encode()).hexdigest()}"
