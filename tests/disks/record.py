"""Reads the shim's record and builds the files that a cut at a given moment could have left.

Operations that a sync covered are stored; a sync of a directory covers its names. Each later operation is stored, lost or
half done, independently of the others. POSIX allows this, and disks with caches do it; ext4 keeps the order of names.
`kept` names the model:

- scattered: each operation is independent; a write is stored whole, as its first sectors, or as some of its sectors; a file
  may have the size that a lost write gave it, filled with zeros
- ordered: names and sizes as they were at some moment after the sync, as in a file system with a journal; data scattered
- stopped: everything as it was at some moment after the sync, except the last write, which may be torn

A failed sync covers nothing, and no later sync covers its pages: the kernel marks them as clean.
"""

import os
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

RECORD = struct.Struct("<IIQq")
OPEN, WRITE, TRUNCATE, ALLOCATE, SYNC_BEGIN, SYNC_END, SYNC_FAILED, RENAME, UNLINK, MKDIR, LINK = range(1, 12)
SECTOR = 512
MODELS = ["scattered", "ordered", "stopped"]


@dataclass
class Operation:
    """An operation that no sync has covered yet."""

    at: int
    op: int
    offset: int = 0
    data: bytes = b""
    name: str = ""
    node: "Node | None" = None
    is_lost: bool = False


@dataclass
class Node:
    """A file with its bytes, or a directory with its names: the durable state, and the state that the process sees."""

    is_directory: bool = False
    sure: bytearray = field(default_factory=bytearray)
    names: dict[str, "Node"] = field(default_factory=dict)
    now: dict[str, "Node"] = field(default_factory=dict)
    pending: list[Operation] = field(default_factory=list)

    def cover(self, before: int) -> None:
        for operation in self.pending:
            if operation.at < before and not operation.is_lost:
                write(self.sure, operation) if not self.is_directory else rename(self.names, operation)
        self.pending = [op for op in self.pending if op.at >= before or op.is_lost]


def write(data: bytearray, operation: Operation) -> None:
    offset, new = operation.offset, operation.data
    if operation.op == TRUNCATE and offset < len(data):
        del data[offset:]
    end = offset + len(new) if operation.op == WRITE else offset
    if len(data) < end:
        data.extend(bytes(end - len(data)))
    if operation.op == WRITE:
        data[offset : offset + len(new)] = new


def rename(names: dict, operation: Operation) -> None:
    if operation.node is None:
        names.pop(operation.name, None)
    else:
        names[operation.name] = operation.node


