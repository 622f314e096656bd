"""The one reader of users' YAML: plain data only, keys as written, no key twice.

YAML 1.1 reads the keys ``on`` and ``off`` as booleans, ``1e6`` as text and ``1:30`` as 90. Here keys are
always text, ``1e6`` is a number, and only decimal numbers are numbers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tissuesim.errors import InputError

MAXIMUM_BYTES = 2_000_000


class PlainLoader(yaml.SafeLoader):
    """A safe loader with decimal numbers only, text keys and no duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping; an InputError names a key that stands twice or is not plain text."""
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError(f"line {line}: a key must be plain text")
            key = str(key_node.value)
            if key in mapping:
                raise InputError(f"line {line}: the key '{key}' stands twice in the same mapping")
            mapping[key] = self.construct_object(value_node, deep=True)
        return mapping


def _mapping(loader: PlainLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node, deep=True)


PlainLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
_DROPPED = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _DROPPED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_START = list("+-.0123456789")
PlainLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]*)\Z"), _START)
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?(([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z"
    ),
    _START,
)


def parse_yaml(text: str, source: str) -> Any:
    """Return the plain data of a YAML text; InputError with source, line and column otherwise."""
    if len(text) > MAXIMUM_BYTES:
        raise InputError(f"{source}: longer than {MAXIMUM_BYTES} characters, which no config needs")
    try:
        return yaml.load(text, Loader=PlainLoader)  # a SafeLoader: plain data only
    except InputError as error:
        raise InputError(f"{source}, {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(error.problem or error.context or "cannot be read").split())
        raise InputError(f"{source}{place}: not valid YAML ({problem}); is the file complete?") from None
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not valid YAML ({' '.join(str(error).split())})") from None
    except (RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{source}: not valid YAML ({reason})") from None


def parse_mapping(text: str, source: str) -> dict[str, Any]:
    """Return the mapping that a YAML text must be; InputError if it is empty or something else."""
    data = parse_yaml(text, source)
    if data is None:
        raise InputError(f"{source}: the file is empty; a run config needs at least model, organs and time")
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "a single value"
        raise InputError(f"{source}: a run config is a mapping of keys, this file is {kind}")
    return data


def read_text(path: Path) -> str:
    """Return the text of a file; InputError if it cannot be read as UTF-8 text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file (UTF-8)") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder, a YAML file is needed") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
