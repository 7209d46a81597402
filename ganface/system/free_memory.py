"""How much memory there is for this process, by all that may bound it.

Only Linux says so in a way that can be relied on; elsewhere nothing is known.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

# In a memory cgroup of either kind: the files of its limit and of what it uses, and what the names
# in its memory.stat begin with
CGROUPS = {
    "cgroup": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    "cgroup2": ("memory.max", "memory.current", ""),
}
CACHED = ("inactive_file", "active_file")  # the system takes it back when it is needed


def available(root: Path = Path("/")) -> int | None:
    """Bytes that this process may still take; None where nothing is known.

    root: of the file system that holds /proc and /sys.
    """
    bounds: list[int] = []
    for source in (_machine, _cgroups, _limits):
        with suppress(OSError, ValueError, IndexError):  # not there, or not what Linux writes
            bounds += source(root)
    return max(min(bounds), 0) if bounds else None


def in_words(count: int) -> str:
    """3_200_000_000 -> 3.2 GB"""
    return f"{count / 1e9:.1f} GB" if count < 10e9 else f"{count / 1e9:.0f} GB"


def _machine(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            yield int(value.split()[0]) * 1024


def _cgroups(root: Path) -> Iterator[int]:
    """What each memory cgroup leaves that this process is in, be it through one above its own."""
    for kind, folder in _cgroup_folders(root):
        limit, used, prefix = CGROUPS[kind]
        with suppress(OSError, ValueError):  # no such cgroup here, or its limit is "max"
            most, taken = (int((folder / name).read_text("utf-8")) for name in (limit, used))
            stat = dict(line.split() for line in _lines(folder / "memory.stat"))
            yield most - taken + sum(int(stat.get(prefix + name, 0)) for name in CACHED)


def _cgroup_folders(root: Path) -> Iterator[tuple[str, Path]]:
    paths: dict[str, PurePosixPath] = {}
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, own = line.split(":", 2)
        if not controllers or "memory" in controllers.split(","):
            paths["cgroup" if controllers else "cgroup2"] = PurePosixPath(own)
    for line in _lines(root / "proc/self/mountinfo"):
        mount, _, filesystem = line.partition(" - ")
        top, point = mount.split()[3:5]
        kind, *_, options = filesystem.split()
        if kind not in paths or (kind == "cgroup" and "memory" not in options.split(",")):
            continue
        # A container sees its own cgroup as the mount's root, by whatever path it goes outside
        path = paths[kind]
        parts = path.relative_to(top).parts if path.is_relative_to(top) else ()
        for depth in range(len(parts) + 1):
            yield kind, root.joinpath(point[1:], *parts[:depth])


def _limits(root: Path) -> Iterator[int]:
    """What `ulimit -v` and `ulimit -d` leave."""
    if sys.platform != "linux":
        return
    import resource

    pages = [int(number) for line in _lines(root / "proc/self/statm") for number in line.split()]
    for limit, index in ((resource.RLIMIT_AS, 0), (resource.RLIMIT_DATA, 5)):
        most = resource.getrlimit(limit)[0]
        if most != resource.RLIM_INFINITY:
            yield most - pages[index] * resource.getpagesize()


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()