class Replay:
    """The log, read operation by operation. `position` is the length of the part that was read."""

    def __init__(self, log: Path, root: Path):
        self.log, self.root_path = log.read_bytes(), str(root)
        self.root = Node(is_directory=True)
        self.handles: dict[int, Node] = {}
        self.syncs: dict[tuple[int, int], int] = {}
        self.position = 0

    def adopt(self, files: dict[str, bytes | None]) -> None:
        """Adds files that are on the disk before the log begins."""
        for name, content in sorted(files.items()):
            parent, last = self._parent(f"/{name}")
            node = Node(is_directory=content is None, sure=bytearray(content or b""))
            parent.now[last] = parent.names[last] = node

    def positions(self) -> list[int]:
        """The end of each operation."""
        found, at = [], 0
        while at < len(self.log):
            at += RECORD.size + RECORD.unpack_from(self.log, at)[1]
            found.append(at)
        return found

    def advance(self, to: int) -> None:
        while self.position < to:
            op, length, handle, offset = RECORD.unpack_from(self.log, self.position)
            start = self.position + RECORD.size
            self._take(op, self.position, handle, offset, self.log[start : start + length])
            self.position = start + length

    def _parent(self, path: str) -> tuple[Node, str]:
        parts = path.removeprefix(self.root_path).strip("/").split("/")
        node = self.root
        for part in parts[:-1]:
            node = node.now[part]
        return node, parts[-1]

    def _node(self, path: str) -> Node:
        parent, name = self._parent(path)
        return parent.now[name] if name else self.root

    def _name(self, at: int, path: str, node: Node | None, op: int) -> None:
        parent, name = self._parent(path)
        operation = Operation(at, op, name=name, node=node)
        rename(parent.now, operation)
        parent.pending.append(operation)

    def _take(self, op: int, at: int, handle: int, offset: int, data: bytes) -> None:
        if op == OPEN:
            path = data[:-1].decode()
            parent, name = self._parent(path)
            if name and name not in parent.now:
                self._name(at, path, Node(), op)
            node = self._node(path)
            if offset & os.O_TRUNC and not node.is_directory:
                node.pending.append(Operation(at, TRUNCATE))
            self.handles[handle] = node
        elif op in (WRITE, TRUNCATE, ALLOCATE):
            self.handles[handle].pending.append(Operation(at, op, offset, data))
        elif op == SYNC_BEGIN:
            self.syncs[handle, offset] = at
        elif op == SYNC_END:
            self.handles[handle].cover(self.syncs.pop((handle, offset)))
        elif op == SYNC_FAILED:
            for operation in self.handles[handle].pending:
                operation.is_lost = True
        elif op == MKDIR:
            self._name(at, data[:-1].decode(), Node(is_directory=True), op)
        elif op == UNLINK:
            self._name(at, data[:-1].decode(), None, op)
        elif op in (RENAME, LINK):
            source, target = data[:-1].decode().split("\0")
            node = self._node(source)
            self._name(at, target, node, op)
            if op == RENAME:
                self._name(at, source, None, op)

    def whole(self) -> dict[str, bytes]:
        """The files as the process saw them."""
        return self._files(lambda node, operation: [operation], lambda node: node.now)

    def cut(self, dice: random.Random, model: str, share: float | None = None) -> dict[str, bytes | None]:
        """The files after a cut here; None for a directory. `share` is the part of the unsynced operations that is stored."""
        share = dice.choice([0.0, 0.1, 0.5, 0.9, 1.0]) if share is None else share
        moment = dice.randint(min([self.position, *_moments(self.root)]), self.position)

        def names(node: Node) -> dict[str, Node]:
            found = dict(node.names)
            for operation in node.pending:
                if (dice.random() < share) if model == "scattered" else (operation.at < moment):
                    rename(found, operation)
            return found

        def data(node: Node, operation: Operation) -> list[Operation]:
            if model == "stopped":
                is_last = all(other.at >= moment or other.at <= operation.at for other in node.pending)
                torn = is_last and operation.op == WRITE and dice.random() < 0.5
                return ([tear(dice, operation)] if torn else [operation]) if operation.at < moment else []
            size = Operation(operation.at, ALLOCATE, operation.offset + len(operation.data))
            if operation.op != WRITE:
                return [operation] if (operation.at < moment if model == "ordered" else dice.random() < share) else []
            grown = operation.at < moment and dice.random() < 0.5 if model == "ordered" else dice.random() < 0.2
            if dice.random() >= share:
                return [size] if grown else []
            if dice.random() < 0.3:
                return [*([size] if grown else []), *scatter(dice, operation)]
            return [operation]

        return self._files(data, names)

    def _files(self, data, names) -> dict[str, bytes | None]:
        found: dict[str, bytes | None] = {}

        def walk(node: Node, path: str) -> None:
            for name, child in sorted(names(node).items()):
                where = f"{path}{name}"
                if child.is_directory:
                    found[where] = None
                    walk(child, where + "/")
                else:
                    content = bytearray(child.sure)
                    for operation in child.pending:
                        for part in data(child, operation):
                            write(content, part)
                    found[where] = bytes(content)

        walk(self.root, "")
        return found


def _moments(node: Node) -> list[int]:
    return [operation.at for operation in node.pending] + [
        at for child in {id(child): child for child in node.now.values()}.values() for at in _moments(child)
    ]


def tear(dice: random.Random, operation: Operation) -> Operation:
    """The first sectors of a write."""
    edge = (SECTOR - operation.offset) % SECTOR
    cuts = list(range(edge, len(operation.data), SECTOR)) or [0]
    return Operation(operation.at, WRITE, operation.offset, operation.data[: dice.choice(cuts)])


def scatter(dice: random.Random, operation: Operation) -> list[Operation]:
    """The first sectors of a write, or some of them."""
    if dice.random() < 0.5:
        return [tear(dice, operation)]
    parts, at, end = [], operation.offset, operation.offset + len(operation.data)
    while at < end:
        edge = min(end, at - at % SECTOR + SECTOR)
        if dice.random() < 0.5:
            parts.append(Operation(operation.at, WRITE, at, operation.data[at - operation.offset : edge - operation.offset]))
        at = edge
    return parts


def lay(files: dict[str, bytes | None], at: Path) -> None:
    at.mkdir(parents=True, exist_ok=True)
    for name, content in sorted(files.items()):
        if content is None:
            (at / name).mkdir(mode=0o700, exist_ok=True)
        else:
            (at / name).write_bytes(content)
