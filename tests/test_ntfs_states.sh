#!/bin/bash
# What a path can be instead of a sound raw NTFS volume, and in which states a volume can be: each is
# said by name. Also files as only Windows makes them: bytes in a volume are changed for that.
. tests/backup.sh
. tests/ntfs.sh

if ! have_ntfs; then
	skip "states of raw NTFS volumes" "no /dev/fuse, no mkntfs, or not root"
	echo "1..$number"
	exit 0
fi

image=$work/node.img
make_ntfs "$image" 16M && mount_ntfs "$image" && cp -r "$testdata/node-2003/." "$mount" ||
	wrong "no volume"
head -c 100000 /dev/urandom >"$mount/file"
head -c 100000 /dev/urandom >"$mount/encrypted"
mkdir "$mount/empty"
inode=$(stat -c %i "$mount/file") encrypted=$(stat -c %i "$mount/encrypted")
log_at=
unmount
log_at=$(python3 - "$image" <<'EOF'
import sys
# $LogFile as mkntfs makes it is the one run of 0xff that is longest
data = open(sys.argv[1], 'rb').read()
best = at = 0
i = 0
while i < len(data):
    n = i
    while n < len(data) and data[n:n + 4096] == b'\xff' * 4096:
        n += 4096
    if n - i > best:
        best, at = n - i, i
    i = max(n, i + 4096)
print(at)
EOF
)
cp "$image" "$work/sound.img"

# --- what is no volume ---

head -c 65536 /dev/zero >"$work/bitlocker.img"
printf '\xeb\x58\x90-FVE-FS-' | dd of="$work/bitlocker.img" conv=notrunc status=none
expect 4 'cryptsetup bitlkOpen' status "$work/bitlocker.img"
run status --json "$work/bitlocker.img"
[ "$(jq -r '.systems[0].problems[0].code' <<<"$out")" = bitlocker ] || wrong "no problem bitlocker: $out"
expect 4 'encrypted by BitLocker' backup "$work/bitlocker.img" "$work/none"
expect 4 'encrypted by BitLocker' backup --quorum "$work/bitlocker.img" "$image" "$work/none"
result "BitLocker is recognised, and the command that opens it is named"

head -c 65536 /dev/zero >"$work/mbr.img"
printf '\x80\x20\x21\x00\x07\xfe\xff\xff\x00\x08\x00\x00\x00\x10\x00\x00' |
	dd of="$work/mbr.img" bs=1 seek=446 conv=notrunc status=none
printf '\x55\xaa' | dd of="$work/mbr.img" bs=1 seek=510 conv=notrunc status=none
expect 4 'name the partition' status "$work/mbr.img"
head -c 65536 /dev/zero >"$work/gpt.img"
printf 'EFI PART' | dd of="$work/gpt.img" bs=1 seek=512 conv=notrunc status=none
expect 4 'name the partition' show "$work/gpt.img"
head -c 65536 /dev/zero >"$work/gpt4k.img"
printf 'EFI PART' | dd of="$work/gpt4k.img" bs=1 seek=4096 conv=notrunc status=none
expect 4 'name the partition' backup "$work/gpt4k.img" "$work/none"
head -c 65536 /dev/zero >"$work/refs.img"
printf '\0\0\0ReFS\0\0\0\0' | dd of="$work/refs.img" conv=notrunc status=none
expect 4 'ReFS' status "$work/refs.img"
expect 4 'regf' status "$work/sums" "$testdata/README.md"
mkfifo "$work/fifo"
expect 4 'FIFO' status "$work/fifo"
result "a disk with partitions, ReFS, and what is no volume at all are told apart"

head -c 300 "$image" >"$work/short.img"
expect 1 'damaged' status "$work/short.img"
head -c 70000 "$image" >"$work/cut.img"
expect 4 '' status "$work/cut.img"
for field in '11 \x00\x00' '13 \x00' '13 \x03' '64 \x00' '64 \x90' '40 \x00\x00\x00\x00\x00\x00\x00\x00'; do
	cp "$image" "$work/boot.img"
	printf "${field#* }" | dd of="$work/boot.img" bs=1 seek="${field%% *}" conv=notrunc status=none
	expect 4 'boot sector' status "$work/boot.img"
done
result "a boot sector that makes no sense, and an image that ends too early"

