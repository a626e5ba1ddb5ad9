"""What a disk holds when the power fails.

    powercut.py BEFORE LOG count       how many writes LOG has
    powercut.py BEFORE LOG N OUT       OUT is BEFORE with the first N of them

LOG is what qemu's blklogwrites records (the format of the kernel's dm-log-writes): a
superblock and, for each write, a header in a sector of its own and the data.
"""
import struct
import sys

MAGIC = 0x6A736677736872
DISCARD = 4


def writes(log):
    magic, version, entries, sector_size = struct.unpack_from("<QQQI", log)
    assert magic == MAGIC and version == 1
    at = sector_size
    for _ in range(entries):
        sector, sectors, flags, _ = struct.unpack_from("<QQQQ", log, at)
        at += sector_size
        if flags & DISCARD or not sectors:
            continue
        size = sectors * sector_size
        yield sector * sector_size, log[at:at + size]
        at += size


def main(before, log, what, out=None):
    with open(log, "rb") as file:
        recorded = list(writes(file.read()))
    if what == "count":
        print(len(recorded))
        return
    with open(before, "rb") as file:
        disk = bytearray(file.read())
    for at, data in recorded[:int(what)]:
        disk[at:at + len(data)] = data
    with open(out, "wb") as file:
        file.write(disk)


main(*sys.argv[1:])
