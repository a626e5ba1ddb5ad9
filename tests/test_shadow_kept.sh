#!/bin/bash
# A restore or an edit on a volume with shadow copies keeps what these show of the files that are
# written to, byte by byte, wherever on the volume the node is; what cannot be read is refused.
# The volumes are made of states by tests/tools/shadow_build.py, whose format libvshadow-utils judge.
. tests/backup.sh
. tests/restore.sh
. tests/ntfs.sh
builder=$PWD/tests/tools/shadow_build.py

if ! have_ntfs; then
	skip "what shadow copies show is kept" "no /dev/fuse, no mkntfs, or not root"
	echo "1..$number"
	exit 0
fi
if ! "$clusnap" --version | grep -q '^libfsntfs'; then
	skip "what shadow copies show is kept" "built without libvshadow"
	echo "1..$number"
	exit 0
fi

# state TEXT: the next state of $image: TEXT in CLUSDB, and in its log, on the volume below $top
state() {
	mount_ntfs "$image" || return
	printf '%s' "$1" | dd of="$mount$top/Windows/Cluster/CLUSDB" bs=1 seek=9000 conv=notrunc status=none
	printf '%s' "$1" | dd of="$mount$top/Windows/Cluster/CLUSDB.LOG1" bs=1 seek=0 conv=notrunc status=none
	cp "$mount$top/Windows/Cluster/CLUSDB" "$work/clusdb-$1"
	cp "$mount$top/Windows/Cluster/CLUSDB.LOG1" "$work/log-$1"
	unmount
}

# make TOP: $image, a node below TOP (or "") with the shadow copies "first" and "second"; the live
# volume's CLUSDB is "third". A file that only the first shows is written to by nobody.
make() {
	top=$1 image=$work/made.img
	make_ntfs "$image" 24M && mount_ntfs "$image" && mkdir -p "$mount/System Volume Information" "$mount$top" &&
		python3 "$builder" --reserve 6000000 >"$mount/System Volume Information/storage" &&
		cp -r "$testdata/node-2019/." "$mount$top" && head -c 4096 /dev/zero >"$mount$top/Windows/Cluster/CLUSDB.LOG1" &&
		echo 1 >"$mount/gone" && unmount || return
	state first && cp "$image" "$work/first.img" && state second && cp "$image" "$work/second.img" &&
		mount_ntfs "$image" && rm "$mount/gone" && unmount && state third &&
		catalog=$(python3 "$builder" "$image" "$work/first.img" "$work/second.img") && catalog=${catalog#catalog }
}

# kept UNDO: it has the versions of both copies, and no other
kept() {
	local undo files
	undo=$(undo_of "$1") || { wrong "no undo directory: $err"; return; }
	(cd "$undo" && sha256sum -c --quiet SHA256SUMS) >"$work/sums" 2>&1 || wrong "$(<"$work/sums")"
	cmp "$undo"/shadow/1-*-CLUSDB "$work/clusdb-first" || wrong "not what the first shows"
	cmp "$undo"/shadow/2-*-CLUSDB "$work/clusdb-second" || wrong "not what the second shows"
	cmp "$undo"/shadow/1-*-CLUSDB.LOG1 "$work/log-first" || wrong "not the log that the first shows"
	cmp "$undo"/old/*-CLUSDB "$work/clusdb-third" || wrong "not what is replaced"
	files=("$undo"/shadow/*)
	[ ${#files[@]} -eq 4 ] || wrong "kept: ${files[*]##*/}"
	[ "$(jq '.shadows | length' "$undo/plan.json")" -eq 4 ] || wrong "the plan: $(jq -c .shadows "$undo/plan.json")"
	jq -e '[.shadows[].created] | unique == [130305225697363787, 130305226297363787]' "$undo/plan.json" >/dev/null ||
		wrong "the times: $(jq -c .shadows "$undo/plan.json")"
}

run backup --quiet "$testdata/node-2019" "$work/snapshot"
make '' || wrong "cannot make the volume"
if command -v vshadowinfo >/dev/null; then
	vshadowinfo "$image" 2>&1 | grep -q 'Number of stores:.*2$' || wrong "$(vshadowinfo "$image" 2>&1)"
	result "the volume that is made here is one to vshadowinfo"
