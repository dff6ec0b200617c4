"""What a `.env` says, and which of its faults are ours to refuse."""

from __future__ import annotations

import pytest

from flags.env_file import check_variables, read_env
from flags.errors import ConfigurationError
from flags.names import KnownNames

KNOWN = KnownNames(frozenset({"COORDINATOR_ENGINE", "AB_TRAFFIC_SPLIT", "JWT_SECRET"}), frozenset({"OPENAI_API_KEY"}))


def problems(text: str) -> str:
    with pytest.raises(ConfigurationError) as failure:
        read_env(text.encode(), KNOWN)
    return str(failure.value)


def test_values_are_read_as_every_dotenv_reader_reads_them() -> None:
    text = b"\xef\xbb\xbf# note\nexport coordinator_engine='legacy' # now\r\nAB_TRAFFIC_SPLIT=0.1  # a tenth\n\nX='a b'"
    assert read_env(text, KNOWN).values == {"COORDINATOR_ENGINE": "legacy", "AB_TRAFFIC_SPLIT": "0.1", "X": "a b"}


def test_no_file_and_empty_values_set_nothing() -> None:
    assert read_env(None, KNOWN).values == {}
    assert read_env(b"OPENAI_API_KEY=\nCOORDINATOR_ENGINE=\n", KNOWN).values == {}


def test_every_misspelt_name_is_reported_with_its_line() -> None:
    said = problems("A=1\nCOORDINATR_ENGINE=legacy\nAB_TRAFIC_SPLIT=0.1\n")
    assert said == (
        ".env, line 2: COORDINATR_ENGINE is not a known name; did you mean COORDINATOR_ENGINE?\n"
        ".env, line 3: AB_TRAFIC_SPLIT is not a known name; did you mean AB_TRAFFIC_SPLIT?"
    )


@pytest.mark.parametrize("line", ["COORDINATOR_ENGINE", "COORDINATOR_ENGINE: legacy", "COORDINATOR_ENGINE legacy"])
def test_a_known_name_on_a_line_that_is_no_assignment_is_refused(line: str) -> None:
    assert "write COORDINATOR_ENGINE=value" in problems(f"{line}\n")


def test_a_quote_left_open_does_not_swallow_a_known_name() -> None:
    assert "COORDINATOR_ENGINE" in problems('NOTE="it\nCOORDINATOR_ENGINE=legacy\nX="y"\n')


def test_other_faults_are_let_pass_with_a_note_that_shows_no_value() -> None:
    found = read_env(b"-----BEGIN KEY-----\nMIIEv+/topsecret==\nMY_OWN=private\nJWT_SECRET=a\nJWT_SECRET=b\n", KNOWN)
    assert found.values == {"MY_OWN": "private", "JWT_SECRET": "b"}
    notes = "\n".join(found.notes)
    assert "JWT_SECRET 2 times" in notes
    assert "MY_OWN" in notes
    assert "line 1" in notes
    assert "topsecret" not in notes
    assert "private" not in notes


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="UTF-8"):
        read_env("COORDINATOR_ENGINE=é".encode("latin-1"), KNOWN)


def test_misspelt_variables_of_the_process_are_refused() -> None:
    check_variables(["PATH", "HOSTNAME", "COORDINATOR_ENGINE"], KNOWN)
    with pytest.raises(ConfigurationError, match=r"environment: .* did you mean AB_TRAFFIC_SPLIT"):
        check_variables(["PATH", "AB_TRAFFC_SPLIT"], KNOWN)
