"""`ganface`, watched: watch.py LOG … + … + runs `ganface …` for each …, until one fails. It
writes to LOG as JSON what Python's audit hooks saw: the paths that were written to, and whether
anything was done that no command should.
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
        paths = [os.path.abspath(os.fsdecode(path)) for path in paths]
        if event == "os.mkdir":  # of a folder that is there it makes nothing
            paths = [path for path in paths if not os.path.isdir(path)]
        seen["written"].update(paths)
    elif event in WATCHED:
        seen[event].add(repr(args))


if __name__ == "__main__":  # workers import this file again
    log = sys.argv.pop(1)
    sys.addaudithook(note)
    try:
        from ganface.cli.main import main

        stdout, stderr, words, code = sys.stdout, sys.stderr, sys.argv[1:], None
        while words and not code:
            command = words[: words.index("+")]
            sys.argv[1:], sys.stdout, sys.stderr = command, stdout, stderr
            try:
                main()
            except SystemExit as end:
                code = end.code
            del words[: len(command) + 1]
        sys.exit(code)
    finally:
        found = {event: sorted(what) for event, what in seen.items()}
        with open(log, "w") as file:
            json.dump({**found, "torch": "torch" in sys.modules}, file)
