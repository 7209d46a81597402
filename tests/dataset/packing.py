"""What the tests of datasets share."""

import zipfile

from conftest import tree

from ganface.config.dataset import BuildConfig
from ganface.dataset.build import build_pack

CONFIG = BuildConfig(size=16, max_bad=60)


def build(source, out, config=CONFIG, workers=1):
    return build_pack(source, out, config, workers=workers)


def zip_of(folder, path, **extra):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**tree(folder), **extra}.items():
            archive.writestr(name, data)
    return path
