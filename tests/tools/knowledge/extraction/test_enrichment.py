from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.tools.knowledge.graph.library import FILES, library
from tests.tools.models.asking import model_at
from tests.tools.stores.test_enrichments import shelve
from tests.upstream import USAGE, Act, Exchange, Upstream, hangs, piece, refuses, resets, says
from tools.knowledge.extraction import enrichment
from tools.knowledge.extraction.enrichment import Enricher
from tools.knowledge.extraction.enrichment_summaries import CommunitySummaries
from tools.knowledge.extraction.stored import from_json
from tools.knowledge.settings import EnrichmentSettings
from tools.models import openai_compatible
from tools.stores.database import Database
from tools.stores.enrichments import SqlEnrichmentStore

TEXTS = {
    "a": ["Ada Merrow works for Lowick Harbour.", "Bo Skua works for Lowick Harbour."],
    "b": ["Cy Marlow works for Lowick Harbour.", "Di Holm works for Lowick Harbour."],
}
SECONDS = 20.0


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    monkeypatch.setattr(openai_compatible, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(enrichment, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(enrichment, "LONGEST_PAUSE_SECONDS", 0.01)
    with Upstream() as server:
        yield server


@dataclass
class Desk:
    """A store with documents, an enricher on it, and the day it is."""

    store: SqlEnrichmentStore
    enricher: Enricher
    day: list[str]

    async def extractions(self) -> dict[int, Any]:
        return {at: from_json(data) for at, data in await self.store.read("t", range(1, 100))}

    async def done(self) -> set[int]:
        return set(await self.extractions())

    async def idle(self) -> None:
        self.enricher.wake()
        await asyncio.wait_for(self.enricher.idle(), SECONDS)


@asynccontextmanager
async def desk(
    folder: Path, upstream: Upstream, texts: dict[str, list[str]] | None = None, **settings: Any
) -> AsyncIterator[Desk]:
    """An enricher at work on these documents; those of an earlier desk in the folder are there still."""
    database = Database(folder / "x.db")
    day = ["2026-05-05T00:00:00Z"]
    model = model_at(upstream.url, upstream_retries=0, upstream_first_token_seconds=0.5)
    await model.warm_up()
    try:
        if texts:
            await shelve(database, texts)
        store = SqlEnrichmentStore(database)
        limits = EnrichmentSettings(**{"graph_enrichment_batch": 2, "graph_enrichment_concurrency": 1, **settings})
        enricher = Enricher(store, model, limits, folder, clock=lambda: day[0])
        await enricher.start()
        try:
            yield Desk(store, enricher, day)
        finally:
            await enricher.close()
    finally:
        await model.close()
        await database.close()


def passages(exchange: Exchange) -> list[dict[str, Any]]:
    return orjson.loads(exchange.request.body["messages"][-1]["content"])["passages"]


def entry(passage: dict[str, Any]) -> dict[str, Any]:
    """What a careful model says of `X works for Y.`"""
    head, tail = passage["text"].rstrip(".").split(" works for ")
    return {
        "id": passage["id"],
        "entities": [
            {"name": head, "type": "person", "description": f"{head} works somewhere."},
            {"name": tail, "type": "organization", "description": ""},
        ],
        "relations": [{"head": head, "relation": "works_for", "tail": tail, "quote": passage["text"]}],
    }


def reads(change: Callable[[dict[str, Any]], Any] = lambda said: said, only: int | None = None) -> Act:
    """Answers as a model that reads; `change` spoils what it says of each passage, `only` so many are spoken of."""

    async def act(exchange: Exchange) -> None:
        said = {"chunks": [change(entry(passage)) for passage in passages(exchange)[:only]]}
        exchange.head()
        await exchange.frame(piece({"content": orjson.dumps(said).decode()}))
        await exchange.frame(piece({}, "stop"))
        await exchange.frame({**piece({}), "choices": [], "usage": USAGE})
        await exchange.frame(b"[DONE]")
        await exchange.end()

    return act


def names(found: Any) -> list[str]:
    return [mention.text for mention in found.mentions]


async def test_every_chunk_is_read_and_kept(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(reads())
    async with desk(tmp_path, upstream, TEXTS) as at:
        await at.idle()
        found = await at.extractions()
        assert [names(found[n]) for n in (1, 2, 3, 4)] == [
            [name, "Lowick Harbour"] for name in ("Ada Merrow", "Bo Skua", "Cy Marlow", "Di Holm")
        ]
        assert all(mention.extractor == "llm:m" for one in found.values() for mention in one.mentions)
        assert [relation.type for relation in found[1].relations] == ["works_for"]
        assert await at.store.descriptions("t", [1], ["ada merrow"]) == {"ada merrow": "Ada Merrow works somewhere."}
        progress = await at.enricher.stats("t", "d")
        assert (progress.model, progress.over_budget) == ("m", False)
        assert (progress.stats.chunks, progress.stats.enriched) == (4, 4)
        assert (progress.stats.today.requests, progress.stats.today.tokens) == (2, 20)
        assert (progress.stats.today.mentions, progress.stats.today.relations) == (8, 4)
    assert len(upstream.requests) == 2


async def test_the_server_is_held_to_a_schema(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(reads())
    async with desk(tmp_path, upstream, TEXTS) as at:
        await at.idle()
    sent = upstream.requests[0].body["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["strict"] is True
    assert sent["json_schema"]["schema"]["properties"]["chunks"]["items"]["required"] == ["id", "entities", "relations"]


async def test_a_server_that_knows_no_schema_is_asked_without(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(refuses(400), reads())
    async with desk(tmp_path, upstream, TEXTS) as at:
        await at.idle()
        assert await at.done() == {1, 2, 3, 4}
    assert ["response_format" in request.body for request in upstream.requests] == [True, False, False]


async def test_what_does_not_hold_is_dropped_and_counted(tmp_path: Path, upstream: Upstream) -> None:
    def spoil(said: dict[str, Any]) -> dict[str, Any]:
        said["entities"].append({"name": "Atlantis", "type": "location", "description": "Invented."})
        said["entities"].append({"name": "Harbour", "type": "wizard", "description": ""})
        said["relations"].append({**said["relations"][0], "quote": "They married in secret."})
        said["relations"].append({**said["relations"][0], "relation": "married_to"})
        return said

    upstream.plays(reads(spoil))
    async with desk(tmp_path, upstream, TEXTS) as at:
        await at.idle()
        found = await at.extractions()
        assert all(len(one.mentions) == 2 and len(one.relations) == 1 for one in found.values())
        assert await at.store.descriptions("t", [1, 2, 3, 4], ["atlantis"]) == {}
        assert (await at.enricher.stats("t", "d")).stats.today.dropped == 16


async def test_chunks_that_the_model_passes_over_are_asked_about_alone(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(reads(only=1))
    async with desk(tmp_path, upstream, TEXTS) as at:
        await at.idle()
        assert {n: len(one.mentions) for n, one in (await at.extractions()).items()} == {1: 2, 2: 2, 3: 2, 4: 2}


@pytest.mark.parametrize(
    "nonsense", ["", "I cannot do that.", '{"chunks": [{"id": 1, "enti', "[1, 2]", '{"chunks": "x"}']
)
async def test_nonsense_is_asked_about_singly_and_then_given_up(
    tmp_path: Path, upstream: Upstream, nonsense: str
) -> None:
    upstream.plays(says(nonsense) if nonsense else says())
    async with desk(tmp_path, upstream, {"a": TEXTS["a"]}) as at:
        await at.idle()
        found = await at.extractions()
        assert {n: (len(one.mentions), len(one.relations)) for n, one in found.items()} == {1: (0, 0), 2: (0, 0)}
        progress = await at.enricher.stats("t", "d")
        assert progress.stats.today.failed == progress.stats.today.requests == 5
    assert len(upstream.requests) == 5  # both at once, then each of them twice


async def test_one_bad_answer_costs_nothing_in_the_end(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(says('{"chunks": [{"id": 1, "entities": [{"na'), reads())
    async with desk(tmp_path, upstream, TEXTS) as at:
        await at.idle()
        assert all(len(one.relations) == 1 for one in (await at.extractions()).values())
        assert (await at.enricher.stats("t", "d")).stats.today.failed == 1


@pytest.mark.parametrize(
    "failure", [hangs(), hangs(before_head=True), resets(), resets('{"chunks"'), refuses(503), refuses(429)]
)
async def test_a_server_that_fails_is_asked_again(tmp_path: Path, upstream: Upstream, failure: Act) -> None:
    upstream.plays(failure, reads())
    async with desk(tmp_path, upstream, TEXTS) as at:
        await at.idle()
        assert all(len(one.relations) == 1 for one in (await at.extractions()).values())
        assert await at.done() == {1, 2, 3, 4}


async def test_a_key_that_is_not_taken_marks_nothing_as_read(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(refuses(401))
    async with desk(tmp_path, upstream, TEXTS) as at:
        await at.idle()
        assert await at.done() == set()
        assert (await at.enricher.stats("t", "d")).stats.today.mentions == 0
    upstream.plays(reads())
    async with desk(tmp_path, upstream) as at:
        await at.idle()
        assert await at.done() == {1, 2, 3, 4}


async def test_when_the_tokens_of_the_day_are_spent_it_goes_on_the_next(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(reads())
    async with desk(tmp_path, upstream, TEXTS, graph_enrichment_dataset_tokens=640) as at:
        await at.idle()
        assert await at.done() == {1, 2}
        assert (await at.enricher.stats("t", "d")).over_budget
        await at.idle()
        assert await at.done() == {1, 2}
        at.day[0] = "2026-05-06T00:00:01Z"
        await at.idle()
        assert await at.done() == {1, 2, 3, 4}
        assert not (await at.enricher.stats("t", "d")).over_budget


async def test_a_budget_holds_over_a_restart_and_for_all_data_sets(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(reads())
    async with desk(tmp_path, upstream, TEXTS, graph_enrichment_daily_tokens=640) as at:
        await at.idle()
        assert await at.done() == {1, 2}
    async with desk(tmp_path, upstream, graph_enrichment_daily_tokens=640) as at:
        await at.idle()
        assert await at.done() == {1, 2}
    assert len(upstream.requests) == 1


async def test_without_a_budget_nothing_is_asked(tmp_path: Path, upstream: Upstream) -> None:
    async with desk(tmp_path, upstream, TEXTS, graph_enrichment_daily_tokens=0) as at:
        await at.idle()
    assert upstream.requests == []


async def test_requests_in_flight_keep_to_the_budget_together(tmp_path: Path, upstream: Upstream) -> None:
    many = {"a": [f"Ada Merrow works for Lowick Harbour Number {n}." for n in range(12)]}
    upstream.plays(reads())
    settings = {"graph_enrichment_batch": 1, "graph_enrichment_concurrency": 8}
    async with desk(tmp_path, upstream, many, **settings, graph_enrichment_dataset_tokens=1300) as at:
        await at.idle()
        spent = (await at.enricher.stats("t", "d")).stats.today
        assert spent.tokens <= 1300
        assert spent.requests >= 2
    assert len(upstream.requests) == spent.requests


async def test_a_crash_costs_the_batch_in_flight_and_nothing_else(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(reads(), hangs())
    async with desk(tmp_path, upstream, TEXTS) as at:
        async with asyncio.timeout(SECONDS):
            while len(upstream.requests) < 2:
                await asyncio.sleep(0.005)
        assert await at.done() == {1, 2}
    upstream.plays(reads())
    async with desk(tmp_path, upstream) as at:
        await at.idle()
        assert await at.done() == {1, 2, 3, 4}
    asked = [orjson.loads(request.body["messages"][-1]["content"])["passages"] for request in upstream.requests]
    texts = [[passage["text"][:2] for passage in one] for one in asked]
    assert texts == [["Ad", "Bo"], ["Cy", "Di"], ["Cy", "Di"]]


async def test_of_two_enrichers_on_one_folder_one_works(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(reads())
    async with desk(tmp_path, upstream, TEXTS) as first, desk(tmp_path, upstream) as second:
        await first.idle()
        assert await second.done() == {1, 2, 3, 4}
    assert len(upstream.requests) == 2


async def test_tenants_and_data_sets_never_share_a_request(tmp_path: Path, upstream: Upstream) -> None:
    upstream.plays(reads())
    async with desk(tmp_path, upstream, TEXTS, graph_enrichment_batch=20) as at:
        database = Database(tmp_path / "x.db")
        await shelve(database, {"c": ["Eve Ross works for Lowick Harbour."]}, tenant_id="u")
        await shelve(database, {"e": ["Flo Ray works for Lowick Harbour."]}, dataset_id="other")
        await database.close()
        await at.idle()
        assert (await at.enricher.stats("u", "d")).stats.enriched == 1
        assert await at.store.read("t", [5]) == []
        assert [at_ for at_, _ in await at.store.read("u", [5])] == [5]
    asked = [orjson.loads(request.body["messages"][-1]["content"])["passages"] for request in upstream.requests]
    owners = [{passage["text"][:2] for passage in one} for one in asked]
    assert sorted(map(sorted, owners)) == [["Ad", "Bo", "Cy", "Di"], ["Ev"], ["Fl"]]


async def test_those_who_merge_are_told(tmp_path: Path, upstream: Upstream) -> None:
    told: list[int] = []
    upstream.plays(reads())
    async with desk(tmp_path, upstream, TEXTS) as at:
        at.enricher._kept = lambda: told.append(1)
        await at.idle()
    assert len(told) == 2


def sums_up(text: Callable[[dict[str, Any]], str]) -> Act:
    """Reads chunks, and sums groups up in these words."""

    async def act(exchange: Exchange) -> None:
        asked = orjson.loads(exchange.request.body["messages"][-1]["content"])
        if "passages" in asked:
            said = {"chunks": [{"id": p["id"], "entities": [], "relations": []} for p in asked["passages"]]}
        else:
            said = {"groups": [{"id": group["id"], "summary": text(group)} for group in asked["groups"]]}
        await says(orjson.dumps(said).decode())(exchange)

    return act


async def summaries(tmp_path: Path, upstream: Upstream, text: Callable[[dict[str, Any]], str]) -> list[Any]:
    """The communities of the library after a model has summed them up."""
    upstream.plays(sums_up(text))
    async with library(tmp_path) as shelves:
        await shelves.fill(FILES)
        await shelves.builder.refresh("t", "d")
        database, model = Database(tmp_path / "x.db"), model_at(upstream.url)
        store = SqlEnrichmentStore(database)
        reader = CommunitySummaries(shelves.graphs, shelves.shop.reader)
        enricher = Enricher(store, model, EnrichmentSettings(), tmp_path, reader)
        await enricher.start()
        await asyncio.wait_for(enricher.idle(), SECONDS)
        await enricher.close()
        found = list(await shelves.graphs.communities("t", "d"))
        counted = (await store.stats("t", "d", enricher._today())).total
        await model.close()
        await database.close()
        assert counted.summaries == sum(bool(community.summary) for community in found)
        return found


async def test_communities_are_summed_up_from_their_sentences(tmp_path: Path, upstream: Upstream) -> None:
    found = await summaries(tmp_path, upstream, lambda group: f"They say: {group['sentences'][0]}")
    assert len(found) == 2
    for community in found:
        assert community.summary.startswith("They say: ")
        assert set(community.rests_on) == {place.position for place in community.sentences}


async def test_a_summary_with_an_invented_number_is_not_kept(tmp_path: Path, upstream: Upstream) -> None:
    found = await summaries(tmp_path, upstream, lambda group: "It was founded in 1742 by two brothers.")
    assert {community.summary for community in found} == {""}
    assert len([r for r in upstream.requests if "groups" in r.body["messages"][-1]["content"]]) == 1
