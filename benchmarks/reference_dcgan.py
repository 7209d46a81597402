"""Train a DCGAN the usual way: what `scripts/bench` measures ganface against.

A plain PyTorch script in the manner of the DCGAN example that tutorials are made of, with its
habits: images are decoded anew in every epoch, everything is float32, D ends in a sigmoid, it
learns from real and generated images in two backward passes, and five numbers are fetched and
printed in every step. Left out is what the example does besides: it draws no pictures on the way
and saves no networks; `--faces` has it draw some at the end, from G as it is then, with BatchNorm's
statistics of the batch. Nothing of ganface is used.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.utils import save_image


def image_folder(folder: str, size: int) -> ImageFolder:
    """The images of `folder`'s subfolders: float32 [3, size, size] in [-1, 1], with a class."""
    return ImageFolder(
        folder,
        transforms.Compose(
            [
                transforms.Resize(size),
                transforms.CenterCrop(size),
                transforms.ToTensor(),
                transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
            ]
        ),
    )


def generator(size: int, z_dim: int, width: int) -> nn.Sequential:
    """G: z [B, z_dim, 1, 1] -> images [B, 3, size, size] in [-1, 1]. `size`: a power of two."""
    channels = width * size // 8
    # [B, z_dim, 1, 1] -> [B, channels, 4, 4]
    layers = [
        nn.ConvTranspose2d(z_dim, channels, 4, 1, 0, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(True),
    ]
    # Twice the side, half the channels: ... -> [B, width, size/2, size/2]
    while channels > width:
        layers += [
            nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(channels // 2),
            nn.ReLU(True),
        ]
        channels //= 2
    # -> [B, 3, size, size]
    layers += [nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator(size: int, width: int) -> nn.Sequential:
    """D: images [B, 3, size, size] in [-1, 1] -> probabilities [B, 1, 1, 1]."""
    # [B, 3, size, size] -> [B, width, size/2, size/2]
    layers = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    channels = width
    # Half the side, twice the channels: ... -> [B, channels, 4, 4]
    while channels < width * size // 8:
        layers += [
            nn.Conv2d(channels, channels * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(channels * 2),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        channels *= 2
    # -> [B, 1, 1, 1]
    layers += [nn.Conv2d(channels, 1, 4, 1, 0, bias=False), nn.Sigmoid()]
    return nn.Sequential(*layers)


def initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def choose_device(name: str) -> torch.device:
    if name == "auto":
        name = "mps" if torch.backends.mps.is_available() else "cpu"
        name = "cuda" if torch.cuda.is_available() else name
    return torch.device(name)


@torch.no_grad()
def draw(
    G: nn.Module, z_dim: int, count: int, batch_size: int, folder: Path, device: torch.device
) -> None:
    """Write `count` faces as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, count, batch_size):
        faces = G(torch.randn(batch_size, z_dim, 1, 1, device=device))[: count - start]
        for index, face in enumerate(faces, start):
            save_image(face * 0.5 + 0.5, folder / f"{index:05d}.png")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train a DCGAN the usual way, and time it.")
    parser.add_argument("data", help="a folder with a subfolder of images")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--z-dim", type=int, default=100)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2, help="processes that load images")
    parser.add_argument("--in-memory", action="store_true", help="decode every image once only")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, help="the same weights, images and z every time")
    parser.add_argument("--faces", help="a folder to draw --count faces into at the end")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--json", help="write seconds and images by the end of each step")
    args = parser.parse_args(arguments)

    if args.seed is not None:
        torch.manual_seed(args.seed)
    began = time.perf_counter()
    torch.backends.cudnn.benchmark = True
    device = choose_device(args.device)
    images = image_folder(args.data, args.size)
    if args.in_memory:
        # No workers: one would copy each batch from its memory to ours
        held = TensorDataset(torch.stack([image for image, _ in images]), torch.zeros(len(images)))
        loader = DataLoader(held, batch_size=args.batch_size, shuffle=True)
    else:
        workers = args.workers
        loader = DataLoader(images, batch_size=args.batch_size, shuffle=True, num_workers=workers)
    G = generator(args.size, args.z_dim, args.width).to(device).apply(initialise)
    D = discriminator(args.size, args.width).to(device).apply(initialise)
    criterion = nn.BCELoss()
    opt_D = optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
    opt_G = optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))

    step, seen = 0, 0
    seconds, counts = [], []
    while step < args.steps:
        for reals, _ in loader:
            # (1) Update D: maximise log D(x) + log(1 - D(G(z)))
            # With real images
            D.zero_grad()
            reals = reals.to(device)
            label = torch.full((len(reals),), 1.0, device=device)
            output = D(reals).view(-1)
            loss_real = criterion(output, label)
            loss_real.backward()
            D_x = output.mean().item()
            # With generated ones
            fakes = G(torch.randn(len(reals), args.z_dim, 1, 1, device=device))
            label.fill_(0.0)
            output = D(fakes.detach()).view(-1)
            loss_fake = criterion(output, label)
            loss_fake.backward()
            D_Gz_before = output.mean().item()
            loss_D = loss_real + loss_fake
            opt_D.step()

            # (2) Update G: maximise log D(G(z))
            G.zero_grad()
            label.fill_(1.0)
            output = D(fakes).view(-1)
            loss_G = criterion(output, label)
            loss_G.backward()
            D_Gz_after = output.mean().item()
            opt_G.step()

            step, seen = step + 1, seen + len(reals)
            print(
                f"[{step}/{args.steps}] loss_D: {loss_D.item():.4f} loss_G: {loss_G.item():.4f} "
                f"D(x): {D_x:.4f} D(G(z)): {D_Gz_before:.4f} / {D_Gz_after:.4f}"
            )
            seconds.append(time.perf_counter() - began)
            counts.append(seen)
            if step == args.steps:
                break
    if args.faces:
        draw(G, args.z_dim, args.count, args.batch_size, Path(args.faces), device)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"seconds": seconds, "images": counts}, file)


if __name__ == "__main__":
    main()
