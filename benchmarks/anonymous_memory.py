"""How much memory of its own, not of the mapped file, a training needs to draw its batches.

write PACK COUNT    make a pack of random 8 × 8 images
draw PACK BATCHES   draw shuffled batches of 64 as training does; print the most kB of RssAnon
"""

import random
import sys
from pathlib import Path

BATCH = 64
SIZE = 8  # RssAnon counts no page of the map, so small images will do


def write(path: Path, count: int) -> None:
    from ganface.config.dataset import BuildConfig
    from ganface.dataset.pack import write_pack

    dice = random.Random(0)
    with write_pack(path, BuildConfig(size=SIZE)) as pack:
        for _ in range(count):
            pack.add(dice.randbytes(3 * SIZE**2))


def draw(path: Path, batches: int) -> int:
    from ganface.dataset.order import DataOrder
    from ganface.dataset.pack import Pack

    pack = Pack(path)
    order = DataOrder(0, len(pack), BATCH)
    most = 0
    for step in range(1, batches + 1):
        pack.batch(order.indices_at(step).tolist())
        if step % 100 == 0 or step == batches:
            most = max(most, anonymous())
    return most


def anonymous() -> int:
    """This process's RssAnon in kB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0])


if __name__ == "__main__":
    what, path, count = sys.argv[1:]
    if what == "write":
        write(Path(path), int(count))
    else:
        print(draw(Path(path), int(count)))
