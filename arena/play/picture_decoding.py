"""Decode a picture from anywhere in a process that may use little: run as a program, by its path, by `eyes`.

It reads a PNG, JPEG or WebP from standard input and writes its width and height (two 32-bit numbers, big end first) and
its pixels, red, green, blue, to standard output. What is too large is scaled down; what cannot be read is said in one
line on standard error.
"""

from __future__ import annotations

import io
import resource
import struct
import sys

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 40_000_000
SIDE = 640  # pixels that the longer side keeps
MEMORY, SECONDS = 2 * 2**30, 10


def main() -> int:
    """Decode; 0 if it could be done, 1 if not."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                print(f"it has {opened.width} x {opened.height} pixels, too many to read", file=sys.stderr)
                return 1
            opened.draft("RGB", (2 * SIDE, 2 * SIDE))
            layers = ImageOps.exif_transpose(opened).convert("RGBA")
            layers.thumbnail((SIDE, SIDE))
    except Exception as error:  # Pillow raises many kinds for what is no picture
        print(f"it is damaged, or no PNG, JPEG or WebP ({type(error).__name__})", file=sys.stderr)
        return 1
    picture = Image.new("RGBA", layers.size, "white")
    picture.alpha_composite(layers)
    sys.stdout.buffer.write(struct.pack(">II", *picture.size) + picture.convert("RGB").tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
