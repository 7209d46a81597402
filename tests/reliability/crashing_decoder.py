"""`ganface` with a decoder that dies of some images, as a fault in Pillow would do it.

What the workers import is what they find here, since they import the main module as well.
"""

import os
import signal

from ganface.cli.main import main
from ganface.dataset import build

decode = build.decode


def decode_or_die(data, config):
    if data.endswith(b"crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if data.endswith(b"kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.endswith(b"memory"):
        raise MemoryError
    return decode(data, config)


build.decode = decode_or_die

if __name__ == "__main__":
    main()
