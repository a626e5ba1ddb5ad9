#!/bin/bash
# Shadow copies: read from volumes that Windows made; what cannot be read is said, and is no "none"; a
# restore on such a volume keeps what they show, or refuses.
. tests/backup.sh
. tests/restore.sh
shadow=$build/tests/tools/shadow

truncate -s 1M "$work/empty.img"
"$shadow" "$work/empty.img" 2>"$work/err"
[ $? -eq 1 ] || wrong "an empty file: $(<"$work/err")"
result "a volume without shadow copies has none"

if ! "$clusnap" --version | grep -q '^libfsntfs'; then
	skip "shadow copies" "built without libvshadow"
	echo "1..$number"
	exit 0
fi
if [ -z "${CLUSNAP_SHARED-}" ] || [ ! -e "$CLUSNAP_SHARED/disks/vsstest.qcow2" ] || ! command -v qemu-img >/dev/null; then
	skip "shadow copies that Windows made" "no CLUSNAP_SHARED, or no qemu-img"
	echo "1..$number"
	exit 0
fi

# --- what is in them, as their README says ---

volume=$work/vsstest.img
qemu-img convert -O raw "$CLUSNAP_SHARED/disks/vsstest.qcow2" "$volume"
before=$(sha256sum <"$volume")
"$shadow" "$volume" syslog.gz another_file password.txt >"$work/out" 2>"$work/err" || wrong "$(<"$work/err")"
[[ $(sed -n 1p "$work/out") =~ ^1\ 130305[0-9]{12}\ absent\ [a-z0-9]+\ [a-z0-9]+$ ]] || wrong "store 1: $(<"$work/out")"
[[ $(sed -n 2p "$work/out") =~ ^2\ 130305[0-9]{12}\ [0-9]+\ [0-9]+\ absent$ ]] || wrong "store 2: $(<"$work/out")"
[ "$(wc -l <"$work/out")" -eq 2 ] || wrong "two: $(<"$work/out")"
[ "$before" = "$(sha256sum <"$volume")" ] || wrong "the volume has changed"
result "two shadow copies, and the files that each has"

# A whole disk; the volume begins at sector 67584.
device=''
kept() { # PATH STORE...: what is kept of it, of these shadow copies
	local path=$1 undo store
	shift
	undo=$("$build/tests/tools/shadow_keep" "$volume" "$work/kept" "$path" 2>"$work/err") || wrong "$(<"$work/err")"
	grep -q "^shadow-kept: .*: $# versions" "$work/err" || wrong "$path: $(<"$work/err")"
	for store; do
		[ "$(stat -c %s "$undo/shadow/$store-1-$path")" = "$(awk -v s="$store" '$1 == s { print $3 }' \
			<("$shadow" "$volume" "$path"))" ] || wrong "$path: not as store $store shows it"
	done
	[ "$(find "$undo/shadow" -type f | wc -l)" -eq $# ] || wrong "$path: more is kept"
	(cd "$undo" && sha256sum --quiet -c SHA256SUMS) >"$work/err" 2>&1 || wrong "$(<"$work/err")"
	expect 0 'whole' verify "$undo"
	printf x | dd of="$undo/shadow/${*: -1}-1-$path" bs=1 seek=9 conv=notrunc status=none
	expect 1 "shadow/${*: -1}-1-$path: is damaged" verify "$undo"
}
kept another_file 2
kept syslog.gz 2
result "what shadow copies show of a file that is written to is kept in the undo directory, and verified"

detach() { [ -z "$device" ] || losetup -d "$device"; device=''; }
trap 'cd /; unmount; detach; clean_up' EXIT
tar -C "$work" -xzf "$CLUSNAP_SHARED/disks/vss-redirected.tar.gz"
disk=$(find "$work" -maxdepth 2 -name 'vss*.raw' | head -n 1)
if device=$(losetup -f --show -o $((67584 * 512)) "$disk" 2>/dev/null); then
	"$shadow" "$device" >"$work/out" 2>"$work/err" || wrong "$(<"$work/err")"
	[ "$(grep -c 'cannot be read: .*kept on another volume' "$work/out")" -eq 2 ] || wrong "$(cat "$work/out" "$work/err")"
	result "shadow copies that are kept on another volume cannot be read, which is not none"
else
	skip "shadow copies that are kept on another volume" "no loop device"
fi

# --- a restore on such volumes ---

if ! have_ntfs; then
	skip "a restore on a volume with shadow copies" "no /dev/fuse, no ntfs-3g, or not root"
	echo "1..$number"
	exit 0
fi

# A node on the volume IMAGE, whose CLUSDB is to be restored.
node_on() { # IMAGE
	ntfs-3g -o rw,nodev,nosuid,noexec,windows_names "$1" "$mount" || return
	cp -r "$testdata/node-2019"/* "$mount"
	truncate -s 9000 "$mount/Windows/Cluster/CLUSDB"
	rm -f "$mount"/Windows/Cluster/CLUSDB.*
}
run backup --quiet "$testdata/node-2019" "$work/snapshot"
cp --sparse=always "$volume" "$work/node.img"
node_on "$work/node.img" || wrong "cannot mount"
expect 0 restored restore "$work/snapshot" "$mount"
[[ $err != *shadow-* ]] || wrong "nothing was to be kept: $err"
unmount
result "a restore on a volume whose shadow copies do not have the files"

if [ -n "$device" ] && node_on "$device"; then
	expect 3 'refused: shadow-unreadable: ' restore "$work/snapshot" "$mount"
	[[ $err == *'--force shadow-unreadable'* ]] || wrong "$err"
	expect 0 'shadow-unreadable: forced: ' restore --force shadow-unreadable "$work/snapshot" "$mount"
	unmount
	result "a restore on a volume whose shadow copies cannot be read is refused"
else
	skip "a restore on a volume whose shadow copies cannot be read" "no loop device, or it is not mounted"
fi
detach

echo "1..$number"
