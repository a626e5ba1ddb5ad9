#!/bin/bash
# save when a system call fails, or when it is killed, in whichever of its threads: OUT is the old
# file or the whole new one, and what it says of itself is true. Then a disk that is full, and
# file systems that are programs, where the new file is not mapped.
#
# Needs root for the mounts, and /dev/fuse with ntfs-3g; what is missing is skipped by name.
set -u
shopt -s nullglob dotglob
. tests/fault.sh
build=$(realpath "${BUILD:-build}")
clusnap=$build/clusnap
work=$(mktemp -d)
mount=$work/m
out=$work/out
number=0
mkdir "$mount" "$out"
trap 'unmount; rm -rf "$work"' EXIT

unmount() {
	while mountpoint -q "$mount"; do
		umount "$mount" 2>/dev/null || sleep 0.1
	done
}

result() { # GOOD NAME
	number=$((number + 1))
	[ "$1" -eq 1 ] && echo "ok $number - $2" || echo "not ok $number - $2"
}

skip() { # NAME WHY
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# Several windows of what is handed from thread to thread, and keys that are patched later.
"$build/tests/tools/make_bench" hive 5000 "$work/hive"
"$clusnap" save --quiet "$work/hive" '' "$work/whole" || exit 1
[ "$(stat -c %s "$work/whole")" -gt 2500000 ] || exit 1

# --- calls that fail ---

prepare() {
	rm -f "$out"/*
	echo old >"$out/saved"
}

is_old() { [ "$(<"$1")" = old ] 2>/dev/null; }

old_or_new() {
	local names=("$out"/*)
	fault_orderly || return 1
	case $fault_at in
	*KILL*) is_old "$out/saved" || cmp -s "$work/whole" "$out/saved" ;;
	*)
		[ ${#names[@]} -eq 1 ] || return 1 # nothing is left behind
		if [ $fault_status -eq 0 ]; then
			cmp -s "$work/whole" "$out/saved"
		else
			is_old "$out/saved" || grep -q 'is in place, whole' "$fault_err"
		fi
		;;
	esac 2>/dev/null
}

if fault_have; then
	fault_sweep prepare old_or_new "pwrite64:ENOSPC,EINTR pwrite64 fsync:EIO fsync \
		renameat:EIO renameat close:EIO clone3:EAGAIN fcntl:EMFILE lseek:EIO madvise:EINVAL \
		munmap:EINVAL" "$clusnap" save --quiet "$work/hive" '' "$out/saved"
	# A file that cannot be mapped is read. The first calls are those of ld.so.
	first=$(strace -qq -e trace=mmap "$clusnap" --help 2>&1 >/dev/null | grep -c '^mmap')
	for ((n = first + 1; n < first + 40; n++)); do
		prepare
		fault_once "$work/log" mmap error=ENODEV $n "$clusnap" save --quiet "$work/hive" '' \
			"$out/saved" 2>"$work/log.err" >/dev/null || break
		fault_at="mmap ENODEV $n" fault_err=$work/log.err
		fault_points=$((fault_points + 1))
		old_or_new || fault_bad+="$fault_at: status $fault_status"$'\n'
	done
	[ $n -gt $((first + 2)) ] || fault_bad+="mmap was called $((n - first - 1)) times"$'\n'
	result $((fault_points >= 60)) "$fault_points calls failed"
	[ -z "$fault_bad" ]
	result $((1 - $?)) "each time the old file or the whole new one"
	sed '/^$/d; s/^/# /' <<<"$fault_bad" | head -n 20
else
	skip "calls that fail" "strace cannot trace here"
fi

# --- a full disk ---

name="a disk that is full: exit status 5, the old file, nothing left behind"
if mount -t tmpfs -o size=3m none "$mount" 2>/dev/null; then
	good=1
	echo old >"$mount/saved"
	for fill in 500 1500 2800; do
		head -c ${fill}k /dev/zero >"$mount/fill"
		"$clusnap" save --quiet "$work/hive" '' "$mount/saved" 2>"$work/said"
		[ $? -eq 5 ] && is_old "$mount/saved" && grep -q 'No space left' "$work/said" || good=0
		names=("$mount"/*)
		[ ${#names[@]} -eq 2 ] || good=0
	done
	rm "$mount/fill"
	"$clusnap" save --quiet "$work/hive" '' "$mount/saved" && cmp -s "$work/whole" "$mount/saved" || good=0
	unmount
	result $good "$name"
else
	skip "$name" "tmpfs cannot be mounted"
fi

# --- file systems that are programs, or that promise little ---

try() { # NAME
	local good=1 names
	"$clusnap" save --quiet "$work/hive" '' "$mount/saved" && cmp -s "$work/whole" "$mount/saved" || good=0
	"$clusnap" save --quiet "$work/hive" 'Bench\InstalledPackage 0\Component 1' "$mount/saved" &&
		"$clusnap" check --quiet "$mount/saved" >/dev/null || good=0
	names=("$mount"/*saved*)
	[ ${#names[@]} -eq 1 ] || good=0
	unmount
	result $good "$1"
}

truncate -s 24m "$work/disk"
name="on NTFS"
if [ -e /dev/fuse ] && mkntfs -F -q "$work/disk" >/dev/null 2>&1 && ntfs-3g "$work/disk" "$mount" 2>/dev/null; then
	try "$name"
else
	skip "$name" "ntfs-3g cannot be mounted"
fi
name="on FAT"
if mkfs.vfat "$work/disk" >/dev/null 2>&1 && mount -o loop "$work/disk" "$mount" 2>/dev/null; then
	try "$name"
else
	skip "$name" "vfat cannot be mounted"
fi
echo "1..$number"
