"""Settings: where they come from, what forbids the start, and what is never said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import KNOWN_NAMES, KNOWN_SETTINGS, NOT_USED_YET, Settings
from app.settings_table import settings_rows, settings_table
from flags.decision import choose_coordinator
from flags.errors import ConfigurationError
from flags.snapshot import FlagSnapshot
from flags.source import FlagSource
from flags.values import FLAG_NAMES

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()
SECRET = "q7Zr2mXw9LkT4vBn8HsYc3JdFgPa6EuR"  # 32 bytes
USERS = [f"user-{number}" for number in range(2_000)]


def load(folder: Path, text: str = "", environ: dict[str, str] | None = None, **options: object) -> Settings:
    (folder / ".env").write_text(text)
    return Settings.load(folder / ".env", environ or {}, **options)


def refusal(folder: Path, text: str = "", environ: dict[str, str] | None = None, **options: object) -> str:
    with pytest.raises(ConfigurationError) as failure:
        load(folder, text, environ, **options)
    return str(failure.value)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "no.env", {})
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, Path("var"))
    assert settings.sources == {}


def test_the_environment_beats_env_and_the_command_line_beats_both(tmp_path: Path) -> None:
    text = "PORT=1111\nLOG_LEVEL=WARN\nDATA_DIR=from-file\nOPENAI_API_KEY=\n"
    settings = load(tmp_path, text, {"port": "2222", "LOG_LEVEL": ""}, data_dir=tmp_path, host=None)
    assert (settings.port, settings.log_level, settings.data_dir) == (2222, "warning", tmp_path)
    assert settings.openai_api_key is None
    assert settings.sources == {"LOG_LEVEL": ".env", "PORT": "environment", "DATA_DIR": "command line"}


def test_settings_made_by_hand_hear_nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "4444")
    assert Settings().port == 8000
    assert Settings(data_dir=Path("here")).database_path == Path("here/zhiyin.db")


def test_load_reads_the_process_environment_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "4444")
    assert Settings.load(tmp_path / "no.env").port == 4444


def test_lists_are_separated_by_commas(tmp_path: Path) -> None:
    settings = load(tmp_path, "ALLOWED_ORIGINS=https://a.example/, http://localhost:3000\nEMBEDDER_LANGUAGES=zh\n")
    assert settings.allowed_origins == ("https://a.example", "http://localhost:3000")
    assert settings.embedder_languages == ("zh",)
    assert "ALLOWED_ORIGINS" in refusal(tmp_path, "ALLOWED_ORIGINS=a.example/path\n")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("COORDINATR_ENGINE=legacy", "COORDINATOR_ENGINE"),
        ("OPENAI_BASE_ULR=http://x", "OPENAI_BASE_URL"),
        ("COORDINATOR_ENGINE=langgrpah", "the nearest is langgraph"),
        ("LOG_LEVEL=inof", "the nearest is info"),
        ("PORT=99999", "the nearest is 65535"),
        ("PORT=tcp://10.0.0.1:80", "valid integer"),
        ("EMBEDDER_BACKEND=onx", "the nearest is onnx"),
        ("AB_TRAFFIC_SPLIT=10%", "the nearest is 0.1"),
        ("KNOWLEDGE_WORKERS=0", "the nearest is 1"),
    ],
)
def test_a_start_that_env_forbids_names_the_nearest(tmp_path: Path, line: str, hint: str) -> None:
    said = refusal(tmp_path, f"{line}\n")
    assert hint in said
    assert said.startswith(".env")


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "flags.json").write_text("{")
    said = refusal(tmp_path, "PORT=x\nCOORDINATOR_ENGINE=y\n", {"AB_TRAFIC_SPLIT": "1"})
    assert [name in said for name in ("PORT", "COORDINATOR_ENGINE", "AB_TRAFFIC_SPLIT")] == [True] * 3
    assert "not JSON" in refusal(tmp_path, data_dir=tmp_path)


def test_no_value_is_ever_said(tmp_path: Path) -> None:
    text = "JWT_SECRET=topsecret\nPORT=topsecret\nLOG_LEVEL=topsecret\nAB_TRAFFIC_SPLIT=topsecret\nHOST=0.0.0.0\n"
    assert "topsecret" not in refusal(tmp_path, text)
    settings = load(tmp_path, "JWT_SECRET=topsecret\nOPENAI_API_KEY=topsecret\n", {"MY_TOKEN": "topsecret"})
    assert "topsecret" not in repr(settings) + repr(settings._origin)
    assert "topsecret" not in str(settings_rows(settings))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "chat.example.org", ""])
def test_strangers_are_let_in_with_a_real_secret_only(tmp_path: Path, host: str) -> None:
    for secret in (None, "", "short", "a" * 40, "change-me-change-me-change-me-0123456789", SECRET[:-1]):
        with pytest.raises(ValueError, match="JWT_SECRET"):
            Settings.model_validate({"host": host, "jwt_secret": secret})
    assert Settings.model_validate({"host": host, "jwt_secret": SECRET}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_secret(host: str) -> None:
    assert Settings(host=host).is_loopback


def test_an_operator_is_told_what_to_do_about_an_open_host(tmp_path: Path) -> None:
    said = refusal(tmp_path, host="0.0.0.0")
    assert "openssl rand" in said
    assert "127.0.0.1" in said


def test_operators_existing_files_are_taken_as_they_are(tmp_path: Path) -> None:
    names = [name for group in NOT_USED_YET.values() for name in group]
    lines = [f"{name}=x" for name in [*names, "EVAL_DATA", "MY_OWN_NAME"]]
    assert load(tmp_path, "\n".join(lines)).port == 8000
    assert all(name in KNOWN_NAMES for name in names)


def test_flags_are_opened_from_where_the_settings_were_read(tmp_path: Path) -> None:
    text = f"COORDINATOR_ENGINE=legacy\nDATA_DIR={tmp_path}\n"
    (tmp_path / "flags.json").write_text('{"KILL_SWITCH": true}')
    flags = load(tmp_path, text, {"ENABLE_ML_INTENT": "off"}).open_flags()
    assert flags.current() == FlagSnapshot(coordinator_engine="legacy", enable_ml_intent=False, kill_switch=True)


def test_no_setting_stands_in_two_sections_or_is_a_flag_too() -> None:
    names = [row.name for row in settings_rows()]
    assert len(names) == len(set(names)) == len(Settings.model_fields)
    assert not KNOWN_SETTINGS & FLAG_NAMES.keys()


def test_every_setting_is_explained_and_stands_in_the_table() -> None:
    table = settings_table()
    for row in settings_rows():
        assert row.doc.endswith(".") or row.doc.endswith(")."), row.name
        assert f"| `{row.name}` |" in table
    for name in FLAG_NAMES:
        assert f"| `{name}` |" in table
    assert "| `JWT_SECRET` | secret |  |" in table


def test_rows_say_what_is_set_and_where(tmp_path: Path) -> None:
    rows = {row.name: row for row in settings_rows(load(tmp_path, f"JWT_SECRET={SECRET}\n", {"PORT": "81"}))}
    assert (rows["JWT_SECRET"].value, rows["JWT_SECRET"].source) == ("set", ".env")
    assert (rows["PORT"].value, rows["PORT"].default, rows["PORT"].source) == ("81", "8000", "environment")
    assert (rows["HOST"].value, rows["HOST"].source) == ("127.0.0.1", "default")


def test_the_example_file_holds_every_name_and_is_taken(tmp_path: Path) -> None:
    names = set(re.findall(r"(?m)^# ([A-Z][A-Z0-9_]*)=", EXAMPLE))
    assert names == {row.name for row in settings_rows()} | set(FLAG_NAMES)
    assert load(tmp_path, EXAMPLE).sources == {}
    before = EXAMPLE.split("# Stage 1")[0]
    uncommented = re.sub(r"(?m)^# ([A-Z][A-Z0-9_]*=)", r"\1", before)
    settings = load(tmp_path, uncommented)
    assert settings.jwt_audience == "zhiyin"
    assert settings.open_flags().current() == FlagSnapshot(kill_switch=True)


def stage(number: int) -> str:
    """A block of the example file, uncommented."""
    block = EXAMPLE.split(f"# Stage {number}:")[1].split("\n\n")[0]
    return re.sub(r"(?m)^# ([A-Z][A-Z0-9_]*=)", r"\1", block.split("\n", 1)[1])


@pytest.mark.parametrize(
    ("number", "shares"),
    [
        (1, {"legacy": 1.0}),
        (2, {"workflow": 0.1, "legacy": 0.9}),
        (3, {"workflow": 0.5, "legacy": 0.5}),
        (4, {"workflow": 1.0}),
        (5, {"langgraph": 0.1, "workflow": 0.9}),
        (6, {"langgraph": 1.0}),
    ],
)
def test_each_stage_of_the_example_moves_the_traffic_it_promises(
    tmp_path: Path, number: int, shares: dict[str, float]
) -> None:
    (tmp_path / ".env").write_text(stage(number))
    flags = FlagSource(tmp_path / ".env", tmp_path / "flags.json", {}, KNOWN_NAMES).current()
    engines = [choose_coordinator(flags, user).engine for user in USERS]
    assert set(engines) == set(shares)
    for engine, share in shares.items():
        assert engines.count(engine) / len(USERS) == pytest.approx(share, abs=0.04)


def test_settings_load_nothing_heavy() -> None:
    program = "import sys, app.settings_table; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert not {"torch", "transformers", "langgraph", "openai", "sqlalchemy", "fastapi", "onnxruntime"} & set(loaded)


def test_devices_are_no_env_file() -> None:
    assert Settings.load(Path(os.devnull), {}).port == 8000
