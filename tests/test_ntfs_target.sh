#!/bin/bash
# Data of files on a raw NTFS volume is written over where it lies: the file has the new bytes, and of
# the whole image nothing but clusters of that file changes. All that speaks against it is named.
. tests/backup.sh
. tests/ntfs.sh
target=$build/tests/tools/ntfs_target

if ! have_ntfs; then
	skip "writing raw NTFS volumes" "no /dev/fuse, no mkntfs, or not root"
	echo "1..$number"
	exit 0
fi

image=$work/disk.img

# only_there OLD NEW FILE-OLD FILE-NEW CLUSTER: all bytes that differ lie in clusters whose old content is
# a cluster of the old file (the files are random, so a cluster is known by its bytes)
only_there() {
	python3 - "$@" <<'EOF'
import sys
old, new, before, after = (open(p, 'rb').read() for p in sys.argv[1:5])
cluster = int(sys.argv[5])
assert len(old) == len(new), 'another size'
known = {}
for at in range(0, len(before), cluster):
    known[before[at:at + cluster]] = after[at:at + cluster]
differ = 0
changed = [at for at in range(0, len(old), 65536) if old[at:at + 65536] != new[at:at + 65536]]
for at in (at for part in changed for at in range(part, part + 65536, cluster)):
    a, b = old[at:at + cluster], new[at:at + cluster]
    if a == b:
        continue
    differ += 1
    size = cluster if a in known else len(before) % cluster
    assert a[:size] in known, 'a cluster at %#x is none of the file' % at
    assert b[:size] == known[a[:size]], 'a cluster at %#x has other bytes' % at
    assert a[size:] == b[size:], 'the slack at %#x changed' % at
wanted = sum(1 for a, b in known.items() if a != b)
assert differ == wanted, '%d clusters changed, %d of the file should' % (differ, wanted)
EOF
}

# written OFFSET SIZE NAME: SIZE random bytes into the file NAME of $image, and all that is to be so
written() {
	local offset=$1 size=$2 name=$3
	head -c "$size" /dev/urandom >"$work/input"
	cp "$image" "$work/before.img"
	"$volume" --read "$image" "$name" >"$work/before" 2>/dev/null
	cp "$work/before" "$work/wanted"
	dd if="$work/input" of="$work/wanted" bs=1M seek="$offset" oflag=seek_bytes conv=notrunc status=none
	"$target" "$image" "$name" "$offset" "$work/input" >"$work/out" 2>&1 ||
		wrong "$name at $offset: $(cat "$work/out")"
	"$volume" --read "$image" "$name" | cmp -s - "$work/wanted" || wrong "$name at $offset: other bytes"
	only_there "$work/before.img" "$image" "$work/before" "$work/wanted" "$cluster" 2>"$work/err" ||
		wrong "$name at $offset: $(tail -n 1 "$work/err")"
	checked=$((checked + 1))
}

for cluster in 512 4096 65536; do
	make_ntfs "$image" 24M -c $cluster && mount_ntfs "$image" || wrong "no volume"
	mkdir "$mount/Dir"
	head -c 300000 /dev/urandom >"$mount/Dir/Plain"
	python3 - "$mount" $cluster <<'EOF'
import os, sys
where, cluster = sys.argv[1], int(sys.argv[2])
a, b = open(where + '/Pieces', 'wb', 0), open(where + '/other', 'wb', 0)
for i in range(700 if cluster < 65536 else 100):
    a.write(os.urandom(cluster))
    b.write(b'b' * cluster)
a.write(os.urandom(100))
a.close()
b.close()
EOF
	cp "$mount/Pieces" "$work/pieces"
	unmount
	checked=0
	written 0 300000 dir/plain
	written 0 512 dir/plain
	written 511 2 dir/plain
	written 100 1000 dir/plain
	written 299999 1 dir/plain
	written 0 "$(stat -c %s "$work/pieces")" pieces
	written 1000 70000 pieces
	[ $checked -eq 7 ] || wrong "$checked of 7"
	head -c 10 /dev/zero >"$work/input"
	"$target" "$image" dir/plain 299991 "$work/input" >/dev/null 2>&1 && wrong "written behind the end"
	mount_ntfs "$image" ro
	cmp -s "$mount/Pieces" "$work/wanted" || wrong "ntfs-3g reads other bytes"
	unmount
	ntfsfix -n "$image" >"$work/out" 2>&1 || wrong "ntfsfix: $(tail -n 2 "$work/out")"
	result "clusters of $cluster: whole and in part, in one piece and in hundreds"
done

# --- one sector is one write ---

if command -v strace >/dev/null; then
	cluster=4096
	make_ntfs "$image" 16M && mount_ntfs "$image"
	head -c 300000 /dev/urandom >"$mount/file"
	unmount
	head -c 512 /dev/urandom >"$work/input"
	ASAN_OPTIONS=detect_leaks=0 strace -f -o "$work/trace" -e trace=pwrite64,write,writev,pwritev,pwritev2,fsync,openat,mmap \
		"$target" "$image" file 512 "$work/input" >"$work/out" 2>&1 || wrong "$(cat "$work/out")"
	[ "$(grep -c 'pwrite64(' "$work/trace")" -eq 1 ] || wrong "$(grep pwrite64 "$work/trace")"
	grep -qE 'pwrite64\(.*, 512, [0-9]+\) = 512' "$work/trace" || wrong "not one sector"
	grep -A 1 'pwrite64(' "$work/trace" | tail -n 1 | grep -q 'fsync(.*= 0' || wrong "no fsync behind it"
	grep -q 'disk.img.*O_RDWR.*O_DIRECT' "$work/trace" || [ "$(stat -f -c %T "$work")" = tmpfs ] ||
		wrong "not O_DIRECT"
	result "a sector is written by one write of 512 bytes, and synced"
