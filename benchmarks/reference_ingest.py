"""Read every image of a folder once, one after the other, the way a plain training script does.

Prints how many there are and the seconds that it took, without those of importing torch, as JSON.
"""

import json
import sys
import time

from reference_dcgan import image_folder


def main(folder: str, size: str) -> None:
    began = time.perf_counter()
    images = image_folder(folder, int(size))
    for _image, _class in images:
        pass
    print(json.dumps([len(images), time.perf_counter() - began]))


if __name__ == "__main__":
    main(*sys.argv[1:])
