#!/bin/bash
# Publishing where there is no space, no inode, and on NTFS and FAT, which can do less than others.
#
# Needs root for the mounts, and /dev/fuse with ntfs-3g; what is missing is skipped by name.
set -u
shopt -s globstar dotglob nullglob
export LC_ALL=C
publish=$(realpath "${BUILD:-build}")/tests/tools/publish
work=$(mktemp -d)
mount=$work/m
number=0
: >"$work/wrong"
mkdir "$mount"
trap 'cd /; unmount; rm -rf "$work"' EXIT

unmount() {
	while mountpoint -q "$mount"; do
		umount "$mount" 2>/dev/null || sleep 0.1
	done
}

result() { # NAME
	number=$((number + 1))
	if [ -s "$work/wrong" ]; then
		echo "not ok $number - $1"
		head -n 20 "$work/wrong" | sed 's/^/# /'
	else
		echo "ok $number - $1"
	fi
	: >"$work/wrong"
}

skip() { # NAME, WHY
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

wrong() { echo "$*" >>"$work/wrong"; }

is_dir() { # DIR TEXT
	local names=("$1"/**) name
	[ "${names[*]#"$1/"}" = " marker one other other/four sub sub/three two" ] || return 1
	for name in one two sub/three other/four; do
		[ "$(<"$1/$name")" = "$2" ] || return 1
	done
}

beside() {
	local names=("$mount"/.dest*)
	echo "${names[*]}"
}

# --- full ---

no_room() { # WHAT OPTIONS...: fills the mount so that fewer and fewer of our calls succeed
	local what=$1 used failed=0
	shift
	if ! mount -t tmpfs -o "$*" none "$mount" 2>/dev/null; then
		skip "$what" "tmpfs cannot be mounted"
		return
	fi
	"$publish" dir "$mount/dest" old >/dev/null || wrong "does not fit an empty disk"
	for used in {1..40}; do
		if [ "$what" = "no inodes" ]; then
			: >"$mount/fill$used"
		else
			head -c 4096 /dev/zero >"$mount/fill$used"
		fi 2>/dev/null || break
		if "$publish" dir "$mount/dest" new >/dev/null 2>"$work/said"; then
			is_dir "$mount/dest" new || wrong "$used: exit 0, not whole"
		else
			[ $? -eq 5 ] || wrong "$used: not exit 5"
			failed=$((failed + 1))
			grep -q 'No space left' "$work/said" || wrong "$used: $(<"$work/said")"
			is_dir "$mount/dest" new || is_dir "$mount/dest" old ||
				wrong "$used: the old one is gone"
		fi
		[ -z "$(beside)" ] || wrong "$used: left $(beside)"
	done
	[ $failed -ge 3 ] || wrong "failed only $failed times"
	rm "$mount"/fill*
	"$publish" dir "$mount/dest" next >/dev/null || wrong "no recovery"
	is_dir "$mount/dest" next || wrong "not whole at last"
	unmount
	result "$what"
}

no_room "no space" size=128k
no_room "no inodes" size=1m,nr_inodes=36

# --- file systems that can do less ---

try() { # NAME: old, new over it, a file, an append; what is said of attributes and modes
	local said
	said=$("$publish" dir "$mount/dest" old) || wrong "old: $said"
	is_dir "$mount/dest" old || wrong "old is not whole"
	said=$("$publish" dir "$mount/dest" new) || wrong "new: $said"
	is_dir "$mount/dest" new || wrong "new is not whole"
	mkdir "$mount/empty"
	"$publish" dir "$mount/empty" x >/dev/null || wrong "over an empty one"
	is_dir "$mount/empty" x || wrong "over an empty one: not whole"
	[ -z "$(beside)" ] || wrong "left $(beside)"
	"$publish" file "$mount/file" one || wrong "file"
	"$publish" file "$mount/file" two || wrong "file over file"
	[ "$(head -n 1 "$mount/file")" = two ] || wrong "file: not the new one"
	"$publish" append "$mount/file" 100000 end || wrong "append"
	[ "$(tail -c 3 "$mount/file")" = end ] || wrong "append: not there"
	echo "$mount"/.file* | grep -q . && wrong "left $(echo "$mount"/.file*)"
	case $said in
	*$1*) ;;
	*) wrong "said '$said', not '$1'" ;;
	esac
}

kills() { # at each rename, unlink and fsync of a new one over an old one
	local call n killed=0
	for call in renameat renameat2 unlinkat fsync mkdirat; do
		for n in {1..12}; do
			rm -rf "$mount"/dest "$mount"/.dest*
			"$publish" dir "$mount/dest" old >/dev/null || wrong "$call $n: old"
			{ ASAN_OPTIONS=detect_leaks=0 strace -o "$work/trace" -e trace="$call" \
				-e inject="$call:signal=KILL:when=$n" "$publish" dir "$mount/dest" new \
				>/dev/null 2>&1; } 2>/dev/null
			[ $? -eq 137 ] || break
			killed=$((killed + 1))
			is_dir "$mount/dest" old || is_dir "$mount/dest" new ||
				{ [ ! -e "$mount/dest" ] && is_dir "$mount/.dest.clusnap-old" old &&
					is_dir "$mount/.dest.clusnap-new" new; } ||
				wrong "$call $n: neither is whole"
			"$publish" dir "$mount/dest" next >/dev/null 2>"$work/said" ||
				wrong "$call $n: next: $(<"$work/said")"
			is_dir "$mount/dest" next || wrong "$call $n: not healed"
			[ -z "$(beside)" ] || wrong "$call $n: left $(beside)"
		done
	done
	[ $killed -ge 25 ] || wrong "killed only $killed times"
}

if [ ! -c /dev/fuse ] || [ "$(id -u)" -ne 0 ] || ! command -v mkntfs ntfs-3g >/dev/null; then
	skip "NTFS" "no /dev/fuse, not root, or no ntfs-3g"
else
	truncate -s 8M "$work/ntfs"
	mkntfs -F -q "$work/ntfs" >/dev/null 2>&1
	ntfs-3g "$work/ntfs" "$mount" 2>/dev/null || wrong "cannot mount"
	try 'hidden open'
	[ "$(getfattr --only-values -n system.ntfs_attrib_be "$mount/dest/marker" 2>/dev/null |
		od -An -tx1 | tr -d ' ')" = 00000023 ] || wrong "the marker's attributes"
	result "NTFS"
	if strace -o /dev/null true 2>/dev/null; then
		kills
		result "NTFS, killed"
	else
		skip "NTFS, killed" "strace cannot trace here"
	fi
	unmount
	ntfs-3g -o permissions "$work/ntfs" "$mount" 2>/dev/null
	rm -rf "$mount"/*
	try 'hidden private'
	unmount
	result "NTFS with permissions"
fi

truncate -s 8M "$work/fat"
if command -v mkfs.vfat >/dev/null && mkfs.vfat "$work/fat" >/dev/null 2>&1 &&
	mount -o loop "$work/fat" "$mount" 2>/dev/null; then
	try 'hidden open'
	unmount
	result "FAT"
else
	skip "FAT" "no mkfs.vfat, no vfat or no loop device"
fi
echo "1..$number"
