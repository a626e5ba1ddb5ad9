#!/bin/bash
# Power cuts on NTFS: every prefix of the writes that reached the disk while a directory, and a
# file, replaced an older one is mounted; the old or the new must be whole there, or both beside.
#
# ntfs-3g writes through qemu's blklogwrites, which records each write; tests/powercut.py
# puts the first N of them onto the disk as it was before. POWERCUT_STEP=1 tries each N.
#
# NTFS without its own recovery (ntfs-3g has none) may have one directory under two names, or
# an index that does not agree with itself, until chkdsk ran. So the next run either heals what
# is there or refuses; in both cases something whole must still be there afterwards.
set -u
shopt -s globstar dotglob nullglob
export LC_ALL=C
publish=$(realpath "${BUILD:-build}")/tests/tools/publish
here=$(realpath "${0%/*}")
work=$(mktemp -d)
mount=$work/m
daemon=
number=0
trap 'cd /; finish' EXIT

finish() {
	unmount
	[ -n "$daemon" ] && kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
	rm -rf "$work"
}

unmount() {
	while mountpoint -q "$mount"; do
		umount "$mount" 2>/dev/null || sleep 0.05
	done
}

plan_skip() {
	echo "1..0 # SKIP POWER CUTS ARE NOT TESTED: $1"
	exit 0
}

[ -c /dev/fuse ] && [ "$(id -u)" -eq 0 ] || plan_skip "no /dev/fuse, or not root"
for tool in mkntfs ntfs-3g qemu-storage-daemon python3; do
	command -v $tool >/dev/null || plan_skip "no $tool"
done

is_dir() { # DIR TEXT. By name: listing such a directory may be an error until chkdsk ran
	local name
	[ -f "$1/marker" ] && [ ! -s "$1/marker" ] || return 1
	for name in one two sub/three other/four; do
		[ -f "$1/$name" ] && [ "$(<"$1/$name")" = "$2" ] || return 1
	done
}

is_file() { # FILE TEXT
	[ -f "$1" ] && cmp -s "$1" "$work/$2"
}

record() { # KIND: "old" stands on the disk; what "new" over it writes goes to $work/log
	truncate -s 0 "$work/disk" "$work/log"
	truncate -s 4M "$work/disk"
	mkntfs -F -q "$work/disk" >/dev/null 2>&1
	ntfs-3g "$work/disk" "$mount" && "$publish" "$1" "$mount/dest" old >/dev/null
	unmount
	cp "$work/disk" "$work/before"
	: >"$work/export"
	qemu-storage-daemon \
		--blockdev driver=file,node-name=disk,filename="$work/disk" \
		--blockdev driver=file,node-name=log,filename="$work/log" \
		--blockdev driver=blklogwrites,node-name=both,file=disk,log=log \
		--export type=fuse,id=e,node-name=both,mountpoint="$work/export",writable=on \
		>"$work/daemon" 2>&1 &
	daemon=$!
	for _ in {1..1200}; do
		[ "$(stat -c %s "$work/export")" -gt 0 ] && break
		sleep 0.05
	done
	ntfs-3g "$work/export" "$mount" && "$publish" "$1" "$mount/dest" new >/dev/null
	unmount
	kill "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
}

look() { # KIND: what is on the mounted disk
	local kind=$1
	if "is_$kind" "$mount/dest" new; then
		echo new
	elif "is_$kind" "$mount/dest" old; then
		echo old
	elif [ -e "$mount/dest" ]; then
		echo "half: $(cd "$mount" && echo **)"
	elif [ "$kind" = dir ] && is_dir "$mount/.dest.clusnap-old" old &&
		is_dir "$mount/.dest.clusnap-new" new; then
		echo beside
	elif [ "$kind" = file ] && is_file "$mount/.dest.clusnap-bak" old; then
		echo beside
	else
		echo "lost: $(cd "$mount" && echo **)"
	fi
}

cut_after() { # KIND N: the disk with the first N writes; what is there, and is it healed?
	local found
	python3 "$here/powercut.py" "$work/before" "$work/log" "$2" "$work/disk"
	if ! ntfs-3g "$work/disk" "$mount" 2>"$work/said"; then
		echo refused
		return
	fi
	found=$(look "$1")
	if "$publish" "$1" "$mount/dest" new >/dev/null 2>"$work/said"; then
		[ "$(look "$1")" = new ] || found+=", not healed"
	else
		case $(look "$1") in
		old | new | beside) found+="+refused" ;;
		*) found+=", next: $(<"$work/said"), $(look "$1")" ;;
		esac
	fi
	echo "$found"
	unmount
}

mkdir "$mount"
for text in old new; do
	yes $text | head -n 25000 | head -c 100000 >"$work/$text"
done
for kind in dir file; do
	record $kind
	writes=$(python3 "$here/powercut.py" "$work/before" "$work/log" count)
	for ((n = 0; n <= writes; n += ${POWERCUT_STEP:-13})); do
		echo "$n $(cut_after $kind "$n")"
	done >"$work/answers"
	[ $((n - ${POWERCUT_STEP:-13})) -eq "$writes" ] ||
		echo "$writes $(cut_after $kind "$writes")" >>"$work/answers"
	number=$((number + 1))
	bad=$(grep -vE '^[0-9]+ ((old|new|beside)(.refused)?|refused)$' "$work/answers")
	[ "$writes" -gt 50 ] || bad="only $writes writes were recorded"
	[ "$(tail -n 1 "$work/answers" | cut -d' ' -f2)" = new ] || bad+=" the last is not new"
	if [ -z "$bad" ]; then
		echo "ok $number - $kind: $writes writes"
	else
		echo "not ok $number - $kind: $writes writes"
		echo "$bad" | head -n 20 | sed 's/^/# /'
	fi
	cut -d' ' -f2 "$work/answers" | sort | uniq -c | sed 's/^/#/'
done
echo "1..$number"
