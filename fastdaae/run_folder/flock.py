"""Advisory locks on open files, which the system releases when their process dies."""

import errno

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def try_flock(descriptor: int) -> bool:
    """Whether this descriptor now holds the file's lock; raises OSError where there are no locks."""
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "this system has no flock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
