"""Files that others wrote: only regular ones are opened, and what they announce is compared with the memory first."""

import os
import resource
import stat
from io import BufferedReader
from os import PathLike
from pathlib import Path

# (limit, statistics, the name there of what cannot be given back), of control groups version 2 and 1
_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.stat", "anon"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.stat", "total_rss"),
)


def open_regular(path: str | PathLike) -> BufferedReader:
    """A regular file, or a link to one, open for reading bytes.

    Raises ValueError for a folder, a pipe, a socket or a device, at which a plain `open` could wait for ever; and
    OSError for a file that is absent or may not be read.
    """
    # without O_NONBLOCK the opening of a pipe waits for a writer
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        require_regular(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def require_regular(mode: int, path: str | PathLike) -> None:
    """Raises ValueError unless a file's `st_mode` is that of a regular file."""
    if stat.S_ISREG(mode):
        return
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    raise ValueError(f"{os.fspath(path)} must be a regular file, got {kinds.get(stat.S_IFMT(mode), 'a device')}")


def require_memory(needed: int, what: str) -> None:
    """Raises ValueError where `what` needs more bytes than `available_memory` tells; the message has both sizes."""
    available = available_memory()
    if available is not None and needed > available:
        raise ValueError(
            f"{what} needs {_size(needed)}, and this machine has {_size(available)} of memory free; "
            "use less data or more memory"
        )


def available_memory() -> int | None:
    """Bytes that this process can still take: the least of free memory, its control group's and its own limit.

    None where the system tells none of them.
    """
    known = [bytes_left for bytes_left in (_free_memory(), _group_memory(), _address_space()) if bytes_left is not None]
    return min(known, default=None)


def _free_memory() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _group_memory() -> int | None:
    for limit, statistics, held in _GROUPS:
        try:
            used = dict(line.split() for line in Path(statistics).read_text().splitlines())
            return max(0, int(Path(limit).read_text()) - int(used[held]))
        except (OSError, ValueError, KeyError):  # "max" stands for no limit
            continue
    return None


def _address_space() -> int | None:
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return limit
    return max(0, limit - pages * resource.getpagesize())


def _size(count: int) -> str:
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= scale:
            return f"{count / scale:,.1f} {unit}"
    return f"{count:,} bytes"
