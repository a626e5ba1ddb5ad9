# shellcheck shell=bash disable=SC2034,SC2154
# Shared by the tests of raw NTFS volumes. To be sourced behind tests/backup.sh. A volume is made by
# mkntfs and filled through ntfs-3g, which share no code with libfsntfs.

volume=$build/tests/tools/volume

# (and the program can read it: not with DISKS=no)
have_ntfs() {
	! "$clusnap" --version | grep -q 'without libfsntfs' && [ -c /dev/fuse ] &&
		[ "$(id -u)" -eq 0 ] && command -v mkntfs ntfs-3g >/dev/null
}

# make_ntfs IMAGE SIZE [OPTION...]: an empty volume, of mkntfs's options
make_ntfs() {
	local image=$1 size=$2
	shift 2
	rm -f "$image"
	truncate -s "$size" "$image" && mkntfs -F -q "$@" "$image" >/dev/null 2>&1
}

# mount_ntfs IMAGE [OPTIONS]
mount_ntfs() { ntfs-3g -o "${2:-rw}" "$1" "$mount"; }

# The offset in IMAGE of the MFT record NUMBER, where $MFT is in one piece (it begins so).
record_offset() { # IMAGE NUMBER
	python3 - "$1" "$2" <<'EOF'
import struct, sys
boot = open(sys.argv[1], 'rb').read(512)
sector, = struct.unpack_from('<H', boot, 0x0b)
cluster = sector * boot[0x0d] if boot[0x0d] < 0x80 else sector << (256 - boot[0x0d])
mft, = struct.unpack_from('<Q', boot, 0x30)
size = boot[0x40]
size = 1 << (256 - size) if size > 0x80 else size * cluster
print(mft * cluster + int(sys.argv[2]) * size)
EOF
}

# set_attribute IMAGE NUMBER TYPE OFFSET HEX: bytes in an attribute of an MFT record, whose length stays
set_attribute() {
	python3 - "$(record_offset "$1" "$2")" "$@" <<'EOF'
import struct, sys
at, image, _, kind, offset, value = int(sys.argv[1]), *sys.argv[2:]
with open(image, 'r+b') as f:
    f.seek(at)
    record = f.read(1024)
    assert record[:4] == b'FILE', record[:4]
    here, = struct.unpack_from('<H', record, 0x14)
    while struct.unpack_from('<I', record, here)[0] != int(kind, 16):
        here += struct.unpack_from('<I', record, here + 4)[0]
    f.seek(at + here + int(offset, 16))
    f.write(bytes.fromhex(value))
EOF
}
