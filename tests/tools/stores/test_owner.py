"""Who lives among the processes that share a data folder."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.stores.processes import go_on, line_of, process
from tools.errors import StoreUnavailable
from tools.stores.owner import ProcessOwner

OTHER = """
import sys
from pathlib import Path
from tools.stores.owner import ProcessOwner

owner = ProcessOwner(Path(sys.argv[1]))
print(owner.id, flush=True)
input()
owner.close()
print("closed", flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "owners"


@pytest.fixture
def owner(folder: Path) -> Iterator[ProcessOwner]:
    owner = ProcessOwner(folder)
    yield owner
    owner.close()


def test_we_are_never_dead_ourselves(owner: ProcessOwner, folder: Path) -> None:
    assert not owner.dead(owner.id)
    (folder / owner.id).unlink()
    assert not owner.dead(owner.id)


def test_a_living_process_is_not_dead_until_it_is_killed(owner: ProcessOwner, folder: Path) -> None:
    with process(OTHER, folder) as child:
        other = line_of(child)
        assert not owner.dead(other)
        child.kill()
        child.wait()
        assert owner.dead(other)
    assert owner.dead(other)
    assert [path.name for path in folder.iterdir()] == [owner.id]


def test_a_closed_owner_is_dead_though_its_process_lives(owner: ProcessOwner, folder: Path) -> None:
    with process(OTHER, folder) as child:
        other = line_of(child)
        go_on(child)
        assert line_of(child) == "closed"
        assert owner.dead(other)


def test_an_owner_nobody_knows_is_dead(owner: ProcessOwner) -> None:
    assert owner.dead("owner_0123456789abcdef")


def test_two_owners_of_one_process_know_each_other(owner: ProcessOwner, folder: Path) -> None:
    other = ProcessOwner(folder)
    assert other.id != owner.id
    assert not owner.dead(other.id)
    assert not other.dead(owner.id)
    other.close()
    other.close()
    assert owner.dead(other.id)


def test_whoever_else_asks_is_not_taken_for_the_owner(owner: ProcessOwner, folder: Path) -> None:
    left_behind = folder / "owner_left"
    left_behind.touch()
    with left_behind.open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        assert owner.dead(left_behind.name)


def test_a_new_owner_clears_away_what_the_dead_left(folder: Path) -> None:
    folder.mkdir()
    (folder / "owner_dead").touch()
    (folder / "README").touch()
    first, second = ProcessOwner(folder), ProcessOwner(folder)
    assert {path.name for path in folder.iterdir()} == {"README", first.id, second.id}
    first.close()
    second.close()
    assert {path.name for path in folder.iterdir()} == {"README"}


def test_an_owner_is_never_taken_for_dead_while_it_appears(owner: ProcessOwner, folder: Path) -> None:
    done = threading.Event()

    def sweep() -> None:
        while not done.is_set():
            ProcessOwner(folder).close()

    sweeping = threading.Thread(target=sweep)
    sweeping.start()
    try:
        for _ in range(200):
            other = ProcessOwner(folder)
            alive = not owner.dead(other.id) and (folder / other.id).exists()
            other.close()
            assert alive
    finally:
        done.set()
        sweeping.join()


def test_nothing_stays_open(owner: ProcessOwner, folder: Path) -> None:
    other = ProcessOwner(folder)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        assert not owner.dead(other.id)
        assert owner.dead("owner_none")
        (folder / "owner_left").touch()
        assert owner.dead("owner_left")
        ProcessOwner(folder).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    other.close()


def test_a_folder_that_cannot_be_made_is_a_store_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        ProcessOwner(tmp_path / "file" / "owners")
