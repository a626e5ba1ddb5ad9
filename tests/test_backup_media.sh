#!/bin/bash
# Backups to where there is no space, no inode, no permission to write, and to NTFS.
# Needs root for the mounts, and /dev/fuse with ntfs-3g; what is missing is skipped by name.
. tests/backup.sh
dest=$mount/snap
mkdir "$work/older"
"$build/tests/tools/make_small_node" "$work/older" older
"$clusnap" backup "$work/older" "$work/old" >/dev/null 2>&1
"$clusnap" backup "$work/node" "$work/new" >/dev/null 2>&1

# DEST after a backup of $work/node over $work/old, whatever happened
check_dest() { # WHAT
	if [ $status -eq 0 ]; then
		diff -r "$dest" "$work/new" >/dev/null || wrong "$1: exit 0, not the new one"
	else
		diff -r "$dest" "$work/old" >/dev/null || wrong "$1: exit $status, not the old one"
	fi
	[ "$(cd "$mount" && echo .snap*)" = '.snap*' ] || [ -z "$(cd "$mount" && echo .snap*)" ] ||
		wrong "$1: left $(cd "$mount" && echo .snap*)"
}

no_room() { # NAME OPTIONS MESSAGE
	local failed=0 used
	if ! mount -t tmpfs -o "$2" none "$mount" 2>/dev/null; then
		skip "$1" "tmpfs cannot be mounted"
		return
	fi
	cp -a "$work/old" "$dest"
	for used in {1..40}; do
		case $1 in
		*inode*) : >"$mount/fill$used" ;;
		*) head -c 4096 /dev/zero >"$mount/fill$used" ;;
		esac 2>/dev/null || break
		run backup "$work/node" "$dest"
		[ $status -eq 0 ] || [ $status -eq 5 ] || wrong "$used: exit $status: $err"
		[ $status -eq 0 ] || [[ $err == *"$3"* ]] || wrong "$used: $err"
		check_dest "$used"
		failed=$((failed + (status != 0)))
		[ $status -ne 0 ] || { rm -rf "$dest" && cp -a "$work/old" "$dest"; }
	done
	[ $failed -ge 3 ] || wrong "failed only $failed times"
	rm -rf "$mount"/fill* "$mount/first"
	expect 0 '' backup "$work/node" "$dest"
	unmount
	result "$1"
}

no_room "a full disk: exit 5, the old snapshot whole" size=140k 'No space left'
no_room "no inodes: exit 5, the old snapshot whole" size=1m,nr_inodes=24 'No space left'

if mount -t tmpfs none "$mount" 2>/dev/null; then
	cp -a "$work/old" "$dest"
	run backup "$work/node" "$mount"
	[ $status -eq 5 ] && [[ $err == *'mount point'* ]] || [ $status -eq 3 ] || wrong "mount point: $status $err"
	rm -rf "$dest"
	expect 5 'mount point' backup "$work/node" "$mount"
	cp -a "$work/old" "$dest"
	mount -o remount,ro "$mount"
	run backup "$work/node" "$dest"
	[ $status -eq 5 ] && [[ $err == *'Read-only file system'* ]] || wrong "read-only: $status $err"
	check_dest "read-only"
	expect 5 'Read-only file system' extract "$work/new" "$mount/out"
	expect 5 'Read-only file system' backup --copy-to "$mount/copy" "$work/node" "$work/first"
	is_whole "$work/first" || wrong "the first destination is not whole"
	unmount
	result "a mount point, and a file system that is read-only"
else
	skip "a mount point, and a file system that is read-only" "tmpfs cannot be mounted"
fi