fi

# --- mounted, raw, below a directory, by an edit ---

cp "$image" "$work/fresh.img"
expect 0 'shadow-kept: ' restore --dry-run --undo "$work/undo" "$work/snapshot" "$image"
cmp -s "$image" "$work/fresh.img" || wrong "the volume has changed"
mount_ntfs "$image"
expect 0 'shadow-kept: ' restore --dry-run --undo "$work/undo" "$work/snapshot" "$mount"
[ ! -e "$work/undo" ] || wrong "a dry run has made something"
unmount
result "a dry run says that shadow copies show other versions, and changes nothing"

mount_ntfs "$image"
expect 0 'shadow-kept: ' restore --undo "$work/undo" "$work/snapshot" "$mount"
kept "$work/undo"
same_tree "$testdata/node-2019/Windows/Cluster/CLUSDB" "$mount/Windows/Cluster/CLUSDB" restored
undo=$(undo_of "$work/undo")
expect 0 '' undo "$undo" "$mount"
cmp "$mount/Windows/Cluster/CLUSDB" "$work/clusdb-third" || wrong "undo: not what it was"
unmount
echo x >>"$(echo "$undo"/shadow/1-*-CLUSDB)"
mount_ntfs "$image"
expect 4 'CLUSDB: is damaged' undo "$undo" "$mount"
unmount
rm -rf "$work/undo"
result "a restore keeps what each shadow copy shows; undo leaves it alone, but wants it whole"

cp "$work/fresh.img" "$image"
expect 0 'shadow-kept: ' restore --undo "$work/undo" "$work/snapshot" "$image"
kept "$work/undo"
rm -rf "$work/undo"
result "so does one on a volume that is not mounted"

cp "$work/fresh.img" "$image"
printf 'Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\Cluster\\Added]\n' >"$work/a.reg"
mount_ntfs "$image"
expect 0 'shadow-kept: ' edit "${durable[@]}" --undo "$work/undo" "$mount" "$work/a.reg"
kept "$work/undo"
unmount
rm -rf "$work/undo"
result "so does an edit"

make /below/here || wrong "cannot make the volume"
mount_ntfs "$image"
expect 0 'shadow-kept: ' restore --undo "$work/undo" "$work/snapshot" "$mount/below/here"
kept "$work/undo"
rm -rf "$work/undo"
unmount
result "so does one below a directory of the volume"

# --- a node and its quorum disk on one volume ---

next_state() { # TEXT
	mount_ntfs "$image" || return
	printf '%s' "$1" | dd of="$mount/kiel/WINNT/Cluster/CLUSDB" bs=1 seek=9000 conv=notrunc status=none
	printf '%s' "$1" >>"$mount/quorum/MSCS/quolog.log"
	cp "$mount/kiel/WINNT/Cluster/CLUSDB" "$work/clusdb-$1"
	cp "$mount/quorum/MSCS/quolog.log" "$work/log-$1"
	unmount
}
image=$work/both.img
make_ntfs "$image" 24M && mount_ntfs "$image" && python3 "$builder" --reserve 6000000 >"$mount/storage" &&
	cp -r "$testdata/node-2003" "$mount/kiel" && cp -r "$testdata/quorum-2003" "$mount/quorum" && unmount &&
	next_state first && cp "$image" "$work/first.img" && next_state second && cp "$image" "$work/second.img" &&
	next_state third && python3 "$builder" "$image" "$work/first.img" "$work/second.img" >"$work/out" ||
	wrong "cannot make the volume"
run backup --quiet "$testdata/node-2003" --quorum "$testdata/quorum-2003" "$work/snapshot-2003"
for folder in '' /MSCS; do
	cp "$image" "$work/now.img"
	mount_ntfs "$work/now.img"
	expect 0 'shadow-kept: ' restore --authoritative --undo "$work/undo" --quorum "$mount/quorum$folder" \
		"$work/snapshot-2003" "$mount/kiel"
	undo=$(undo_of "$work/undo")
	expect 0 whole verify "$undo"
	for store in 1/first 2/second; do
		cmp "$undo"/shadow/${store%/*}-*-CLUSDB "$work/clusdb-${store#*/}" || wrong "CLUSDB of $store"
		cmp "$undo"/shadow/${store%/*}-*-quolog.log "$work/log-${store#*/}" || wrong "quolog.log of $store"
	done
	unmount
	rm -rf "$work/undo"
