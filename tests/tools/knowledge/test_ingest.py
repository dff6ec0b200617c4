"""Files in, searchable documents out: in order, resumable, and never one file's fault for another."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.doubles import HashingEmbedder
from tests.tools.knowledge.files import pdf, word
from tests.tools.knowledge.workshop import GatedEmbedder, Workshop, workshop
from tools.errors import NotFound, StoreUnavailable, TooLarge
from tools.knowledge import ingest
from tools.knowledge.options import IndexOptions
from tools.models.protocol import Vectors
from tools.stores.documents import SqlDocumentStore
from tools.stores.index_queue import SqlIndexQueue
from tools.stores.outbox import SqlOutbox

LONG = "The committee met in the spring and agreed on the plan for the harbour wall. " * 60


async def test_every_format_becomes_chunks_that_stand_verbatim_in_its_text(tmp_path: Path) -> None:
    files = {
        "a.txt": LONG.encode(),
        "b.md": b"# Title\n\nSome *text*.",
        "c.html": b"<h1>Title</h1><p>Some text.",
        "d.pdf": pdf("First page.", "Second page."),
        "e.docx": word(),
        "f.csv": b"name,price\nPump,12\n",
        "g.json": b'[{"name": "Pump"}]',
    }
    async with workshop(tmp_path) as shop:
        documents = await shop.index(files)
        assert [(d.name, d.status, d.progress) for d in documents] == [(name, "ready", 1.0) for name in files]
        chunks = await shop.chunks()
        for document in documents:
            text = (await shop.documents.text("t", document.id)).text
            mine = [chunk for chunk in chunks if chunk.document_id == document.id]
            assert len(mine) == document.chunks > 0
            assert all(text[chunk.start : chunk.end] == chunk.text for chunk in mine)
        assert [chunk.page for chunk in chunks if chunk.document_id == documents[3].id] == [1, 2]


async def test_chunks_have_terms_and_vectors_of_title_heading_and_text(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        await shop.index({"a.md": b"# Pumps\n\n## Warranty\n\nTwo years.\n"})
        (found,) = await shop.reader.after("t", 0, 10, "hashing")
        assert found.terms.split() == ["pump", "warranti", "two", "year"]
        assert found.vector is not None
        expected = await HashingEmbedder().embed(["Pumps\nWarranty\nTwo years."])
        assert np.frombuffer(found.vector, "<f4") == pytest.approx(expected[0])


async def test_only_languages_the_embedder_covers_get_vectors(tmp_path: Path) -> None:
    class English(HashingEmbedder):
        languages = frozenset({"en"})

    async with workshop(tmp_path, English()) as shop:
        await shop.index({"en.txt": b"Two years.", "zh.txt": "保修期是两年。".encode()})
        vectors = {found.title: found.vector for found in await shop.reader.after("t", 0, 10, "hashing")}
        assert vectors["en"] is not None
        assert vectors["zh"] is None


async def test_one_bad_file_never_stops_the_others(tmp_path: Path) -> None:
    files = {f"{n}.txt": f"File number {n}.".encode() for n in range(100)}
    files["42.pdf"] = files.pop("42.txt")
    files["evil.exe"] = b"MZ"
    async with workshop(tmp_path) as shop:
        documents = await shop.index(files)
        assert [d.name for d in documents] == list(files)
        bad = {d.name: d.error_code for d in documents if d.status != "ready"}
        assert bad == {"42.pdf": "broken_file", "evil.exe": "unsupported_type"}
        status = await shop.documents.status("t", "d")
        assert status.counts == {"ready": 99, "failed": 2}
        assert (status.progress, status.stage) == (1.0, "done")
        assert len(shop.files()) == 100


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("/abs/olute.txt", "olute.txt"),
        ("C:\\Users\\x.txt", "x.txt"),
        ("C:drive.txt", "drive.txt"),
        ("\\\\server\\share\\unc.txt", "unc.txt"),
        ("%2e%2e%2fescape.txt", "%2e%2e%2fescape.txt"),
        ("a\x00b\n.txt", "ab.txt"),
        ("a\u2215b\uff0fc.txt", "a_b_c.txt"),
        ("invoice\u202etxt.txt", "invoicetxt.txt"),
        ("trailing.txt. . ", "trailing.txt"),
        ("x" * 400 + ".txt", "x" * 251 + ".txt"),
        ("年度报告.txt", "年度报告.txt"),
    ],
)
async def test_names_are_shown_clean_and_never_used_as_paths(tmp_path: Path, sent: str, name: str) -> None:
    async with workshop(tmp_path, start=False) as shop:
        (document,) = await shop.submit({sent: b"x"})
        assert document.name == name
        assert shop.files() == {f"t/{document.id}/{document.sha256[:16]}"}


async def test_a_name_of_nothing_but_tricks_is_unnamed_and_unsupported(tmp_path: Path) -> None:
    async with workshop(tmp_path, start=False) as shop:
        for sent in ("..", "/", "\x00", "\u202e. "):
            (document,) = await shop.submit({sent: b"x"})
            assert (document.name, document.error_code) == ("unnamed", "unsupported_type")
        assert shop.files() == set()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_tenants_name_is_never_a_path(tmp_path: Path) -> None:
    async with workshop(tmp_path / "data", start=False) as shop:
        for tenant in ("../../outside", "..", ".", "a/b", "租户"):
            await shop.submit({"a.txt": b"x"}, tenant_id=tenant)
        assert len(shop.files()) == 5
        assert set(names_in(tmp_path)) == {"data"}
        assert all(path.parent.parent == shop.folder / "uploads" for path in (shop.folder / "uploads").glob("*/doc_*"))


async def test_the_same_file_again_changes_nothing_and_a_changed_one_is_its_new_content(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        (first,) = await shop.index({"a.txt": b"Old text."})
        (again,) = await shop.index({"a.txt": b"Old text."})
        assert (again.id, again.indexed_at) == (first.id, first.indexed_at)
        assert len(shop.files()) == 1
        (changed,) = await shop.index({"a.txt": b"New text."})
        assert changed.id == first.id
        assert [chunk.text for chunk in await shop.chunks()] == ["New text."]
        assert len(shop.files()) == 1


async def test_of_a_changed_file_only_what_changed_is_encoded_and_kept_anew(tmp_path: Path) -> None:
    class Counting(HashingEmbedder):
        encoded: list[str]

        async def embed(self, texts: Sequence[str]) -> Vectors:
            self.encoded += texts
            return await super().embed(texts)

    embedder = Counting()
    embedder.encoded = []
    parts = [f"## Part {n}\n\n" + LONG[:400] + f" Number {n}." for n in range(6)]
    async with workshop(tmp_path, embedder) as shop:
        await shop.index({"a.md": "\n\n".join(["# Plan", *parts]).encode()})
        before = {chunk.text: (chunk.id, chunk.position) for chunk in await shop.chunks()}
        embedder.encoded.clear()
        parts[2] = "## Part 2\n\n" + "Something else stands here now. " * 8
        await shop.index({"a.md": "\n\n".join(["# Plan", *parts]).encode()})
        after = {chunk.text: (chunk.id, chunk.position) for chunk in await shop.chunks()}
        text = (await shop.documents.text("t", (await shop.chunks())[0].document_id)).text
        assert all(text[chunk.start : chunk.end] == chunk.text for chunk in await shop.chunks())
    assert [text.split("\n")[1] for text in embedder.encoded] == ["Part 2"]
    assert len(before.items() & after.items()) == 5
    assert len(after) == 6


async def test_progress_only_grows_and_ends_at_one(tmp_path: Path) -> None:
    class Watching(HashingEmbedder):
        seen: list[tuple[str, float]]

        async def embed(self, texts: Sequence[str]) -> Vectors:
            (document,) = (await shop.documents.documents("t", "d", 5, None)).items
            self.seen.append((document.stage, document.progress))
            assert len(texts) <= 32
            return await super().embed(texts)

    embedder = Watching()
    embedder.seen = []
    async with workshop(tmp_path, embedder) as shop:
        (document,) = await shop.index({"a.txt": LONG.encode() * 20})
        progress = [done for _, done in embedder.seen]
        assert len(progress) > 4
        assert progress == sorted(set(progress))
        assert {stage for stage, _ in embedder.seen} == {"embedding"}
        assert (document.stage, document.progress) == ("done", 1.0)


async def test_indexing_again_uses_the_new_options_and_leaves_no_old_chunk(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        document, _ = await shop.index({"a.txt": LONG.encode(), "bad.pdf": b"x"})
        before = await shop.chunks()
        assert await shop.ingestor.reindex("t", "d", "vector", IndexOptions(chunk_size=128, overlap=0)) == 2
        await asyncio.wait_for(shop.ingestor.idle(), 60)
        after = await shop.chunks()
        assert len(after) > 2 * len(before)
        assert not {chunk.id for chunk in before} & {chunk.id for chunk in after}
        assert (await shop.documents.get("t", document.id)).status == "ready"


async def test_indexing_again_while_a_document_is_in_hand_keeps_the_later_options(tmp_path: Path) -> None:
    embedder = GatedEmbedder()
    async with workshop(tmp_path, embedder) as shop:
        await shop.submit({"a.txt": LONG.encode()})
        await asyncio.wait_for(embedder.asked.wait(), 60)
        await shop.ingestor.reindex("t", "d", "hybrid", IndexOptions(chunk_size=128, overlap=0))
        embedder.open()
        await asyncio.wait_for(shop.ingestor.idle(), 60)
        chunks = await shop.chunks()
        assert all(len(chunk.text) <= 160 for chunk in chunks)
        assert len({chunk.start for chunk in chunks}) == len(chunks)


async def test_how_a_data_set_is_indexed_decides_what_is_made_of_its_passages(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        with pytest.raises(NotFound):
            await shop.ingestor.reindex("t", "d", "graph", IndexOptions())
        await shop.index({"a.txt": b"Ada Merrow built Lowick harbour."})
        made: dict[str, tuple[bool, bool]] = {}
        for index_type in ("vector", "graph", "hybrid"):
            await shop.ingestor.reindex("t", "d", index_type, IndexOptions())
            await asyncio.wait_for(shop.ingestor.idle(), 60)
            (chunk,) = await shop.reader.after("t", 0, 10, "hashing")
            read = await SqlOutbox(shop.database).extractions("t", [chunk.position])
            made[index_type] = chunk.vector is not None, bool(read)
        assert made == {"vector": (True, False), "graph": (False, True), "hybrid": (True, True)}


async def test_deleting_leaves_nothing_behind(tmp_path: Path) -> None:
    async with workshop(tmp_path) as shop:
        one, two = await shop.index({"a.txt": b"Secret one.", "b.txt": b"Secret two."})
        with pytest.raises(NotFound):
            await shop.ingestor.delete_document("u", one.id)
        await shop.ingestor.delete_document("t", one.id)
        assert [chunk.text for chunk in await shop.chunks()] == ["Secret two."]
        assert shop.files() == {f"t/{two.id}/{two.sha256[:16]}"}
        await shop.ingestor.delete_dataset("t", "d")
        assert await shop.chunks() == []
        assert shop.files() == set()
        with pytest.raises(NotFound):
            await shop.ingestor.delete_dataset("t", "d")


async def test_a_document_deleted_while_in_hand_stays_deleted(tmp_path: Path) -> None:
    embedder = GatedEmbedder()
    async with workshop(tmp_path, embedder) as shop:
        (document,) = await shop.submit({"a.txt": b"Secret."})
        await asyncio.wait_for(embedder.asked.wait(), 60)
        await shop.ingestor.delete_document("t", document.id)
        embedder.open()
        await asyncio.wait_for(shop.ingestor.idle(), 60)
        assert await shop.chunks() == []


async def test_a_failing_embedder_fails_the_document_with_a_code(tmp_path: Path) -> None:
    class Broken(HashingEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            raise RuntimeError("weights are gone")

    async with workshop(tmp_path, Broken()) as shop:
        (document,) = await shop.index({"a.txt": b"x"})
        assert (document.status, document.error_code) == ("failed", "indexing_failed")
        assert "weights" not in str(document.error)


async def test_a_store_that_refuses_for_a_while_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "RETRY_SECONDS", 0.01)
    refusals = iter([True, True, True])

    class Locked(SqlIndexQueue):
        async def keep_chunks(self, *arguments: object, **keywords: object) -> bool:
            if next(refusals, False):
                raise StoreUnavailable("locked")
            return await super().keep_chunks(*arguments, **keywords)  # type: ignore[arg-type]

    async with workshop(tmp_path, queue=Locked) as shop:
        (document,) = await shop.index({"a.txt": b"Kept."})
        assert document.status == "ready"
        assert next(refusals, None) is None


async def test_an_upload_that_cannot_be_registered_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(SqlDocumentStore, "register", refuse)
    async with workshop(tmp_path, start=False) as shop:
        with pytest.raises(StoreUnavailable):
            await shop.submit({"a.txt": b"x"})
        assert shop.files() == set()


async def test_a_file_past_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with workshop(tmp_path, max_file_bytes=2000, start=False) as shop:
        with pytest.raises(TooLarge):
            await shop.submit({"a.txt": b"x" * 2001})
        assert shop.files() == set()


async def test_tenants_take_turns(tmp_path: Path) -> None:
    embedder = GatedEmbedder()
    async with workshop(tmp_path, embedder, workers=1) as shop:
        await shop.submit({f"{n}.txt": f"Busy {n}.".encode() for n in range(6)}, tenant_id="busy")
        await asyncio.wait_for(embedder.asked.wait(), 60)
        await shop.submit({"b.txt": b"Quiet."}, tenant_id="quiet")
        embedder.open()
        await asyncio.wait_for(shop.ingestor.idle(), 60)
        assert next(n for n, text in enumerate(embedder.texts) if "Quiet." in text) == 1


async def test_a_leaving_process_gives_back_what_it_has_in_hand(tmp_path: Path) -> None:
    embedder = GatedEmbedder()
    async with workshop(tmp_path, embedder) as shop:
        await shop.submit({"a.txt": b"Text."})
        await asyncio.wait_for(embedder.asked.wait(), 60)
    async with workshop(tmp_path) as shop:
        await asyncio.wait_for(shop.ingestor.idle(), 60)
        assert [chunk.text for chunk in await shop.chunks()] == ["Text."]


@pytest.mark.parametrize("indexed", [0, 3])
async def test_a_killed_process_loses_nothing_and_repeats_nothing(tmp_path: Path, indexed: int) -> None:
    program = [sys.executable, "-m", "tests.tools.knowledge.workshop", str(tmp_path), str(indexed)]
    process = await asyncio.create_subprocess_exec(*program, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"in hand\n"
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    embedder = HashingEmbedder()
    async with workshop(tmp_path, embedder) as shop:
        await asyncio.wait_for(shop.ingestor.idle(), 60)
        status = await shop.documents.status("t", "d")
        assert status.counts == {"ready": 10}
        assert sorted(chunk.text for chunk in await shop.chunks()) == [f"File number {n}." for n in range(10)]
        assert len(embedder.texts) == 10 - indexed


async def test_processes_on_one_folder_index_each_document_once(tmp_path: Path) -> None:
    one, two = HashingEmbedder(), HashingEmbedder()
    async with workshop(tmp_path, one) as first, workshop(tmp_path, two) as second:
        await asyncio.gather(
            first.submit({f"a{n}.txt": f"File a{n}.".encode() for n in range(20)}),
            second.submit({f"b{n}.txt": f"File b{n}.".encode() for n in range(20)}),
        )
        await asyncio.gather(_settled(first), _settled(second))
        assert (await first.documents.status("t", "d")).counts == {"ready": 40}
        assert len(await first.chunks()) == len(one.texts) + len(two.texts) == 40


async def _settled(shop: Workshop) -> None:
    """Wait until no process has anything left."""
    async with asyncio.timeout(60):
        while (await shop.documents.status("t", "d")).stage != "done":
            await shop.ingestor.idle()
            await asyncio.sleep(0.01)


async def test_a_living_processs_work_is_left_alone(tmp_path: Path) -> None:
    embedder = GatedEmbedder()
    async with workshop(tmp_path, embedder) as first:
        (document,) = await first.submit({"a.txt": b"Text."})
        await asyncio.wait_for(embedder.asked.wait(), 60)
        async with workshop(tmp_path) as second:
            await asyncio.wait_for(second.ingestor.idle(), 60)
            assert (await second.documents.get("t", document.id)).status == "indexing"
        embedder.open()
        await asyncio.wait_for(first.ingestor.idle(), 60)
        assert (await first.documents.get("t", document.id)).status == "ready"
