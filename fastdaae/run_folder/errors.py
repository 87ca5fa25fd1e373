"""What can be wrong with a run's folder."""

import errno
import os
from pathlib import Path

from fastdaae.schema import printable

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DamagedFile(ValueError):
    """A file of a run that is truncated or altered; the message names it and says what to do, in one line of text."""

    def __init__(self, message: str):
        super().__init__(printable(message))


class RunFolderBusy(ValueError):
    """Another training works in the folder; the message says whose it is, and since when."""


class NotWritten(OSError):
    """A file that could not be written, while what stood in its place is untouched; `errno` is the system's."""

    def __init__(self, path: Path, cause: OSError):
        reason = os.strerror(cause.errno) if cause.errno else str(cause)
        full = cause.errno in _FULL
        advice = "free some space and run it again" if full else "look at the folder, or choose another one"
        super().__init__(f"{path} could not be written ({reason}); what was there before is untouched; {advice}")
        self.errno = cause.errno