done
result "so does one to a node and its quorum disk, of both"

# --- the lost database ---

make '' || wrong "cannot make the volume"
mount_ntfs "$image"
rm "$mount/Windows/Cluster/CLUSDB"
expect 0 'shadow-kept: ' restore --undo "$work/undo" "$work/snapshot" "$mount"
undo=$(undo_of "$work/undo")
cmp "$undo"/shadow/2-*-CLUSDB "$work/clusdb-second" || wrong "not what the second shows"
unmount
rm -rf "$work/undo"
result "what they show of a file that is created is kept"

# --- what cannot be read ---

refused() { # WHAT OFFSET HEX: with these bytes in the volume
	cp "$work/fresh.img" "$image"
	printf "$(sed 's/../\\x&/g' <<<"$3")" | dd of="$image" bs=1 seek=$(($2)) conv=notrunc status=none
	mount_ntfs "$image"
	expect 3 'refused: shadow-unreadable: ' restore --undo "$work/undo" "$work/snapshot" "$mount"
	cmp -s "$mount/Windows/Cluster/CLUSDB" "$work/clusdb-third" || wrong "$1: written to"
	[ ! -e "$work/undo" ] || wrong "$1: an undo directory"
	expect 0 'shadow-unreadable: forced: ' restore --undo "$work/undo" --force shadow-unreadable \
		"$work/snapshot" "$mount"
	unmount
	rm -rf "$work/undo"
}
make '' || wrong "cannot make the volume"
cp "$image" "$work/fresh.img"
read -r list header < <(python3 - "$image" "$catalog" <<'END'
import struct, sys
entry = open(sys.argv[1], 'rb').read()[int(sys.argv[2]) + 256:][:128]  # of the first copy
assert entry[0] == 3
print(*struct.unpack('<8xQ16xQ88x', entry))
END
)
le64() { python3 -c "print(int($1).to_bytes(8, 'little').hex())"; }
refused "the catalog is none" "$catalog" 00000000
refused "the catalog is outside" 0x1e30 "$(le64 $((1 << 40)))"
refused "the catalog is endless" "$catalog + 40" "$(le64 "$catalog")"
refused "a list is endless" "$list + 40" "$(le64 "$list")"
refused "a list is none" "$list + 20" 05
refused "a header is none" "$header" 00000000
refused "no blocks in the volume" "$catalog + 256" 0000
result "a damaged catalog, or a list without an end, is a refusal that can be overridden"

cp "$work/fresh.img" "$image"
printf '\0\0\0\0\0\0\0\0' | dd of="$image" bs=1 seek=$((0x1e30)) conv=notrunc status=none
mount_ntfs "$image"
expect 0 restored restore --undo "$work/undo" "$work/snapshot" "$mount"
[[ $err != *shadow-* ]] || wrong "$err"
unmount
rm -rf "$work/undo"
result "a header without a catalog is no shadow copy"

# In this one the second partition holds what the first one's shadow copies are made of.
archive=${CLUSNAP_SHARED-}/disks/vss-redirected.tar.gz
if [ -e "$archive" ]; then
	tar -C "$work" -xzf "$archive"
	dd if="$work/vss_1_vol.raw" of="$image" bs=1M skip=33 conv=sparse status=none
	rm "$work/vss_1_vol.raw"
	mount_ntfs "$image" && cp -r "$testdata/node-2019/." "$mount" && truncate -s 9000 "$mount/Windows/Cluster/CLUSDB" ||
		wrong "cannot use it"
	expect 3 'kept on another volume' restore --undo "$work/undo" "$work/snapshot" "$mount"
	[[ $err == *'refused: shadow-unreadable: '* ]] || wrong "$err"
	unmount
	result "shadow copies that Windows keeps on another volume are a refusal"
else
	skip "shadow copies that Windows keeps on another volume" "no CLUSNAP_SHARED"
fi

echo "1..$number"
