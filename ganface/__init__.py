"""ganface: a folder of anime faces goes in, a generator that draws new ones comes out.

For Python: `load_generator`, `z_of`, `generate`, `grid`, `slerp`, `lerp`, `walk`; see
docs/python.md. They are imported when they are first used, so that `import ganface` loads no torch.
"""

from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "load_generator": "ganface.models.snapshot",
    "generate": "ganface.models.generate",
    "z_of": "ganface.latents.seeds",
    "slerp": "ganface.latents.paths",
    "lerp": "ganface.latents.paths",
    "walk": "ganface.latents.paths",
    "grid": "ganface.pictures.grid",
}


def __getattr__(name: str) -> Any:
    """See PEP 562."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ganface' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