else
	skip "a sector is written by one write of 512 bytes, and synced" "no strace"
fi

# --- refusals ---

refused() { # REASON ARGUMENT...: named, with status 3, and nothing is written
	local reason=$1 before
	shift
	before=$(sha256sum "$image")
	"$target" "$image" "$@" >"$work/out" 2>&1
	[ $? -eq 3 ] || wrong "$reason: not refused: $(cat "$work/out")"
	grep -q "^$reason: " "$work/out" || wrong "no $reason: $(cat "$work/out")"
	[ "$before" = "$(sha256sum "$image")" ] || wrong "$reason: something was written"
}

make_ntfs "$image" 16M && mount_ntfs "$image" rw,compression || wrong "no volume"
printf small >"$mount/resident"
head -c 100000 /dev/urandom >"$mount/linked"
ln "$mount/linked" "$mount/again"
head -c 100000 /dev/urandom >"$mount/encrypted"
head -c 100000 /dev/urandom >"$mount/uninitialised"
head -c 100000 /dev/urandom >"$mount/sound with a long name"
setfattr -n system.ntfs_dos_name -v 'SOUND~1' "$mount/sound with a long name"
truncate -s 500000 "$mount/sparse" && echo end >>"$mount/sparse"
mkdir "$mount/compressed"
setfattr -h -n system.ntfs_attrib -v 0x10080000 "$mount/compressed"
yes 'the same again' | head -c 400000 >"$mount/compressed/text"
encrypted=$(stat -c %i "$mount/encrypted") uninitialised=$(stat -c %i "$mount/uninitialised")
sound=$(stat -c %i "$mount/sound with a long name")
unmount
set_attribute "$image" "$encrypted" 80 c 0040
set_attribute "$image" "$uninitialised" 80 38 00ff0000
head -c 512 /dev/zero >"$work/input"
for reason in resident sparse compressed/text encrypted uninitialised linked; do
	refused "file-${reason%/*}" "$reason"
	"$target" "$image" "$reason" 0 "$work/input" >/dev/null 2>&1 && wrong "$reason was written"
done
"$target" "$image" 'sound with a long name' >"$work/out" 2>&1 || wrong "$(cat "$work/out")"
"$target" "$image" compressed >"$work/out" 2>&1
grep -q 'is a directory' "$work/out" || wrong "$(cat "$work/out")"
result "files that cannot be written in place: resident, sparse, compressed, encrypted, uninitialised, linked"

# A run that leads to cluster 4 (of $MFT), to cluster 0, and out of the volume.
cp "$image" "$work/sound.img"
for run in 3119 3100 31190400ff7f; do
	case $run in
	3119) set_attribute "$image" "$sound" 80 40 3119040000 ;;
	3100) set_attribute "$image" "$sound" 80 40 3119000000 ;;
	*) set_attribute "$image" "$sound" 80 40 311900ff7f ;;
	esac
	"$target" "$image" 'sound with a long name' 0 "$work/input" >"$work/out" 2>&1 && wrong "$run: written"
	grep -qE '^file-damaged|damaged' "$work/out" || wrong "$run: $(cat "$work/out")"
	cp "$work/sound.img" "$image"
done
result "a file that lies on NTFS's own, on the boot sector, or outside the volume"

set_attribute "$image" 3 70 22 0100
refused volume-dirty 'sound with a long name'
cp "$work/sound.img" "$image"
truncate -s 15M "$image"
refused volume-cut 'sound with a long name'
cp "$work/sound.img" "$image"
result "a volume that is to be checked, and one that is cut"

# --- in use ---

mount_ntfs "$image" ro
refused volume-in-use
unmount
ln -s "$image" "$work/other name"
mount_ntfs "$work/other name" rw
refused volume-in-use
unmount
mkfifo "$work/hold"
"$target" --hold "$image" <"$work/hold" >"$work/held" 2>&1 &
exec 3>"$work/hold"
for _ in {1..100}; do
	grep -q held "$work/held" && break
	sleep 0.05
done
refused volume-in-use
exec 3>&-
wait
"$target" "$image" >"$work/out" 2>&1 || wrong "let go, and refused: $(cat "$work/out")"
if loop=$(losetup -f --show "$image" 2>/dev/null); then
	refused volume-in-use
	"$target" "$loop" 'sound with a long name' >"$work/out" 2>&1 || wrong "loop: $(cat "$work/out")"
	cp "$image" "$work/before.img"
	"$target" "$loop" 'sound with a long name' 512 "$work/input" >"$work/out" 2>&1 ||
		wrong "loop: $(cat "$work/out")"
	sync "$image"
	[ "$(cmp -l "$image" "$work/before.img" | wc -l)" -le 512 ] || wrong "loop: more than a sector"
	ntfs-3g "$loop" "$mount" && {
		"$target" "$loop" >"$work/out" 2>&1
		grep -q '^volume-in-use: ' "$work/out" || wrong "a mounted device: $(cat "$work/out")"
		unmount
	}
	losetup -d "$loop"
fi
result "a volume that is mounted, locked, or behind a loop device"
echo "1..$number"
