"""Is a file what an interrupted restore on NTFS may leave at a place?

    torn.py FILE OLD NEW      OLD or NEW may be "-": there is none

Exit status 0 if it is no larger than both, each sector of it is that of one of the two or zeros, and
its first one is zeros, so that nobody takes it for a hive.
"""
import sys

SECTOR = 512


def content(path):
    if path == "-":
        return b""
    with open(path, "rb") as file:
        return file.read()


def main(file, *others):
    torn = content(file)
    others = [content(path) for path in others]
    size = max(map(len, others))
    if len(torn) > size or any(torn[:SECTOR]):
        return 1
    others = [other.ljust(size, b"\0") for other in others]
    for at in range(0, len(torn), SECTOR):
        piece = torn[at:at + SECTOR]
        if any(piece) and piece not in [other[at:at + len(piece)] for other in others]:
            return 1
    return 0


sys.exit(main(*sys.argv[1:]))
