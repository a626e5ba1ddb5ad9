#!/usr/bin/env python3
"""Puts shadow copies into an NTFS volume: shadow_build.py VOLUME STATE...

VOLUME is the image of a volume as it is, each STATE an image of what it was, the oldest first; all have
one size. Store N shows STATE N afterwards, as Windows would have made it: a block of 16 KiB that
differs in the next state is in the store, any other is read from the next one, or from the volume.

The blocks of catalog and stores are those of a file that is filled with RESERVED (and is the same in
all states): shadow_build.py --reserve SIZE prints its bytes. The format is that of libvshadow's
documentation, "Volume Shadow Snapshot (VSS) format"; nothing here is shared with the program."""
import struct
import sys
import uuid

BLOCK = 16384
RESERVED = b'a shadow storage'
IDENTIFIER = uuid.UUID('3808876b-c176-4e48-b7ae-04046e6cc752').bytes_le
HEADER_OFFSET = 0x1e00
CATALOG, LIST, STORE, RANGES, BITMAP = 2, 3, 4, 5, 6
FIRST_TIME = 130305225097363787  # 2013-12-03 06:35:09 as FILETIME; a minute more for each store
MINUTE = 600000000


def block(kind, relative, offset, following, data, size=0):
    head = IDENTIFIER + struct.pack('<IIQQQQ', 1, kind, relative, offset, following, size)
    data = head.ljust(128, b'\0') + data
    assert len(data) <= BLOCK
    return data.ljust(BLOCK, b'\0')


def blocks_of(image):
    return [image[at:at + BLOCK] for at in range(0, len(image), BLOCK)]


class Builder:
    def __init__(self, path, states):
        self.path = path
        self.live = blocks_of(open(path, 'rb').read())
        self.states = [blocks_of(open(state, 'rb').read()) for state in states]
        full = RESERVED * (BLOCK // len(RESERVED))
        self.free = [i * BLOCK for i, one in enumerate(self.live) if one == full]
        self.reserved = {at // BLOCK for at in self.free}
        self.out = {}  # offset: bytes
        self.entries = b''

    def take(self):
        return self.free.pop(0)

    def chain(self, kind, payloads, start):
        """Blocks of one kind, each with the offset of the next; the offset of the first."""
        offsets = [self.take() for _ in payloads]
        for i, data in enumerate(payloads):
            following = offsets[i + 1] if i + 1 < len(offsets) else 0
            self.out[offsets[i]] = block(kind, offsets[i] - start, offsets[i], following, data)
        return offsets[0]

    def store(self, number, state, following):
        header = self.take()
        descriptors = []
        for i, (old, new) in enumerate(zip(state, following)):
            if old == new or i in self.reserved:
                continue
            at = self.take()
            self.out[at] = old.ljust(BLOCK, b'\0')
            descriptors.append(struct.pack('<QQQII', i * BLOCK, at - header, at, 0, 0))
        if not descriptors:
            raise SystemExit('shadow_build: state %d is like the next one' % number)
        per = (BLOCK - 128) // 32
        lists = [b''.join(descriptors[i:i + per]) for i in range(0, len(descriptors), per)]
        first_list = self.chain(LIST, lists, header)
        last = max(self.out) + BLOCK
        ranges = self.chain(RANGES, [struct.pack('<QQQ', header, 0, last - header)], header)
        bitmap = self.chain(BITMAP, [b''], header)
        name = uuid.UUID(int=0x600f0b69_5bdf_11e3_9d6c_005056c00000 + number).bytes_le
        about = b''.join(uuid.UUID(int=number << 8 | i).bytes_le for i in range(3))
        about += struct.pack('<IIII', 0xd, 1, 0x420009, 0)
        for text in ('KIEL', 'KIEL'):
            text = text.encode('utf-16-le')
            about += struct.pack('<H', len(text)) + text
        self.out[header] = block(STORE, 0, header, 0, about, len(about))
        time = FIRST_TIME + number * MINUTE
        size = sum(map(len, self.live))
        self.entries += struct.pack('<QQ16sQQQ', 2, size, name, number, 0x40, time).ljust(128, b'\0')
        self.entries += struct.pack('<QQ16sQQQQQQI', 3, first_list, name, header, ranges, bitmap,
                                    0x1000000000030, last - header, 0, 0).ljust(128, b'\0')

    def build(self):
        catalog = self.take()
        for i, state in enumerate(self.states):
            following = self.states[i + 1] if i + 1 < len(self.states) else self.live
            self.store(i + 1, state, following)
        self.out[catalog] = block(CATALOG, 0, catalog, 0, self.entries)
        volume = uuid.UUID(int=0x600f0b64_5bdf_11e3_9d6c_005056c00008).bytes_le
        head = IDENTIFIER + struct.pack('<IIQQQQQ', 1, 1, HEADER_OFFSET, HEADER_OFFSET, 0, catalog, 0)
        self.out[HEADER_OFFSET] = (head + volume + volume).ljust(512, b'\0')
        with open(self.path, 'r+b') as f:
            for offset, data in self.out.items():
                f.seek(offset)
                f.write(data)
        print('catalog %d' % catalog)


if sys.argv[1] == '--reserve':
    sys.stdout.buffer.write(RESERVED * (int(sys.argv[2]) // len(RESERVED)))
else:
    Builder(sys.argv[1], sys.argv[2:]).build()
