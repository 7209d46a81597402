"""Numbers -> places on a chart, and the round numbers at its axes."""

from __future__ import annotations

import math
from collections.abc import Callable

FEW, MANY = 3, 7  # numbers at a logarithmic axis: at least, where there are such; at most


def scale(from_: tuple[float, float], to: tuple[float, float]) -> Callable[[float], float]:
    (low, high), (start, end) = from_, to
    factor = (end - start) / (high - low) if high > low else 0
    return lambda value: start + (value - low) * factor


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, 1, 2 or 5 times a power of ten apart; about `most`."""
    if not low < high:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(s * power for s in (1, 2, 5, 10) if s * power * most >= (high - low) * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def powers(low: float, high: float) -> list[float]:
    """The logarithms from low to high of round numbers: of powers of ten, and of 3 times, or 2 and
    5 times these where that is not too many; where all of them are too few, of any others."""
    exponents = range(math.floor(low), math.ceil(high) + 1)
    found: list[float] = []
    for factors in ((1,), (1, 3), (1, 2, 5)):
        finer = [exponent + math.log10(factor) for exponent in exponents for factor in factors]
        finer = [each for each in finer if low <= each <= high]
        if len(finer) > MANY and found:
            break
        found = finer
    if len(found) >= FEW or not low < high:
        return found
    return [math.log10(tick) for tick in ticks(10**low, 10**high, 4) if tick > 0]


def label(value: float) -> str:
    """A number as it stands at an axis: 12,000, 0.25 or 1e-05."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def percent(share: float) -> str:
    return f"{100 * share:.4g} %"
