"""Reads YAML: our own files as they are, and those of operators so that one line says what is wrong with them."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from flags.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 64 * 1024


_FastSafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C where PyYAML was built with it: five times as fast as the one in Python."""


def shipped_yaml(path: Path) -> Any:
    """What stands in a file that comes with the app, unchecked."""
    return yaml.load(path.read_bytes(), Loader=_FastSafeLoader)  # noqa: S506


class _StrictSafeLoader(yaml.SafeLoader):
    """Refuses what plain YAML passes over: a name that stands twice, of which only the last would count.

    In Python, whose parser names the line of a fault more truly than the one in C.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """As ever, when all names differ. Raises ConstructorError."""
        seen: set[Hashable] = set()
        for key, _ in node.value:
            name = key.value
            if isinstance(name, str) and name in seen:
                raise yaml.constructor.ConstructorError(problem=f"{name} stands twice", problem_mark=key.start_mark)
            seen.add(name if isinstance(name, str) else id(name))
        return super().construct_mapping(node, deep)


def read_yaml_file(path: Path, kind: type[Model], *, max_bytes: int = MAX_BYTES) -> Model:
    """The content of `path` as a `kind`; an empty file is one without fields. A name may stand only once in a mapping.

    Raises:
        ConfigurationError: too large, not YAML, or no such thing; it names the file, the field and the fault.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ConfigurationError([f"{path}: larger than {max_bytes // 1024} KB."])
    try:
        return kind.model_validate(yaml.load(content.decode("utf-8"), Loader=_StrictSafeLoader) or {})  # noqa: S506
    except ValidationError as error:
        flaws = (f"{'.'.join(map(str, flaw['loc'])) or 'file'}: {flaw['msg']}" for flaw in error.errors())
        raise ConfigurationError([f"{path}: {'; '.join(flaws)}."]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"{path}: not UTF-8."]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError([f"{path}: line {line}: {error.problem}."]) from None
    except (yaml.YAMLError, RecursionError):
        raise ConfigurationError([f"{path}: not YAML."]) from None
