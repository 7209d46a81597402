"""Draw faces the plain way: batches of 64 through G, a PNG for each face by `save_image`."""

import argparse
import json
from pathlib import Path

import torch
from reference_dcgan import choose_device, generator
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from torchvision.utils import save_image

BATCH = 64


def load(snapshot: str) -> nn.Sequential:
    """G of a snapshot that `ganface train` wrote, in eval mode. Its layers are the same ones."""
    with safe_open(snapshot, "pt") as file:
        described = json.loads(file.metadata()["ganface"])["generator"]
    weights = {name.removeprefix("G.layers."): w for name, w in load_file(snapshot).items()}
    G = generator(described["size"], described["z_dim"], described["width"])
    G.load_state_dict(weights)
    return G.eval()


@torch.no_grad()
def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw faces the plain way.")
    parser.add_argument("snapshot")
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args(arguments)

    device = choose_device(args.device)
    G = load(args.snapshot).to(device)
    z_dim = G[0].in_channels
    args.out.mkdir()
    for start in range(0, args.count, BATCH):
        z = torch.randn(min(BATCH, args.count - start), z_dim, 1, 1, device=device)
        for index, face in enumerate(G(z), start):
            save_image(face, args.out / f"{index:06d}.png", normalize=True, value_range=(-1, 1))


if __name__ == "__main__":
    main()
