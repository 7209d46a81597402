"""`ganface`, watched: watch.py LOG … runs `ganface …`, and writes to LOG as JSON what Python's
audit hooks saw it do: the paths that it wrote to, and whether it did what no command should.
"""

import json
import os
import sys

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PATHS = ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate")
WATCHED = ("socket.connect", "socket.bind", "socket.getaddrinfo", "pickle.find_class")
seen = {name: set() for name in ("written", *WATCHED)}


def note(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES:
        if isinstance(args[0], (str, bytes)):
            seen["written"].add(os.path.abspath(os.fsdecode(args[0])))
    elif event in PATHS:
        paths = [path for path in args if isinstance(path, (str, bytes, os.PathLike))]
        seen["written"].update(os.path.abspath(os.fsdecode(path)) for path in paths)
    elif event in WATCHED:
        seen[event].add(repr(args))


if __name__ == "__main__":  # workers import this file again
    log = sys.argv.pop(1)
    sys.addaudithook(note)
    try:
        from ganface.cli.main import main

        main()
    finally:
        found = {event: sorted(what) for event, what in seen.items()}
        with open(log, "w") as file:
            json.dump({**found, "torch": "torch" in sys.modules}, file)
