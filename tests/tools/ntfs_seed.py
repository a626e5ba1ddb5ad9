#!/usr/bin/env python3
"""Makes a seed of tests/fuzz/fuzz_volume.c of an image: ntfs_seed.py IMAGE OUT

The image as a list of pieces that are not zeros. What a walk does not read (the table of upper case,
$AttrDef, boot code, the mirror of $MFT, sectors of one byte over and over) is left out, as every byte of a seed is one to be changed."""
import struct
import sys

image = open(sys.argv[1], 'rb').read()
boot = image[:512]
cluster = struct.unpack_from('<H', boot, 0x0b)[0] * boot[0x0d]
mirror = struct.unpack_from('<Q', boot, 0x38)[0] * cluster


def wanted(at, piece):
    if at == 0 or piece.startswith(b'k\x87\x088'):  # shadow copies
        return True
    if at < 8192 or mirror <= at < mirror + 4096:
        return False
    return piece != piece[:1] * len(piece)  # what tests fill files with


out = [struct.pack('<I', len(image))]
for at in range(0, len(image), 512):
    piece = image[at:at + 512]
    if not wanted(at, piece) or (at == 0 and not piece.startswith(b'\xeb')):
        continue
    units = struct.unpack('<256H', piece)
    if sum(b - a in (-1, 0, 1) and a > 255 for a, b in zip(units, units[1:])) > 100:
        continue  # the table of upper case
    if b'$\0S\0T\0A\0N\0D' in piece or not any(piece[:510]):
        continue  # (the fuzzer puts update sequences right)
    piece = piece[:0x54] if at == 0 else piece[:510] if units[255] == 1 else piece
    end, begin = len(piece.rstrip(b'\0')), len(piece) - len(piece.lstrip(b'\0'))
    out.append(struct.pack('<IH', at + begin, end - begin) + piece[begin:end])
open(sys.argv[2], 'wb').write(b''.join(out))
