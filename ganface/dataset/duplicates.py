"""Which images are nearly equal: drawn alike, and in like colours."""

from __future__ import annotations

from PIL import Image

NEAR_BITS = 3  # near images differ in at most so many bits of their difference hashes
NEAR_LEVELS = 8  # and by so many levels of 0 to 255 in the mean over their thumbnails


def difference_hash(image: Image.Image) -> int:
    """64 bits: is each grey of a 9 × 8 thumbnail brighter than its right neighbour?

    The "dHash" of Neal Krawetz, "Kind of Like That" (2013).
    """
    grey = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = [grey[i] > grey[i + 1] for i in range(len(grey) - 1) if i % 9 < 8]
    return sum(bit << i for i, bit in enumerate(bits))


def thumbnail_of(image: Image.Image) -> bytes:
    """uint8 [4, 4, 3], the means of areas of an RGB image."""
    return image.resize((4, 4), Image.Resampling.BOX).tobytes()


class NearDuplicates:
    """Finds an earlier image within NEAR_BITS bits of the hash and NEAR_LEVELS of the thumbnail.

    The hash knows no colours: two characters drawn in one pose differ in the thumbnail alone.

    Of NEAR_BITS + 1 bands of bits, at least one is equal in two such hashes (pigeonhole), so only
    the hashes that share a band need a comparison. A band takes every fourth bit, from all over the
    image: bits that lie side by side would be equal in all images with a plain background there.
    """

    def __init__(self) -> None:
        count = NEAR_BITS + 1
        self._masks = [sum(1 << bit for bit in range(i, 64, count)) for i in range(count)]
        self._bands: list[dict[int, list[tuple[int, bytes, str]]]] = [{} for _ in self._masks]

    def find_or_add(self, value: int, thumbnail: bytes, name: str) -> str | None:
        """The name of an earlier image that is near; if there is none, remember this one.

        value, thumbnail: its `difference_hash` and `thumbnail_of`.
        """
        keys = [value & mask for mask in self._masks]
        for band, key in zip(self._bands, keys, strict=True):
            for other, other_thumbnail, other_name in band.get(key, ()):
                if (value ^ other).bit_count() <= NEAR_BITS:
                    levels = zip(thumbnail, other_thumbnail, strict=True)
                    if sum(abs(a - b) for a, b in levels) <= NEAR_LEVELS * len(thumbnail):
                        return other_name
        for band, key in zip(self._bands, keys, strict=True):
            band.setdefault(key, []).append((value, thumbnail, name))
        return None
