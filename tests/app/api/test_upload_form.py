"""Uploads that are too much, not enough, or not what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.app.api.knowledge_client import BASE, BOUNDARY, END, MAX_FILE_BYTES, client, part, problem
from tools.errors import StoreUnavailable
from tools.knowledge.uploads import StagedFile


async def test_an_upload_without_a_file_is_invalid(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        for answer in (
            await api.http.post(f"{BASE}/upload"),
            await api.send(part(b"default", 'form-data; name="dataset_id"') + END),
            await api.send(part(b"", 'form-data; name="file"; filename=""') + END),
            await api.send(END),
        ):
            refused = problem(answer, 422, "invalid_input")
            assert refused["errors"][0]["loc"] == ["body", "file"]
        assert (await api.get("/datasets"))["items"] == []


async def test_other_content_types_and_files_are_unsupported(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        problem(await api.http.post(f"{BASE}/upload", json={"file": "x"}), 415, "unsupported_media_type")
        problem(await api.upload(("a.exe", b"MZ"), ("b", b"x")), 415, "unsupported_type")
        assert (await api.get("/datasets"))["items"] == []
        assert api.shop.files() == set()


@pytest.mark.parametrize("dataset_id", ["", "..", "a/b", "a\\b", " a", "a\x00b", "x" * 201, "a\u202eb", "a\nb"])
async def test_a_data_set_needs_a_name_that_can_stand_in_a_path(tmp_path: Path, dataset_id: str) -> None:
    async with client(tmp_path, start=False) as api:
        refused = problem(await api.upload(("a.txt", b"x"), dataset_id=dataset_id), 422, "invalid_input")
        assert refused["errors"][0]["loc"] == ["body", "dataset_id"]
        assert api.shop.files() == set()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        part(b"cut"),
        part(b"cut")[:-10],
        b"--frontier\r\nno colon\r\n\r\nx\r\n" + END,
        b"--frontier\r\n" + b"A: b\r\n" * 50 + b"\r\nx\r\n" + END,
        b"--frontier\r\nContent-Disposition: " + b"x" * 10_000 + b"\r\n\r\nx\r\n" + END,
    ],
)
async def test_a_broken_form_is_malformed_and_leaves_nothing(tmp_path: Path, body: bytes) -> None:
    async with client(tmp_path, start=False) as api:
        problem(await api.send(body), 400, "malformed")
        assert api.shop.files() == set()


async def test_a_boundary_is_needed(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        problem(await api.send(part(b"x") + END, boundary=""), 400, "malformed")
        problem(await api.send(part(b"x") + END, boundary="x" * 71), 400, "malformed")


@pytest.mark.parametrize(
    "disposition",
    [
        'form-data; name="other"',
        'form-data; name="file"',
        'form-data; name="dataset_id"; filename="a.txt"',
        "form-data",
    ],
)
async def test_unknown_fields_are_refused(tmp_path: Path, disposition: str) -> None:
    async with client(tmp_path, start=False) as api:
        refused = problem(await api.send(part(b"x") + part(b"x", disposition) + END), 422, "invalid_input")
        assert "other" not in str(refused)
        assert api.shop.files() == set()


async def test_a_file_past_the_limit_is_refused_while_it_is_still_being_sent(tmp_path: Path) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part(b"")[:-2]
        while True:
            sent += 65_536
            yield b"x" * 65_536

    async with client(tmp_path, start=False) as api:
        problem(await api.send(endless()), 413, "too_large")
        assert sent < 4 * MAX_FILE_BYTES
        assert api.shop.files() == set()


async def test_a_declared_length_past_all_limits_is_refused_unread(tmp_path: Path) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    async with client(tmp_path, start=False) as api:
        headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}", "content-length": "99999999999"}
        answer = await api.http.post(f"{BASE}/upload", content=unread(), headers=headers)
        problem(answer, 413, "too_large")


async def test_files_of_exactly_the_limit_are_taken_in(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        whole = b"x" * MAX_FILE_BYTES
        answer = await api.upload(("a.txt", whole), ("b.txt", whole), ("c.txt", b""))
        assert answer.status_code == 202
        sizes = [path.stat().st_size for path in sorted(all_files(tmp_path / "uploads"))]
        assert sorted(sizes) == [0, MAX_FILE_BYTES, MAX_FILE_BYTES]


def all_files(folder: Path) -> Sequence[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_an_upload_of_too_many_files_is_refused(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        problem(await api.upload(*((f"{n}.txt", b"x") for n in range(21))), 400, "too_many_files")
        assert api.shop.files() == set()


async def test_a_full_disk_is_unavailable_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("The data folder cannot be written: No space left on device.")

    monkeypatch.setattr(StagedFile, "write", full)
    async with client(tmp_path, start=False) as api:
        problem(await api.upload(("a.txt", b"x")), 503, "store_unavailable")
        assert api.shop.files() == set()


async def test_path_tricks_in_file_names_end_as_names(tmp_path: Path) -> None:
    async with client(tmp_path / "data", start=False) as api:
        sent = ("../../a.txt", "/etc/b.txt", "..\\..\\c.txt", "C:\\x\\d.txt", "e\x00.txt")
        bodies = [part(b"x%d" % n, f'form-data; name="file"; filename="{name}"') for n, name in enumerate(sent)]
        answer = await api.send(b"".join(bodies) + END)
        assert [d["name"] for d in answer.json()["documents"]] == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]
        assert {path.parent.parent.parent for path in all_files(tmp_path)} >= {tmp_path / "data" / "uploads"}
        assert not [path for path in all_files(tmp_path) if path.suffix == ".txt"]


async def test_a_file_name_in_gbk_is_read(tmp_path: Path) -> None:
    async with client(tmp_path, start=False) as api:
        head = b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="'
        answer = await api.send(head + "报告.txt".encode("gbk") + b'"\r\n\r\nx\r\n' + END)
        assert answer.json()["documents"][0]["name"] == "报告.txt"
