"""Joining, numbering and closing of what a turn says."""

from __future__ import annotations

import asyncio

from graphs.channel import EventChannel, Numbered
from nodes.events import Delta, Done, Failed, Refs


async def all_of(channel: EventChannel) -> list[list[Numbered]]:
    return [batch async for batch in channel.batches()]


async def test_neighbouring_deltas_that_nobody_took_are_joined() -> None:
    channel = EventChannel()
    for piece in ("a", "b", "c"):
        channel.put(Delta(content=piece))
    channel.put(Done(finish_reason="stop"))
    (batch,) = await all_of(channel)
    assert [type(numbered.event) for numbered in batch] == [Delta, Done]
    assert batch[0].event == Delta(content="abc")


async def test_an_event_between_deltas_keeps_its_place() -> None:
    channel = EventChannel()
    channel.put(Delta(content="a"))
    channel.put(Refs(references=[]))
    channel.put(Delta(content="b"))
    channel.put(Done(finish_reason="stop"))
    (batch,) = await all_of(channel)
    assert [numbered.event.type for numbered in batch] == ["delta", "refs", "delta", "done"]


async def test_numbers_have_no_gaps_across_batches() -> None:
    channel = EventChannel()
    batches: list[list[Numbered]] = []

    async def listen() -> None:
        async for batch in channel.batches():
            batches.append(batch)

    listener = asyncio.create_task(listen())
    for piece in ("a", "b", "c"):
        channel.put(Delta(content=piece))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    channel.put(Failed(code="x", message="y", retryable=False))
    await asyncio.wait_for(listener, 5)
    assert len(batches) > 1
    seqs = [numbered.seq for batch in batches for numbered in batch]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_nothing_comes_after_the_terminal_event() -> None:
    channel = EventChannel()
    channel.put(Done(finish_reason="stop"))
    channel.put(Delta(content="late"))
    channel.put(Done(finish_reason="cancelled"))
    (batch,) = await all_of(channel)
    assert [numbered.event for numbered in batch] == [Done(finish_reason="stop")]