if chattr +i "$work/new" 2>/dev/null; then
	cp -a "$work/old" "$work/fixed"
	mkdir "$work/parent"
	cp -a "$work/old" "$work/parent/snap"
	chattr +i "$work/fixed" "$work/parent"
	run backup "$work/node" "$work/fixed"
	[ $status -eq 5 ] || [ $status -eq 0 ] || wrong "immutable snapshot: $status $err"
	chattr -i "$work/fixed"
	if [ $status -eq 0 ]; then
		is_whole "$work/fixed" || wrong "immutable snapshot: not whole"
	else
		diff -r "$work/fixed" "$work/old" >/dev/null || wrong "immutable snapshot: changed"
	fi
	expect 5 'Operation not permitted' backup "$work/node" "$work/parent/snap"
	chattr -i "$work/parent" "$work/new"
	diff -r "$work/parent/snap" "$work/old" >/dev/null || wrong "immutable parent: changed"
	[ "$(ls -A "$work/parent")" = snap ] || wrong "left $(ls -A "$work/parent")"
	result "directories that nobody may change (chattr +i)"
else
	skip "directories that nobody may change (chattr +i)" "the file system has no such attribute"
fi

if [ ! -c /dev/fuse ] || [ "$(id -u)" -ne 0 ] || ! command -v mkntfs ntfs-3g >/dev/null; then
	skip "NTFS as destination" "no /dev/fuse, not root, or no ntfs-3g"
	skip "NTFS as source" "no /dev/fuse, not root, or no ntfs-3g"
else
	truncate -s 16M "$work/ntfs"
	mkntfs -F -q "$work/ntfs" >/dev/null 2>&1
	ntfs-3g "$work/ntfs" "$mount" 2>/dev/null || wrong "cannot mount"
	for round in first second; do
		expect 0 'not-private' backup "$work/node" "$dest"
		expect 0 '' verify "$dest"
		diff -r "$dest" "$work/new" >/dev/null || wrong "$round: not the same bytes"
	done
	times=$(stat -c '%n %i %y %z' "$dest" "$dest"/*)
	expect 0 'nothing has changed' backup --append "$work/node" "$dest"
	[[ $err == *not-private* ]] && [ "$(stat -c '%n %i %y %z' "$dest" "$dest"/*)" = "$times" ] ||
		wrong "--append of what is there"
	run backup --json "$work/node" "$dest"
	[ "$(jq -r '[.warnings[].code] | index("not-private") != null' <<<"$out")" = true ] ||
		wrong "not-private is not among the warnings"
	[ "$(jq -r '[.warnings[].code] | index("marker-not-hidden")' <<<"$out")" = null ] ||
		wrong "the marker is called not hidden"
	[ "$(getfattr --only-values -n system.ntfs_attrib_be "$dest/Clusbackup.dat" 2>/dev/null |
		od -An -tx1 | tr -d ' ')" = 00000023 ] || wrong "the marker's attributes"
	unmount
	ntfsinfo -F snap/Clusbackup.dat "$work/ntfs" 2>/dev/null | grep -E 'File attributes|Attributes' |
		grep -q 'READONLY.*HIDDEN' || ntfsinfo -F snap/Clusbackup.dat "$work/ntfs" 2>/dev/null |
		grep -q 'READONLY HIDDEN' || wrong "ntfsinfo does not call it READONLY HIDDEN"
	ntfs-3g -o permissions "$work/ntfs" "$mount" 2>/dev/null || wrong "cannot mount with permissions"
	rm -rf "$dest"
	run backup "$work/node" "$dest"
	[ $status -eq 0 ] && [[ $err != *not-private* ]] || wrong "with permissions: $status $err"
	[ "$(stat -c %a "$dest" "$dest/chk0001.tmp" | tr '\n' ' ')" = "700 600 " ] || wrong "modes"
	result "promise 11, NTFS as destination: marker read-only and hidden; what is not private is said"
	cp -r "$work/node" "$mount/node"
	unmount
	before=$(sha256sum <"$work/ntfs")
	ntfs-3g -o ro,norecover,nodev,nosuid,noexec,umask=077 "$work/ntfs" "$mount" 2>/dev/null ||
		wrong "cannot mount read-only"
	expect 0 '' backup "$mount/node" "$work/from-ntfs"
	diff -r "$work/from-ntfs" "$work/new" >/dev/null || wrong "not the same bytes as from elsewhere"
	unmount
	[ "$(sha256sum <"$work/ntfs")" = "$before" ] || wrong "the volume has changed"
	result "promises 1 and 10, NTFS as source, mounted as --help says: the volume keeps every bit"
fi
echo "1..$number"
