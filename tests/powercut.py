"""What disks hold when the power fails while they are written to.

    powercut.py BEFORE LOG count                how many writes LOG has
    powercut.py BEFORE LOG steps                every step of LOG, a line each
    powercut.py BEFORE LOG N OUT                OUT is BEFORE with the first N writes
    powercut.py BEFORE LOG cut SEED OUT [POINT] OUT is BEFORE after a power cut that SEED chooses
    powercut.py BEFORE LOG scatter SEED OUT [POINT]
                                                likewise, with every sector for itself

Three models of a power cut:

    prefix      Writes reach the disk in order. Each write before a point is on it, whole.
    cut         SEED chooses a point. Everything before the last flush before the point is on the
                disk. Each write between that flush and the point is there with probability 1/2,
                in any order; of those that span several sectors, 30 % are torn: only their first
                or only their last sectors are there.
    scatter     As "cut", but each sector since the flush is there with probability 1/2.

LOG is what qemu's blklogwrites records (the format of the kernel's dm-log-writes): a superblock
and, for each write, a header in a sector of its own and the data. tests/recorder.py writes logs of
several volumes in the same format: bits 40 and up of a sector's number are the number of the volume.
A flush is about one volume. BEFORE is then a list of images with commas between them, OUT too.
POINT: how many of the steps (writes and flushes) had been begun, instead of one that SEED chooses.
"""
import random
import struct
import sys
from typing import NamedTuple

MAGIC = 0x6A736677736872
HEADER = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
VOLUME_SHIFT = 40
SECTOR = 512
TORN = 0.3


class Step(NamedTuple):
    volume: int
    at: int             # in bytes
    data: bytes         # empty: a flush alone, or a mark
    flags: int
    mark: str = ""


def steps(log):
    """All that LOG has: writes, flushes and marks, in order. A discard writes zeros."""
    magic, version, entries, sector_size = struct.unpack_from("<QQQI", log)
    if magic != MAGIC or version != 1:
        raise ValueError("this is no log of writes")
    at = sector_size
    for _ in range(entries):
        sector, sectors, flags, length = HEADER.unpack_from(log, at)
        head, at = at + HEADER.size, at + sector_size
        volume, sector = sector >> VOLUME_SHIFT, sector & (1 << VOLUME_SHIFT) - 1
        size = sectors * sector_size
        if flags & MARK:
            yield Step(volume, 0, b"", flags, log[head:head + length].decode())
        elif flags & DISCARD:
            yield Step(volume, sector * sector_size, bytes(size), flags)
        else:
            yield Step(volume, sector * sector_size, log[at:at + size], flags)
            at += size


def writes(log):
    """The writes alone, as blklogwrites counts them: discards are none."""
    return [step for step in steps(log) if step.data and not step.flags & DISCARD]


def write_log(path, all_steps):
    with open(path, "wb") as file:
        file.write(struct.pack("<QQQI", MAGIC, 1, len(all_steps), SECTOR).ljust(SECTOR, b"\0"))
        for volume, at, data, flags, mark in all_steps:
            header = HEADER.pack(volume << VOLUME_SHIFT | at // SECTOR, len(data) // SECTOR, flags, len(mark))
            file.write((header + mark.encode()).ljust(SECTOR, b"\0"))
            file.write(data)


def torn(step, rng):
    """The sectors of a write that are there: its first ones, or its last ones."""
    sectors = len(step.data) // SECTOR
    if sectors < 2 or rng.random() >= TORN:
        return step
    size = rng.randint(1, sectors - 1) * SECTOR
    if rng.random() < 0.5:
        return step._replace(data=step.data[:size])
    return step._replace(at=step.at + size, data=step.data[size:])


def scattered(step, rng):
    for at in range(0, len(step.data), SECTOR):
        if rng.random() < 0.5:
            yield step._replace(at=step.at + at, data=step.data[at:at + SECTOR])


class Cut(NamedTuple):
    point: int          # how many of the steps had been made, or begun
    writes: list        # those that are on the disks, in the order in which to apply them
    open: int           # how many since the last flush might be there or not
    mark: str           # the last mark before the point


def cut(all_steps, seed, scatter=False, point=None):
    """The writes that are on the disks after a power cut."""
    rng = random.Random(seed)
    made = sum(1 for step in all_steps if not step.mark)
    chosen = rng.randint(0, made)
    point = chosen if point is None else point
    safe, unsafe, mark, number = [], {}, "", 0
    for step in all_steps:
        if step.mark:
            mark = step.mark
            continue
        if number == point:
            break
        number += 1
        if step.data:
            unsafe.setdefault(step.volume, []).append(step)
        if step.flags & (FLUSH | FUA):
            safe += unsafe.pop(step.volume, [])
    unsafe = [step for of_volume in unsafe.values() for step in of_volume]
    if scatter:
        kept = [piece for step in unsafe for piece in scattered(step, rng)]
    else:
        kept = [torn(step, rng) for step in unsafe if rng.random() < 0.5]
    rng.shuffle(kept)
    return Cut(point, safe + kept, len(unsafe), mark)


def prefix(all_steps, number):
    """The first NUMBER writes, all of them whole; a Cut as cut() makes one."""
    found, mark = [], ""
    for step in all_steps:
        if step.mark:
            mark = step.mark
        elif step.data and len(found) == number:
            break
        elif step.data:
            found.append(step)
    return Cut(number, found, 0, mark)


def apply(images, some):
    """Writes into bytearrays, one a volume."""
    for step in some:
        images[step.volume][step.at:step.at + len(step.data)] = step.data


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(before, log, what, *more):
    log = read(log)
    if what == "count":
        print(len(writes(log)))
        return
    if what == "steps":
        for number, step in enumerate(steps(log)):
            print(number, step.volume, step.mark or ("write %d %d" % (step.at // SECTOR, len(step.data) // SECTOR)
                                                     if step.data else "flush"))
        return
    if what in ("cut", "scatter"):
        seed, out, *point = more
        some = cut(list(steps(log)), int(seed), what == "scatter", int(point[0]) if point else None).writes
    else:
        some, (out,) = writes(log)[:int(what)], more
    images = [bytearray(read(path)) for path in before.split(",")]
    apply(images, some)
    for path, image in zip(out.split(","), images):
        with open(path, "wb") as file:
            file.write(image)


if __name__ == "__main__":
    main(*sys.argv[1:])
