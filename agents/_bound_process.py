"""Run as a script, `PARENT MEMORY PROGRAM WORD...`: become PROGRAM, bound to the life of the process PARENT.

Linux kills the program when its parent dies, however that died. It is a script of its own, since Python between fork
and exec may deadlock in a parent with threads. MEMORY is the most address space it may have, in bytes; 0 sets no limit.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def bind(parent: int) -> None:
    """Have this process killed when its parent dies; at once, if that is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    bind(int(sys.argv[1]))
    memory = int(sys.argv[2])
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        os.execv(sys.argv[3], sys.argv[3:])
    except OSError as error:
        sys.exit(f"{sys.argv[3]} cannot be run: {error.strerror}")
