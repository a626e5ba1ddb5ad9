#!/bin/bash
# Publishing is killed and failed at each of its system calls; afterwards the destination is the
# whole old or the whole new thing, or both stand whole beside it, and the next run heals it.
#
# For each call that the program makes (counted by a run without faults) one run gets an error
# from it, and, for calls that change anything, one is killed at it.
set -u
shopt -s globstar dotglob nullglob
export LC_ALL=C
publish=$(realpath "${BUILD:-build}")/tests/tools/publish
work=$(mktemp -d)
trap 'cd /; cleanup' EXIT
number=0
export PUBLISH_SIZE=100000 # of a file

cleanup() {
	mountpoint -q "$work/m" && umount "$work/m"
	rm -rf "$work"
}

result() { # NAME: ok if the file "wrong" is empty
	number=$((number + 1))
	if [ -s "$work/wrong" ]; then
		echo "not ok $number - $1"
		head -n 20 "$work/wrong" | sed 's/^/# /'
	else
		echo "ok $number - $1"
	fi
	: >"$work/wrong"
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

wrong() { echo "$at: $*" >>"$work/wrong"; }

# --- what a directory or file holds, judged without the program ---

is_dir() { # DIR TEXT: is it the whole directory with TEXT, and nothing else?
	local names=("$1"/**) name
	[ "${names[*]#"$1/"}" = " marker one other other/four sub sub/three two" ] || return 1
	[ ! -s "$1/marker" ] || return 1
	for name in one two sub/three other/four; do
		[ "$(<"$1/$name")" = "$2" ] || return 1
	done
}

is_file() { # FILE TEXT
	local length=$((${#2} + 1))
	local copies=$(((PUBLISH_SIZE + length - 1) / length))
	[ -f "$1" ] && cmp -s "$1" <(yes "$2" | head -n $copies | head -c "$PUBLISH_SIZE")
}

is_whole() { "is_$kind" "$place/dest" "$1"; }
left() {
	local names=("$place"/.dest*)
	echo "${names[*]}"
}

# --- one run with a fault ---

writing='openat,mkdirat,write,fsync,close,fchmod,renameat,renameat2,unlinkat,fsetxattr'
reading='flock,fstatfs,statx,getdents64,newfstatat,fcntl'

prepare() {
	rm -rf "$place"
	mkdir "$place"
	case $before in
	old) cp -a "$work/old-$kind" "$place/dest" ;;
	empty) mkdir "$place/dest" ;;
	esac
}

run() { # STRACE OPTIONS...: publishes "new"; $status
	run_traced "$@" 2>/dev/null # where the shell says "Killed"
}

run_traced() {
	LSAN_OPTIONS=detect_leaks=0 ASAN_OPTIONS=detect_leaks=0 \
		strace -o "$work/trace" -e signal=none "${always[@]}" "$@" \
		"$publish" "$kind" "$place/dest" new >"$work/out" 2>"$work/said"
	status=$?
}

run_append() { # FAULT
	ASAN_OPTIONS=detect_leaks=0 strace -o "$work/trace" -e signal=none -e trace="${1%%:*}" \
		-e inject="$1" "$publish" append "$work/log" 12 ' And more.' >/dev/null 2>"$work/said"
	status=$?
} 2>/dev/null

check_killed() {
	case $before in
	old)
		is_whole new || is_whole old ||
			{ [ "$kind" = dir ] && [ ! -e "$place/dest" ] &&
				is_dir "$place/.dest.clusnap-old" old &&
				is_dir "$place/.dest.clusnap-new" new &&
				"$publish" left "$place/dest" | grep -q '^old .*clusnap-old$'; } ||
			{ [ "$kind" = file ] && [ ! -e "$place/dest" ] &&
				is_file "$place/.dest.clusnap-bak" old; } ||
			wrong "neither the old nor the new is whole: $(cd "$place" && find . | tr '\n' ' ')"
		;;
	none) [ ! -e "$place/dest" ] || is_whole new || wrong "something half made" ;;
	empty)
		is_whole new || rmdir "$place/dest" 2>/dev/null || [ ! -e "$place/dest" ] ||
			wrong "something half made"
		;;
	esac
}

check_failed() {
	if [ $status -eq 0 ]; then
		is_whole new || wrong "exit 0, but the new one is not there"
		[ -z "$(left)" ] || grep -q 'warning:.*could not be removed' "$work/said" ||
			[ "$kind" = file ] || wrong "exit 0, left without a word: $(left)"
		return
	fi
	[ -s "$work/said" ] || wrong "exit $status without a word"
	[ $status -eq 5 ] || wrong "exit $status: $(<"$work/said")"
	if grep -q 'is in place, whole' "$work/said"; then
		is_whole new || wrong "it is not in place"
		return
	fi
	case $before in
	old) is_whole old || wrong "exit 5, and the old one is not whole" ;;
	none) [ ! -e "$place/dest" ] || wrong "exit 5, and something is there" ;;
	empty) [ -d "$place/dest" ] && [ -z "$(ls -A "$place/dest")" ] ||
		wrong "exit 5, and the empty directory is gone" ;;
	esac
	[ -z "$(left)" ] || wrong "exit 5, left behind: $(left) ($(<"$work/said"))"
}

check_healed() {
	"$publish" "$kind" "$place/dest" next >/dev/null 2>"$work/said" ||
		wrong "the next run fails: $(<"$work/said")"
	is_whole next || wrong "the next run did not heal it"
	[ -z "$(left)" ] || wrong "the next run left: $(left)"
}

# The library's start makes calls as well; only those after the first on our own path count.
count_calls() { # CALLS
	prepare
	run -e trace="$1"
	[ $status -eq 0 ] || wrong "fails without a fault: $(<"$work/said")"
	awk -F'(' -v mine=0 '{ n[$1]++ } /clusnap-/ { mine = 1 }
		mine && $1 ~ /^[a-z0-9_]+$/ { print $1, n[$1] }' "$work/trace"
}

sweep() { # CALLS FAULTS...
	local name n fault calls=$1
	shift
	count_calls "$calls" >"$work/calls"
	[ -s "$work/calls" ] || wrong "no calls"
	while read -r name n; do
		for fault in "$@"; do
			at="$name $n $fault"
			prepare
			run -e trace="$name,renameat2" -e inject="$name:$fault:when=$n"
			[ $status -eq 137 ] || grep -q "^$name(.*INJECTED" "$work/trace" ||
				wrong "the fault did not come"
			case $fault in
			signal=KILL) check_killed ;;
			*) check_failed ;;
			esac
			runs=$((runs + 1))
			[ "${fault#error}" != "$fault" ] && [ $status -eq 5 ] && [ "$before" != old ] && continue
			check_healed
		done
	done <"$work/calls"
}

: >"$work/wrong"
at=start
if ! strace -o /dev/null true 2>/dev/null; then
	echo '1..0 # SKIP strace cannot trace here'
	exit 0
fi

place=$work/p
always=()
"$publish" dir "$work/old-dir" old >/dev/null && "$publish" file "$work/old-file" old
# --- exit 0 means durable: the calls in their order, file descriptors by what they are ---

order() { # what was created, synced and renamed, from a run without faults
	prepare
	run -y -e trace=openat,mkdirat,fsync,close,renameat,renameat2,unlinkat
	[ $status -eq 0 ] || wrong "fails without a fault: $(<"$work/said")"
	sed -nE -e 's/[0-9]+<[^>]*\/([^>\/]*)>/<\1>/g' -e 's/clusnap-[0-9a-f]{16}/clusnap-RANDOM/g' \
		-e '/^openat.*O_CREAT/s/^openat\((.*), "(.*)", .*/create \1 \2/p' \
		-e '/^(fsync|mkdirat|renameat2?|unlinkat\(<p>)/s/ += 0$//p' \
		"$work/trace" | tr -d '"' | tr '(),' '   ' | tr -s ' ' | sed 's/ $//'
}

same_order() { # EXPECTED
	diff <(order) - >"$work/diff" || wrong "$(<"$work/diff")"
}

kind=dir
before=old
at=order
same_order <<'END'
mkdirat <p> .dest.clusnap-new 0700
create <.dest.clusnap-new> one
fsync <one>
create <.dest.clusnap-new> two
fsync <two>
mkdirat <.dest.clusnap-new> sub 0700
create <sub> three
fsync <three>
mkdirat <.dest.clusnap-new> other 0700
create <other> four
fsync <four>
create <.dest.clusnap-new> marker
fsync <marker>
fsync <sub>
fsync <other>
fsync <.dest.clusnap-new>
renameat2 <p> .dest.clusnap-new <p> dest RENAME_EXCHANGE
fsync <p>
renameat <p> .dest.clusnap-new <p> .dest.clusnap-gone
unlinkat <p> .dest.clusnap-gone AT_REMOVEDIR
END
result "dir, the order of calls"
kind=file
same_order <<'END'
create <p> .dest.clusnap-RANDOM
fsync <.dest.clusnap-RANDOM>
renameat <p> .dest.clusnap-RANDOM <p> dest
fsync <p>
END
result "file, the order of calls"

runs=0
kind=dir
before=none
sweep "$writing" signal=KILL error=ENOSPC
sweep "$reading" error=EIO
result "dir, nothing there before"
before=old
sweep "$writing" signal=KILL error=EIO
sweep "$reading" error=EIO
result "dir, an old one there"
before=empty
sweep renameat,renameat2,fsync,unlinkat signal=KILL error=EIO
result "dir, an empty one there"

# a file system that cannot exchange two names
before=old
always=(-e inject=renameat2:error=EINVAL)
sweep renameat,fsync,unlinkat signal=KILL error=EIO
result "dir, no exchange"
always=()

kind=file
before=none
sweep "$writing,$reading" signal=KILL error=ENOSPC
result "file, nothing there before"
before=old
sweep "$writing,$reading" signal=KILL error=EIO
result "file, an old one there"
# one that goes past the page cache but for its end
PUBLISH_SIZE=4206692
"$publish" file "$work/old-file" old
prepare
run -e trace=fcntl,write
grep -q '^fcntl.*F_SETFL.*O_DIRECT' "$work/trace" || wrong "it does not ask to go past the page cache"
[ "$(grep -c '^write([0-9]*, "new' "$work/trace")" -ge 1 ] || wrong "nothing is written"
sweep openat,write,fcntl,fsync signal=KILL error=EIO error=ENOSPC error=EINVAL
result "a large file, an old one there"
PUBLISH_SIZE=100000
"$publish" file "$work/old-file" old

# every call of a kind fails from the Nth on: cleaning up fails too, but nothing whole is lost
kind=dir
for call in write fsync renameat2 renameat unlinkat openat newfstatat getdents64; do
	for n in 1 3 8 21; do
		at="$call $n and all after it"
		prepare
		run -e trace="$call" -e inject="$call:error=EIO:when=$n+"
		[ $status -ne 0 ] || is_whole new || wrong "exit 0 without the new one"
		check_killed
		check_healed
		runs=$((runs + 1))
	done
done
result "dir, everything fails from some call on"

# appending: the old file, the new one, or after a kill the old one with a part of the new end
printf 'the old log.' >"$work/old-append"
for call in openat flock fstat newfstatat lseek write fsync close; do
	for n in {1..9}; do
		for fault in signal=KILL error=EIO error=ENOSPC; do
			at="append: $call $n $fault"
			cp "$work/old-append" "$work/log"
			run_append "$call:$fault:when=$n"
			[ $status -eq 137 ] || grep -q "^$call(.*INJECTED" "$work/trace" || break 2
			runs=$((runs + 1))
			log=$(<"$work/log")
			case $status:$log in
			0:'the old log. And more.') ;;
			5:'the old log.' | 3:'the old log.') ;;
			127:'the old log.') ;; # the program could not even be loaded
			137:'the old log.'*)
				[ "${log#'the old log.'}" = "" ] || [ "$log" = 'the old log. And more.' ] ||
					wrong "killed: '$log'"
				;;
			5:'the old log. And more.') grep -q 'cannot close' "$work/said" ||
				wrong "exit 5, but it is appended" ;;
			*) wrong "exit $status: '$log': $(<"$work/said")" ;;
			esac
		done
	done
done
result "append"
echo "# $runs runs with a fault"

echo "1..$number"
