"""Content files: YAML that remembers its lines, so that every fault can say where it stands."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rfc8785
import yaml
from marshmallow import Schema, ValidationError

Key = str | int
Keys = tuple[Key, ...]


@dataclass(frozen=True, order=True)
class Fault:
    """Something wrong in a content file. Prints as ``path:line: message``."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass
class Document:
    """A content file as plain data, the line of each value, and the faults found so far."""

    path: str
    """As faults show it: relative to the content's root."""
    data: Any = None
    lines: dict[Keys, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, message: str, *keys: Key) -> None:
        """Note a fault at the value under these keys, or at the nearest value around it."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        self.faults.append(Fault(self.path, self.lines.get(keys, 1), message))

    def load(self, schema: Schema) -> dict[str, Any] | None:
        """The data as the schema reads it, or None with every fault noted."""
        if self.faults:
            return None
        try:
            loaded: dict[str, Any] = schema.load(self.data)
        except ValidationError as error:
            self._note(error.messages, ())
            return None
        return loaded

    def _note(self, messages: Any, keys: Keys) -> None:
        if isinstance(messages, Mapping):
            for key, inner in messages.items():
                # Marshmallow puts "key" and "value" between a map's key and its messages.
                known = (*keys, key) in self.lines or key not in ("key", "value", "_schema")
                self._note(inner, (*keys, key) if known else keys)
            return
        for message in messages if isinstance(messages, list) else [messages]:
            place = ".".join(str(key) for key in keys)
            self.fault(f"{place}: {message}" if place else str(message), *keys)

    def canonical(self) -> bytes:
        """The data as canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.data)


def read_document(path: Path, root: Path) -> Document:
    """Read a YAML file. What cannot be read is a fault of the document, never an exception."""
    return parse_document(read_bytes(path), path.relative_to(root).as_posix())


def read_bytes(path: Path) -> bytes | OSError:
    """What a file holds, or why it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        return error


def parse_document(body: bytes | OSError, path: str) -> Document:
    """A YAML file's bytes as a document. ``path`` is how faults show it."""
    document = Document(path)
    try:
        if isinstance(body, OSError):
            raise body
        node = yaml.compose(body.decode("utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        document.fault(f"cannot be read: {error}")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        document.faults.append(Fault(document.path, line, f"not YAML: {error.problem}"))
    except yaml.YAMLError as error:
        document.fault(f"not YAML: {error}")
    else:
        document.data = _plain(node, (), document, set()) if node else {}
    return document


def sha256(body: bytes) -> str:
    """The hash of a body, in hex."""
    return hashlib.sha256(body).hexdigest()


def _plain(node: yaml.Node, keys: Keys, document: Document, seen: set[int]) -> Any:
    document.lines[keys] = node.start_mark.line + 1
    if id(node) in seen:
        document.fault("anchors and aliases are not used here: write it out", *keys)
        return None
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, keys, document, seen)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, (*keys, place), document, seen) for place, one in enumerate(node.value)]
    return _scalar(node)


def _mapping(
    node: yaml.MappingNode, keys: Keys, document: Document, seen: set[int]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line = key_node.start_mark.line + 1
        if key in found:
            document.faults.append(Fault(document.path, line, f"“{key}” stands here twice"))
        found[key] = _plain(value_node, (*keys, key), document, seen)
        document.lines[(*keys, key)] = line
    return found


def _scalar(node: yaml.Node) -> str | int | bool | None:
    # Dates stay text and only true and false are truth values, whatever YAML 1.1 makes of "no".
    value: str = node.value
    if isinstance(node, yaml.ScalarNode) and not node.style:
        if value in ("true", "false"):
            return value == "true"
        if value in ("", "~", "null"):
            return None
        if re.fullmatch(r"-?(0|[1-9]\d{0,14})", value):
            return int(value)
    return value
