"""Labels -> the numbers that follow z, for a G that draws faces to order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from ganface.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

ALL = "*"  # in place of a value: each of them
RANGE = ".."  # between the two numbers of a value that stands for all those between

Attributes = Mapping[str, Sequence[str]]  # the values that images may be labelled with, of each


class Order(NamedTuple):
    """What faces are to show."""

    name: str  # as "hair=aqua,eyes=red"
    labels: tuple[int, ...]  # for each attribute the number of its value from 1, or 0 for any


def parse_orders(text: str, attributes: Attributes | None) -> list[Order]:
    """Read "hair=aqua,eyes=red". "hair=*" is one for each of its values.

    A number is the value in whose range it lies. Raises UserError for what G has not learned.
    """
    if not attributes:
        raise UserError(
            f"--label {text}: this model knows no labels; it takes one of train --labels"
        )
    wanted: dict[str, list[str]] = {}
    for part in text.split(","):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals or not value:
            raise UserError(f"--label {text}: write what faces are to show, such as hair=aqua")
        if name not in attributes:
            close, there = did_you_mean(name, attributes), ", ".join(attributes)
            raise UserError(f"--label {name}={value}: no such label; there are {there}{close}")
        if name in wanted:
            raise UserError(f"--label {text}: {name} is there twice")
        wanted[name] = [*attributes[name]] if value == ALL else [_find(name, value, attributes)]
    orders = []
    for values in product(*wanted.values()):
        chosen = dict(zip(wanted, values, strict=True))
        labels = [
            [*attributes[name]].index(chosen[name]) + 1 if name in chosen else 0
            for name in attributes
        ]
        name = ",".join(f"{key}={value}" for key, value in chosen.items())
        orders.append(Order(name, tuple(labels)))
    return orders


def parse_order(text: str, attributes: Attributes | None) -> Order:
    """Read "hair=aqua,eyes=red", which must be one. Raises UserError as `parse_orders` does."""
    order, *more = parse_orders(text, attributes)
    if more:
        raise UserError(f"--label {text}: {ALL} is for sample; here, write which")
    return order


def _find(name: str, value: str, attributes: Attributes) -> str:
    if value in attributes[name]:
        return value
    for each in attributes[name]:
        low, _, high = each.partition(RANGE)
        try:
            if float(low) <= float(value) <= float(high):
                return each
        except ValueError:
            continue
    close, there = did_you_mean(value, attributes[name]), ", ".join(attributes[name])
    raise UserError(f"--label {name}={value}: no such value; there are {there}{close}")


def same_labels(a: Attributes | None, b: Attributes | None) -> bool:
    """Whether these are the same, and there are any. JSON keeps tuples as lists."""
    both = [{name: tuple(values) for name, values in (each or {}).items()} for each in (a, b)]
    return bool(both[0]) and both[0] == both[1]


def multi_hot(labels: Tensor, attributes: Attributes) -> Tensor:
    """For each value of each attribute 1 where it is the label, 0 elsewhere: float32 [N, values].

    labels: uint8 [N, A], for each attribute the number of the value from 1; or 0 where it is not
    known, for which there are zeros alone.
    """
    import torch

    columns = [
        column[:, None] == torch.arange(1, len(values) + 1, device=labels.device)
        for column, values in zip(labels.unbind(1), attributes.values(), strict=True)
    ]
    return torch.cat(columns, 1).float()


def with_labels(z: Tensor, labels: Tensor) -> Tensor:
    """z [..., z_dim] followed by labels [..., values], which are the same for all where they have
    fewer dimensions."""
    import torch

    return torch.cat([z, labels.to(z.dtype).expand(*z.shape[:-1], -1)], -1)


def obey(latents: Tensor, order: Order, attributes: Attributes) -> Tensor:
    """The latents [..., z_dim + values], with the values that are ordered in place of theirs."""
    import torch

    wanted = multi_hot(torch.tensor([order.labels], dtype=torch.uint8), attributes)[0]
    ordered = torch.tensor([bool(n) for n in order.labels])
    sizes = torch.tensor([len(values) for values in attributes.values()])
    labels = latents[..., -len(wanted) :]
    changed = wanted.to(latents).where(ordered.repeat_interleave(sizes).to(labels.device), labels)
    return torch.cat([latents[..., : -len(wanted)], changed], -1)
