"""Reads an NTFS volume in an image, without a driver and without the program.

    ntfs.py list IMAGE [PATH]              every file below PATH: SHA-256, size, path
    ntfs.py extract IMAGE PATH [OUT]       the bytes of a file
    ntfs.py extents IMAGE PATH             where its data lies: offset and size in bytes, a line each
    ntfs.py check IMAGE                    what of the tree cannot be read
    ntfs.py diff A B [--tight] [PATH | OFFSET+SIZE]...
                                           every sector in which the images differ and that is neither
                                           in the clusters of a file PATH (of A or of B) nor in a range;
                                           --tight: nor in a file's sectors up to its size

Exit status: 0, 1 something differs or cannot be read, 2 wrong use.

Names are found through the directories' indexes, as a driver finds them. A record or an index block
that a torn write left is an NtfsError.
"""
import hashlib
import struct
import sys
from typing import NamedTuple

SECTOR = 512
ATTRIBUTE_LIST, DATA, INDEX_ROOT, INDEX_ALLOCATION = 0x20, 0x80, 0x90, 0xA0
END = 0xFFFFFFFF
IN_USE, DIRECTORY = 1, 2
ROOT, FIRST_FILE = 5, 16
DOS_NAME = 2
COMPRESSED, ENCRYPTED, SPARSE = 0x0001, 0x4000, 0x8000


class NtfsError(Exception):
    pass


class Attribute(NamedTuple):
    type: int
    name: str
    flags: int
    content: bytes      # of a resident one; None otherwise
    first: int          # the first cluster of the attribute that the runs are about
    runs: list          # (cluster of the volume or None, number of clusters)
    size: int
    initialized: int


def u(data, at, size):
    if at < 0 or at + size > len(data):
        raise NtfsError("a field lies outside of its record")
    return int.from_bytes(data[at:at + size], "little")


def text(data, at, units):
    if at + 2 * units > len(data):
        raise NtfsError("a name lies outside of its record")
    return bytes(data[at:at + 2 * units]).decode("utf-16-le", "surrogatepass")


def fixed(block, magic, what):
    """A record with the last two bytes of each sector put back."""
    if block[:4] != magic:
        raise NtfsError("%s: no %s" % (what, magic.decode()))
    block = bytearray(block)
    at, count = u(block, 4, 2), u(block, 6, 2)
    if count != len(block) // SECTOR + 1 or at + 2 * count > len(block):
        raise NtfsError("%s: its update sequence is no such" % what)
    for i in range(1, count):
        end = i * SECTOR
        if block[end - 2:end] != block[at:at + 2]:
            raise NtfsError("%s: torn" % what)
        block[end - 2:end] = block[at + 2 * i:at + 2 * i + 2]
    return bytes(block)


def read_runs(data, at, end):
    runs, cluster = [], 0
    while at < end and data[at]:
        low, high = data[at] & 15, data[at] >> 4
        length = u(data, at + 1, low)
        if high:
            delta = u(data, at + 1 + low, high)
            cluster += delta - (1 << 8 * high if delta >> 8 * high - 1 else 0)
        runs.append((cluster if high else None, length))
        at += 1 + low + high
    return runs


