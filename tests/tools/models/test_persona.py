from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from flags.errors import ConfigurationError
from tools.models.persona import FilePersonaSource, Persona
from tools.models.yaml_file import read_yaml_file


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class House:
    """A data folder with its source of personas."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self._writes = 0

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        self._writes += 1
        os.utime(path, ns=(self._writes * 10**9, self._writes * 10**9))
        return path

    def open(self) -> FilePersonaSource:
        return FilePersonaSource(self.folder, clock=self.clock)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_without_files_everybody_has_the_shipped_persona(house: House) -> None:
    persona = house.open().of("local")
    assert (persona.name_in("en"), persona.name_in("zh")) == ("Zhiyin", "知音")
    assert persona.rules_in("en")
    assert persona.rules_in("zh")


def test_a_tenants_file_goes_before_the_operators(house: House) -> None:
    house.write("persona.yaml", "name: Operator")
    house.write("personas/acme.yaml", "name: {en: Acme, zh: 顶点}")
    source = house.open()
    assert source.of("acme").name_in("zh") == "顶点"
    assert source.of("other").name_in("zh") == "Operator"


def test_one_text_stands_for_both_languages_and_a_missing_language_borrows(house: House) -> None:
    text = "name: {zh: 小艾}\ntone: Dry.\nrules: [Be short.]\nopening: {en: Hm.}"
    persona = read_yaml_file(house.write("p.yaml", text), Persona)
    assert persona.name_in("en") == "小艾"
    assert persona.tone_in("zh") == "Dry."
    assert persona.rules_in("zh") == ["Be short."]
    assert (persona.opening_in("en"), persona.opening_in("zh")) == ("Hm.", "")


@pytest.mark.parametrize("text", ["", "# nothing\n", "name:\ntone:\nrules:\n", "name: {}\n"])
def test_what_a_file_leaves_out_is_the_default(house: House, text: str) -> None:
    persona = read_yaml_file(house.write("p.yaml", text), Persona)
    assert persona.name_in("en") == "Zhiyin"
    assert persona.rules_in("en") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nmae: x", "nmae"),
        ("name: {fr: x}", "en and zh, not fr"),
        ("rules: {en: [1, {a: b}]}", "rules.en"),
        ("rules: text\ntone: [a]", "tone"),
        ("name: [", "line 1"),
        ("- a\n- b", "p.yaml"),
        ("name: !!python/object/apply:os.system [true]", "line 1"),
        ("a: " * 2000, "line 1"),
        ("x" * 70_000, "64 KB"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_what_is_wrong(house: House, text: str, says: str) -> None:
    path = house.write("p.yaml", text)
    with pytest.raises(ConfigurationError) as refusal:
        read_yaml_file(path, Persona)
    assert says in str(refusal.value)
    assert "p.yaml" in str(refusal.value)


def test_a_file_that_is_not_utf8_is_refused(house: House) -> None:
    path = house.write("p.yaml", "")
    path.write_bytes(b"name: \xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        read_yaml_file(path, Persona)


def test_an_operators_bad_file_stops_the_start(house: House) -> None:
    house.write("persona.yaml", "nmae: x")
    with pytest.raises(ConfigurationError, match="nmae"):
        house.open()


def test_a_change_is_seen_within_a_second_and_not_looked_for_before(house: House) -> None:
    house.write("persona.yaml", "name: One")
    source = house.open()
    assert source.of("t").name_in("en") == "One"
    house.write("persona.yaml", "name: Two")
    house.clock.now += 0.9
    assert source.of("t").name_in("en") == "One"
    house.clock.now += 0.1
    assert source.of("t").name_in("en") == "Two"


def test_a_file_may_come_and_go(house: House) -> None:
    source = house.open()
    assert source.of("acme").name_in("en") == "Zhiyin"
    path = house.write("personas/acme.yaml", "name: Acme")
    house.clock.now += 1
    assert source.of("acme").name_in("en") == "Acme"
    path.unlink()
    house.clock.now += 1
    assert source.of("acme").name_in("en") == "Zhiyin"


def test_a_file_that_went_bad_keeps_its_last_good_persona_and_is_logged_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.write("persona.yaml", "name: Good")
    source = house.open()
    source.of("t")
    house.write("persona.yaml", "nmae: Bad")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            house.clock.now += 1
            assert source.of("t").name_in("en") == "Good"
    assert len(caplog.records) == 1
    assert "nmae" in caplog.text
    house.write("persona.yaml", "name: Better")
    house.clock.now += 1
    assert source.of("t").name_in("en") == "Better"


def test_a_tenant_whose_file_was_never_good_has_the_operators(house: House) -> None:
    house.write("persona.yaml", "name: Operator")
    house.write("personas/acme.yaml", "nmae: x")
    assert house.open().of("acme").name_in("en") == "Operator"


@pytest.mark.parametrize(
    "tenant", ["../persona", "a/b", "..", ".", "", "a\x00b", "a\nb", "租户", "x" * 300, "\\x", "/etc/x"]
)
def test_a_tenant_id_is_never_a_path(house: House, tenant: str) -> None:
    house.write("persona.yaml", "name: Operator")
    house.write("secret.yaml", "name: Secret")
    assert house.open().of(tenant).name_in("en") == "Operator"


def test_a_persona_is_not_changed_by_its_users() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Persona().name = {}  # type: ignore[misc]