# --- states ---

says() { # TEXT: status of $image has the problem volume-dirty with it; the exit status stays
	run status --json "$image"
	[ $status -eq 0 ] || wrong "exit $status"
	jq -r '.systems[0].problems[] | select(.code == "volume-dirty").text' <<<"$out" |
		grep -qF "$1" || wrong "no volume-dirty with '$1': $(jq -c '.systems[0].problems' <<<"$out")"
}
silent() {
	run status --json "$image"
	jq -r '.systems[0].problems[].code' <<<"$out" | grep -q volume-dirty && wrong "volume-dirty: $out"
}

silent
result "a volume that was left clean has nothing to say"

set_attribute "$image" 3 70 22 0100
says 'marked as to be checked'
set_attribute "$image" 3 70 22 0000
silent
result "the flag of a volume that is to be checked"

restart() { # FLAGS LSN [FLAGS LSN [MAJOR]]: the two restart pages
	python3 - "$image" "$log_at" "$1" "$2" "${3-$1}" "${4-$2}" "${5-1}" <<'EOF'
import struct, sys
image, at, flags, lsn, flags2, lsn2, major = sys.argv[1], *map(int, sys.argv[2:])
with open(image, 'r+b') as f:
    for place, flag, number in ((at, flags, lsn), (at + 4096, flags2, lsn2)):
        page = bytearray(4096)
        struct.pack_into('<4sHHQIIHHH', page, 0, b'RSTR', 0x1e, 9, 0, 4096, 4096, 0x30, 1, major)
        struct.pack_into('<QHHHH', page, 0x30, number, 1, 0xffff, 0, flag)
        f.seek(place)
        f.write(page)
EOF
}
restart 2 100
silent
restart 0 100
says 'was not closed'
restart 2 100 0 100
says 'was not closed'
restart 0 100 2 99
says 'was not closed'
restart 0 99 2 100
silent
restart 2 100 2 100 2
says 'fast startup'
printf 'XXXX' | dd of="$image" bs=1 seek="$log_at" conv=notrunc status=none
printf 'XXXX' | dd of="$image" bs=1 seek=$((log_at + 4096)) conv=notrunc status=none
says 'is damaged'
cp "$work/sound.img" "$image"
result "the journal: clean, not closed, of a fast startup, damaged; the newer page counts"

# --- files ---

"$volume" --read "$image" file >"$work/whole"
[ "$(stat -c %s "$work/whole")" -eq 100000 ] || wrong "the file has another size"
for initialised in 0 1000 99999; do
	set_attribute "$image" "$inode" 80 38 "$(printf '%08x' $initialised | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/')"
	{ head -c $initialised "$work/whole"; head -c $((100000 - initialised)) /dev/zero; } >"$work/wanted"
	"$volume" --read "$image" file | cmp -s - "$work/wanted" || wrong "$initialised: other bytes"
	mount_ntfs "$image" ro
	cmp -s "$mount/file" "$work/wanted" || wrong "$initialised: ntfs-3g sees other bytes"
	unmount
done
result "what was never written of a file reads as zeros"

set_attribute "$image" "$encrypted" 80 c 0040
"$volume" "$image" encrypted >"$work/out"
grep -q 'encrypted (EFS)' "$work/out" || wrong "$(cat "$work/out")"
result "an encrypted file is named as such"

# A record that is damaged, and one that is another file's: others are read.
cp "$work/sound.img" "$image"
at=$(record_offset "$image" "$inode")
printf 'BAAD' | dd of="$image" bs=1 seek="$at" conv=notrunc status=none
"$volume" "$image" file winnt/cluster/clusdb >"$work/out"
grep -q '^file: error 4: /file: .*does not begin with FILE' "$work/out" || wrong "$(cat "$work/out")"
grep -q '^WINNT/Cluster/CLUSDB: file' "$work/out" || wrong "$(cat "$work/out")"
cp "$work/sound.img" "$image"
printf '\x77' | dd of="$image" bs=1 seek=$((at + 16)) conv=notrunc status=none
"$volume" "$image" file >"$work/out"
grep -q '^file: error 4: /file: is listed in its directory and cannot be found' "$work/out" ||
	wrong "$(cat "$work/out")"
result "a damaged record, and a name whose record is another file's"
echo "1..$number"