class Volume:
    def __init__(self, image):
        self.image = image
        if image[3:11] != b"NTFS    ":
            raise NtfsError("no NTFS")
        self.sector = u(image, 11, 2)
        per_cluster = image[13]
        self.cluster = self.sector * (per_cluster if per_cluster <= 0x80 else 1 << 256 - per_cluster)
        self.record_size = self.block_size(image[0x40])
        self.index_size = self.block_size(image[0x44])
        self.serial = u(image, 0x48, 8)
        self.mft = None
        start = u(image, 0x30, 8) * self.cluster
        first = fixed(image[start:start + self.record_size], b"FILE", "record 0")
        own = [a for a in self.attributes_in(first) if a.type == DATA and not a.name]
        if not own:
            raise NtfsError("record 0: the table of files has no data")
        self.mft = own[0].runs                  # enough for the records of its attribute list
        self.mft = self.pieces(self.attributes(0), DATA, "", "the table of files")[0].runs

    def block_size(self, code):
        return code * self.cluster if code < 0x80 else 1 << 256 - code

    # --- records ---

    def range(self, runs, at, size):
        """SIZE bytes at AT of what RUNS describe."""
        found, start = [], 0
        for cluster, length in runs:
            length *= self.cluster
            low, high = max(at, start), min(at + size, start + length)
            if low < high:
                if cluster is None:
                    found.append(bytes(high - low))
                else:
                    where = cluster * self.cluster + low - start
                    found.append(self.image[where:where + high - low])
            start += length
        data = b"".join(found)
        if len(data) != size:
            raise NtfsError("%d bytes at %d: only %d are there" % (size, at, len(data)))
        return data

    def record(self, number):
        block = self.range(self.mft, number * self.record_size, self.record_size)
        return fixed(block, b"FILE", "record %d" % number)

    def attributes_in(self, record):
        at = u(record, 0x14, 2)
        while u(record, at, 4) != END:
            kind, length = u(record, at, 4), u(record, at + 4, 4)
            if length < 0x18 or length % 8 or at + length > len(record):
                raise NtfsError("an attribute is %d bytes long" % length)
            one = record[at:at + length]
            name, flags = text(one, u(one, 10, 2), one[9]), u(one, 12, 2)
            if one[8]:
                first = u(one, 0x10, 8)
                size, initialized = (0, 0) if first else (u(one, 0x30, 8), u(one, 0x38, 8))
                yield Attribute(kind, name, flags, None, first, read_runs(one, u(one, 0x20, 2), length),
                                size, initialized)
            else:
                size, start = u(one, 0x10, 4), u(one, 0x14, 2)
                yield Attribute(kind, name, flags, one[start:start + size], 0, [], size, size)
            at += length

    def attributes(self, number):
        """Those of a file, in all of its records."""
        found = list(self.attributes_in(self.record(number)))
        lists = [a for a in found if a.type == ATTRIBUTE_LIST]
        if not lists:
            return found
        listed = lists[0].content
        if listed is None:
            listed = self.range(lists[0].runs, 0, lists[0].size)
        at, others = 0, set()
        while at < len(listed):
            others.add(u(listed, at + 0x10, 6))
            at += max(u(listed, at + 4, 2), 0x18)
        for other in sorted(others - {number}):
            found += self.attributes_in(self.record(other))
        return found

    def pieces(self, attributes, kind, name, what):
        """The attribute of a type and name, its runs joined; a list of one, or of none."""
        found = sorted((a for a in attributes if a.type == kind and a.name == name), key=lambda a: a.first)
        if not found:
            return []
        runs, at = [], 0
        for piece in found:
            if piece.first != at:
                raise NtfsError("%s: cluster %d of it is in no record" % (what, at))
            runs += piece.runs
            at += sum(length for _, length in piece.runs)
        return [found[0]._replace(runs=runs)]

    # --- files ---

    def data(self, number):
        """The unnamed data of a file as one attribute."""
        found = self.pieces(self.attributes(number), DATA, "", "record %d" % number)
        if not found:
            raise NtfsError("record %d: no data" % number)
        return found[0]

    def read(self, number):
        data = self.data(number)
        if data.content is not None:
            return bytes(data.content)
        if data.flags & (COMPRESSED | ENCRYPTED):
            raise NtfsError("record %d: compressed or encrypted" % number)
        return bytes(self.range(data.runs, 0, data.initialized)) + bytes(data.size - data.initialized)

    def extents(self, number, tight=False):
        """(offset, size) in bytes on the volume of the clusters of a file's data, in the file's order."""
        data, start, found = self.data(number), 0, []
        for cluster, length in data.runs:
            size = length * self.cluster
            if tight:
                size = min(size, -(-data.size // SECTOR) * SECTOR - start)
            if cluster is not None and size > 0:
                found.append((cluster * self.cluster, size))
            start += length * self.cluster
        return found

    def entries(self, number):
        """(name, number of the record) of each name in a directory."""
        what = "directory %d" % number
        attributes = self.attributes(number)
        root = self.pieces(attributes, INDEX_ROOT, "$I30", what)
        if not root:
            raise NtfsError("%s: no index" % what)
        blocks = self.pieces(attributes, INDEX_ALLOCATION, "$I30", what)
        yield from self.node(root[0].content, 0x10, blocks[0].runs if blocks else [], set(), what)

    def node(self, data, head, blocks, seen, what):
        at, end = head + u(data, head, 4), head + u(data, head + 4, 4)
        while True:
            length, key, flags = u(data, at + 8, 2), u(data, at + 10, 2), u(data, at + 12, 2)
            if length < 16 or at + length > end:
                raise NtfsError("%s: an entry lies outside of its block" % what)
            if flags & 1:
                block = u(data, at + length - 8, 8)
                if block in seen:
                    raise NtfsError("%s: block %d twice" % (what, block))
                seen.add(block)
                where = block * (self.cluster if self.cluster <= self.index_size else SECTOR)
                child = fixed(self.range(blocks, where, self.index_size), b"INDX", what + " block %d" % block)
                yield from self.node(child, 0x18, blocks, seen, what)
            if flags & 2:
                return
            if key < 0x42:
                raise NtfsError("%s: an entry without a name" % what)
            if data[at + 0x51] != DOS_NAME:
                yield text(data, at + 0x52, data[at + 0x50]), u(data, at, 6), u(data, at + 6, 2)
            at += length

    def walk(self, number=ROOT, path="", problems=None, above=()):
        """(path, number) of all files. With a list PROBLEMS, what cannot be read is put there."""
        names = self.entries(number)
        while True:
            try:
                name, child, sequence = next(names)
                if child < FIRST_FILE:
                    continue
                here = path + "/" + name if path else name
                record = self.record(child)
                if not u(record, 0x16, 2) & IN_USE or u(record, 0x10, 2) != sequence:
                    raise NtfsError("%s: record %d is another file's, or free" % (here, child))
                if u(record, 0x16, 2) & DIRECTORY:
                    if child in above:
                        raise NtfsError("%s: inside itself" % here)
                    yield from self.walk(child, here, problems, above + (number,))
                else:
                    yield here, child
            except StopIteration:
                return
            except NtfsError as error:
                if problems is None:
                    raise
                problems.append(str(error))

    def tree(self, problems=None):
        """{path: bytes} of all files."""
        found = {}
        for path, number in self.walk(problems=problems):
            try:
                found[path] = self.read(number)
            except NtfsError as error:
                if problems is None:
                    raise
                problems.append("%s: %s" % (path, error))
        return found

    def find(self, path):
        """The record of a file or directory, matched without regard to case."""
        number = ROOT
        for part in path.strip("/").split("/"):
            for name, child, _ in self.entries(number) if part else ():
                if name.upper() == part.upper():
                    number = child
                    break
            else:
                if part:
                    raise NtfsError("%s: not there" % path)
        return number


def differing(a, b):
    """Numbers of the sectors in which two images differ."""
    step = 128 * SECTOR
    a, b = memoryview(a), memoryview(b)
    for at in range(0, max(len(a), len(b)), step):
        if a[at:at + step] != b[at:at + step]:
            for low in range(at, at + step, SECTOR):
                if a[low:low + SECTOR] != b[low:low + SECTOR]:
                    yield low // SECTOR


def outside(a, b, ranges):
    """Those in none of the ranges (offset, size)."""
    allowed = set()
    for at, size in ranges:
        allowed.update(range(at // SECTOR, -(-(at + size) // SECTOR)))
    return [sector for sector in differing(a, b) if sector not in allowed]


def load(path):
    with open(path, "rb") as file:
        return file.read()


def command_list(image, path=""):
    volume = Volume(load(image))
    for name, number in volume.walk(volume.find(path), path.strip("/")):
        content = volume.read(number)
        print(hashlib.sha256(content).hexdigest(), len(content), name)


def command_extract(image, path, out=None):
    volume = Volume(load(image))
    content = volume.read(volume.find(path))
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        with open(out, "wb") as file:
            file.write(content)


def command_extents(image, path):
    volume = Volume(load(image))
    for at, size in volume.extents(volume.find(path)):
        print(at, size)


def command_check(image):
    problems = []
    Volume(load(image)).tree(problems)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def command_diff(a, b, *except_for):
    tight = "--tight" in except_for
    a, b = load(a), load(b)
    ranges = []
    for one in except_for:
        at, _, size = one.partition("+")
        if at.isdigit() and size.isdigit():
            ranges.append((int(at), int(size)))
            continue
        found = []
        for image in (a, b) if one != "--tight" else ():
            try:
                volume = Volume(image)
                found += volume.extents(volume.find(one), tight)
            except NtfsError as error:
                missing = error
        if not found and one != "--tight":
            raise missing
        ranges += found
    found = outside(a, b, ranges)
    for sector in found:
        print("sector %d (byte %d)" % (sector, sector * SECTOR))
    return 1 if found else 0


def main(*arguments):
    commands = {"list": command_list, "extract": command_extract, "extents": command_extents,
                "check": command_check, "diff": command_diff}
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return commands[arguments[0]](*arguments[1:]) or 0
    except NtfsError as error:
        print("ntfs.py: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
