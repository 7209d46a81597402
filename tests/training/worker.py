"""`ganface` as one of two processes. worker.py STOP OUT …: at step STOP the second one alone gets a
signal; each one says what it ended with.
"""

import signal
import sys

from safetensors.torch import save_file

from ganface.cli.main import main
from ganface.training import loop
from ganface.training.checkpoint import tensors_of
from ganface.training.display import Display

train, step = loop.train, Display.step


def train_and_tell(run, pack, config, method, state, display, processes):
    def step_or_stop(display, number):
        step(display, number)
        if number == stop and not processes.is_main:
            signal.raise_signal(signal.SIGTERM)

    Display.step = step_or_stop
    try:
        train(run, pack, config, method, state, display, processes)
    finally:
        tensors = {name: tensor.contiguous().clone() for name, tensor in tensors_of(state).items()}
        save_file(tensors, f"{out}/rank-{processes.rank}.safetensors")


def prepare(stop_at, folder):
    global stop, out
    stop, out = int(stop_at), folder
    loop.train = train_and_tell


if __name__ == "__main__":  # processes that read images import this file again
    prepare(sys.argv.pop(1), sys.argv.pop(1))
    main()
