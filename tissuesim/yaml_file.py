"""YAML to plain dicts: a safe loader that refuses what people do not mean.

Refused are duplicate keys (YAML keeps the last one silently), anchors and aliases, keys that are not text,
and foreign tags. ``on``, ``no`` and ``y`` are text and ``1e6`` is a number, as in YAML 1.2.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from tissuesim.errors import InputError

LARGEST_FILE = 4_000_000
DEEPEST_NESTING = 20


MODEL_KEYS = "'name:' and 'processes:'"


def read_text(path: Path) -> str:
    """Return the text of a file; InputError naming the file if it cannot be read as text."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(
                f"{path}: larger than {LARGEST_FILE // 1_000_000} MB, no such file is meant here"
            )
        return path.read_text(encoding="utf-8")
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder, a YAML file is needed") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not a text file in UTF-8") from None


def read_mapping(path: Path, keys: str = MODEL_KEYS) -> dict[str, Any]:
    """Return the mapping in a YAML file; InputError naming the file where there is none."""
    return parse_mapping(read_text(path), str(path), keys)


def parse_mapping(text: str, where: str, keys: str = MODEL_KEYS) -> dict[str, Any]:
    """Return the mapping in a YAML text; errors name ``where`` and say which ``keys`` are expected."""
    data = parse_yaml(text, where)
    if data is None:
        raise InputError(f"{where}: the file is empty; a mapping with keys such as {keys} is needed")
    if not isinstance(data, dict):
        raise InputError(f"{where}: a mapping with keys such as {keys} is needed, not {kind(data)}")
    return data


def parse_yaml(text: str, where: str) -> Any:
    """Return the plain data of a YAML text; InputError with its line where it is not YAML."""
    import yaml

    try:
        return yaml.load(text, Loader=_loader())  # derived from SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        problem = str(error.problem or error.context)
        end = "; is the file complete?" if "end of stream" in problem or "stream end" in problem else ""
        raise InputError(f"{where}{line}: {problem}{end}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{where}: {' '.join(str(error).split())}") from None
    except (RecursionError, ValueError, KeyError):
        raise InputError(
            f"{where}: is not readable YAML (nested too deep, or a number that is none)"
        ) from None


def kind(value: object) -> str:
    """Return what a YAML value is, in words."""
    words = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return words.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


@lru_cache(maxsize=1)
def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """SafeLoader with the scalars of YAML 1.2 and without surprises."""

        # PyYAML's way to configure a loader
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012
        yaml_constructors = {  # noqa: RUF012
            tag: construct
            for tag, construct in yaml.SafeLoader.yaml_constructors.items()
            if tag is None or tag.rpartition(":")[2] in ("map", "seq", "str", "bool", "null")
        }

        def compose_node(self, parent: Any, index: Any) -> Any:
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise yaml.MarkedYAMLError(
                    problem="anchors and aliases (& and *) are not read; use 'extends' or write it out",
                    problem_mark=event.start_mark,
                )
            self.level = getattr(self, "level", 0) + 1
            if self.level > DEEPEST_NESTING:
                raise yaml.MarkedYAMLError(
                    problem=f"nested more than {DEEPEST_NESTING} deep", problem_mark=event.start_mark
                )
            node = super().compose_node(parent, index)
            self.level -= 1
            return node

    def construct_dict(loader: Any, node: Any) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise yaml.MarkedYAMLError(problem="a mapping is needed here", problem_mark=node.start_mark)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            problem = ""
            if not isinstance(key, str):
                problem = f"the key {key!r:.40} is {kind(key)}; a key is a text (put it in quotes)"
            elif key in result:
                problem = f"the key '{key}' stands twice in one mapping"
            if problem:
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            result[key] = loader.construct_object(value_node, deep=True)
        return result

    Loader.add_constructor("tag:yaml.org,2002:map", construct_dict)
    scalars = {
        "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        "int": (r"[-+]?[0-9]+", list("-+0123456789")),
        "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    }
    for name, (pattern, first) in scalars.items():
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$"), first)
    Loader.add_constructor("tag:yaml.org,2002:int", _decimal)
    Loader.add_constructor("tag:yaml.org,2002:float", _float)
    return Loader


def _decimal(loader: Any, node: Any) -> int:
    return int(loader.construct_scalar(node))


def _float(loader: Any, node: Any) -> float:
    return float(loader.construct_scalar(node))
