"""The command line, from the inside; what it says when something is wrong is one clean message."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import app.commands.chat
import app.commands.ingest
import app.commands.tables
from app.__main__ import cli
from app.commands.readme import BEGIN, END
from app.observability.histogram import Durations
from app.observability.snapshot_line import METRICS_FILE, VARIANTS_FILE, SnapshotLine
from flags.values import FLAG_NAMES
from tests.parts import CORPUS, with_database

pytestmark = pytest.mark.usefixtures("process_restored")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command runs in a folder of its own, with wide tables."""
    monkeypatch.chdir(tmp_path)
    for module in (app.commands.chat, app.commands.ingest, app.commands.tables):
        monkeypatch.setattr(module.console, "_width", 400)


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=stdin)


def assert_clean(result: Result, *parts: str) -> None:
    """The program ended with a message, not with a traceback."""
    assert result.exit_code > 0
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    for part in parts:
        assert part in result.stderr


def test_without_arguments_the_commands_are_named() -> None:
    said = run("--help").output
    for command in ("serve", "ingest", "chat", "flags", "metrics", "settings", "version"):
        assert command in said


def test_flags_are_shown_with_their_values_and_sources(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COORDINATOR_ENGINE=graph\nAB_TRAFFIC_SPLIT=0.25\n")
    result = run("flags")
    assert result.exit_code == 0
    rows = {row[0]: row for row in cells(result.output)}
    assert rows.keys() >= set(FLAG_NAMES)
    assert rows["COORDINATOR_ENGINE"][1:3] == ["langgraph", ".env"]
    assert rows["AB_TRAFFIC_SPLIT"][1:3] == ["0.25", ".env"]
    assert rows["AB_CONTROL_ENGINE"][1:3] == ["legacy", "default"]
    assert not (tmp_path / "var").exists()


def cells(table: str) -> list[list[str]]:
    """The cells of each line of a table."""
    return [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in table.splitlines() if "│" in line]


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\nOPENAI_API_KEY=sk-very-secret-indeed\nOPENAI_MODEL=m\n")
    result = run("settings")
    assert result.exit_code == 0
    rows = {row[0]: row for row in cells(result.output)}
    assert rows["PORT"][1:3] == ["8123", ".env"]
    assert rows["OPENAI_API_KEY"][1] == "******"
    assert "very-secret" not in result.output


def test_the_settings_table_of_a_file_is_checked_and_written(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nthe table as it was\n{END}\nafter\n")
    assert_clean(run("settings", "--check", str(readme)), "out of date", "--write")
    assert run("settings", "--write", str(readme)).exit_code == 0
    assert run("settings", "--check", str(readme)).exit_code == 0
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "`JWT_SECRET`" in text
    assert "as it was" not in text
    assert run("settings", "--markdown").output.strip() in text


@pytest.mark.parametrize(
    ("env", "parts"),
    [
        ("COORDINATR_ENGINE=legacy\n", ("COORDINATR_ENGINE", "COORDINATOR_ENGINE", ".env")),
        ("COORDINATOR_ENGINE=legcy\n", ("COORDINATOR_ENGINE", "legacy")),
        ("JWT_SECRT=1\n", ("JWT_SECRT", "JWT_SECRET")),
        ("PORT=99999\n", ("PORT", "65535")),
        ("HOST=0.0.0.0\n", ("JWT_SECRET", "127.0.0.1")),
        ("HOST=0.0.0.0\nJWT_SECRET=changeme-changeme-changeme-changeme\n", ("JWT_SECRET",)),
        ("HOST=0.0.0.0\nJWT_SECRET=short\n", ("JWT_SECRET",)),
    ],
)
def test_a_start_that_env_forbids_is_one_message(tmp_path: Path, env: str, parts: tuple[str, ...]) -> None:
    (tmp_path / ".env").write_text(env)
    for command in ("serve", "flags"):
        result = run(command)
        assert_clean(result, *parts)
        assert "changeme" not in result.output


def test_a_port_in_use_is_one_message(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_clean(run("serve", "--port", port), port)


def test_a_data_folder_that_cannot_be_used_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_clean(run("ingest", str(tmp_path / "file"), "--data-dir", str(tmp_path / "file")), "file")


def test_ingest_walks_folders_says_what_failed_and_ends_with_one(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name, text in CORPUS.items():
        (folder / "deep" / name).write_text(text)
    (folder / ".git" / "hidden.md").write_text("hidden")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    with_database(tmp_path / "var")
    result = run("ingest", str(folder))
    assert result.exit_code == 1
    assert "broken.pdf" in result.output
    assert "3 of 4 files" in result.output
    assert "hidden" not in result.output
    (folder / "broken.pdf").unlink()
    again = run("ingest", str(folder), "--dataset", "more")
    assert (again.exit_code, "3 of 3 files" in again.output) == (0, True)
    answered = run("chat", stdin="When was Lowick harbour built?\n\n")
    assert answered.exit_code == 0
    assert "[1]" in answered.output


def test_ingest_of_nothing_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("ingest", str(tmp_path / "empty")).exit_code == 1
    assert run("ingest", str(tmp_path / "nowhere")).exit_code == 2


def durations(*milliseconds: float, failures: int = 0) -> Durations:
    found = Durations()
    for ms in milliseconds:
        found.add(ms / 1_000, ok=True)
    for _ in range(failures):
        found.add(0.001, ok=False)
    return found


def snapshot(folder: Path, hours_ago: float, components: dict[str, Durations], **fields: Any) -> None:
    line = SnapshotLine.of(datetime.now(UTC) - timedelta(hours=hours_ago), components, **fields)
    folder.mkdir(exist_ok=True)
    with (folder / (VARIANTS_FILE if line.variant else METRICS_FILE)).open("ab") as file:
        file.write(line.as_bytes())


def test_metrics_show_components_and_variants_with_their_warnings(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    slow, fine, failing = durations(*[400] * 20), durations(*[100] * 20), durations(*[10] * 9, failures=1)
    snapshot(logs, 30, {"answer.verify": fine})
    snapshot(logs, 1, {"intent.classify": slow, "answer.generate": fine, "turn": failing}, intent_accuracy=0.75)
    snapshot(logs, 1, {"turn": failing}, variant="legacy")
    result = run("metrics", "--hours", "24")
    assert result.exit_code == 0
    rows = {row[0]: row for row in cells(result.output)}
    assert "warning" in rows["intent.classify"][-1]
    assert rows["answer.generate"][1:3] == ["20", "100.0%"]
    assert rows["answer.generate"][-1] == "ok"
    assert "success 90.0% is below 95%" in rows["turn"][-1]
    assert rows["legacy"][1] == "turn"
    assert "answer.verify" not in rows
    assert "intent accuracy 75.0% on the probe set is below 80%" in result.output
    longer = run("metrics", "--hours", "48", "--log-dir", str(logs))
    assert "answer.verify" in {row[0] for row in cells(longer.output)}


def test_metrics_without_snapshots_say_where_they_would_be(tmp_path: Path) -> None:
    result = run("metrics")
    assert (result.exit_code, "PERFORMANCE_MONITORING" in result.output) == (0, True)


def test_the_version_is_the_project_s() -> None:
    assert f'version = "{run("version").output.strip()}"' in (ROOT / "pyproject.toml").read_text()
