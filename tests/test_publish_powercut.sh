#!/bin/bash
# Power cuts on NTFS: every prefix of the writes that reached the disk while a directory, and a
# file, replaced an older one is mounted; the old or the new must be whole there, or both beside.
#
# POWERCUT_STEP=1 tries each number of writes (13).
#
# NTFS without its own recovery (ntfs-3g has none) may have one directory under two names, or
# an index that does not agree with itself, until chkdsk ran. So the next run either heals what
# is there or refuses; in both cases something whole must still be there afterwards.
set -u
shopt -s globstar dotglob nullglob
export LC_ALL=C
. tests/powercut.sh
publish=$(realpath "${BUILD:-build}")/tests/tools/publish
work=$(mktemp -d)
mount=$work/m
number=0
trap 'cd /; powercut_end; rm -rf "$work"' EXIT

missing=$(powercut_missing)
if [ -n "$missing" ]; then
	echo "1..0 # SKIP POWER CUTS ARE NOT TESTED: $missing"
	exit 0
fi

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

put() { "$publish" "$1" "$mount/dest" "$2" >/dev/null 2>"$work/said"; } # KIND TEXT

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
	powercut_mount "$2" || { echo refused; return; }
	found=$(look "$1")
	if put "$1" new; then
		[ "$(look "$1")" = new ] || found+=", not healed"
	else
		case $(look "$1") in
		old | new | beside) found+="+refused" ;;
		*) found+=", next: $(<"$work/said"), $(look "$1")" ;;
		esac
	fi
	echo "$found"
}

answers() { # KIND STEP: a line for every STEP writes, and the last
	local n
	for ((n = 0; n < powercut_writes; n += $2)); do
		echo -n "$n "
		cut_after "$1" "$n"
	done
	echo -n "$powercut_writes "
	cut_after "$1" "$powercut_writes"
}

for text in old new; do
	yes $text | head -n 25000 | head -c 100000 >"$work/$text"
done
for kind in dir file; do
	powercut_begin "$work" 4M
	put $kind old
	powercut_record put $kind new
	answers $kind "${POWERCUT_STEP:-13}" >"$work/answers"
	number=$((number + 1))
	bad=$(grep -vE '^[0-9]+ ((old|new|beside)(.refused)?|refused)$' "$work/answers")
	[ "$powercut_writes" -gt 50 ] || bad="only $powercut_writes writes were recorded"
	[ "$(tail -n 1 "$work/answers" | cut -d' ' -f2)" = new ] || bad+=" the last is not new"
	if [ -z "$bad" ]; then
		echo "ok $number - $kind: $powercut_writes writes"
	else
		echo "not ok $number - $kind: $powercut_writes writes"
		echo "$bad" | head -n 20 | sed 's/^/# /'
	fi
	cut -d' ' -f2 "$work/answers" | sort | uniq -c | sed 's/^/#/'
done
echo "1..$number"
