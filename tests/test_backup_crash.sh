#!/bin/bash
# Promise 3: a snapshot is all or nothing. A backup over an existing snapshot is killed, and made
# to fail, at each of its system calls. Afterwards DEST is the whole old snapshot or the whole
# new one; or it is absent, the old one stands whole beside it, and verify says where. In any
# case the next backup heals it. Calls before the first that writes can only fail, and of those
# only some are tried: they are the same that reading a disk has to survive.
. tests/backup.sh
. tests/fault.sh
if ! fault_have; then
	echo "1..0 # SKIP strace cannot trace here"
	exit 0
fi
place=$work/place dest=$work/place/snap
mkdir "$work/older"
"$build/tests/tools/make_small_node" "$work/older" older
"$clusnap" backup "$work/older" "$work/old" >/dev/null 2>&1
"$clusnap" backup "$work/node" "$work/new" >/dev/null 2>&1
old=$(sha256sum <"$work/old/quolog.log") new=$(sha256sum <"$work/new/quolog.log")
bytes "$work/node" >"$work/bytes"

# What stands in a directory: old, new, or neither.
which_one() {
	if diff -r "$1" "$work/old" >/dev/null 2>&1; then
		echo old
	elif diff -r "$1" "$work/new" >/dev/null 2>&1; then
		echo new
	else
		echo neither
	fi
}

prepare() {
	rm -rf "$place"
	mkdir "$place"
	[ "$before" = nothing ] || cp -a "$work/old" "$dest"
}

# What could not be read on the disk is not in a new snapshot; that must have been said.
is_new_with_a_warning() {
	is_whole "$dest" && { [ $fault_status -eq 1 ] || [ $fault_status -eq 0 ]; } &&
		grep -q 'warning: ' "$fault_err"
}

look() { # DEST after a kill or a failure
	found=none
	if [ -e "$dest" ]; then
		found=$(which_one "$dest")
		[ $found != neither ] || ! is_new_with_a_warning || found=new
		[ $found != neither ] || wrong "$at: DEST is neither the old nor the new"
		[ "$before$found" != nothingold ] || wrong "$at: an old one from nowhere"
		return
	fi
	[ "$before" != nothing ] || return
	[ "$(which_one "$place/.snap.clusnap-old")" = old ] || wrong "$at: DEST and the old one are lost"
	run verify "$dest"
	[ $status -eq 1 ] && [[ $err == *"$place/.snap.clusnap-old"* ]] ||
		wrong "$at: verify says $status: $err"
	absent=$((absent + 1))
}

heal() {
	run backup "$work/node" "$dest"
	[ $status -eq 0 ] || wrong "$at: the next backup fails: $err"
	[ "$(which_one "$dest")" = new ] || wrong "$at: the next backup did not heal it"
	[ "$(ls -A "$place")" = snap ] || wrong "$at: the next backup left $(ls -A "$place")"
}

judge() {
	# shellcheck disable=SC2034 # read by tests/fault.sh
	fault_at=$at
	fault_orderly || wrong "$at: exit $fault_status: $(<"$fault_err")"
	look
	if [ $fault_status -le 1 ]; then
		[ $found = new ] || wrong "$at: exit $fault_status without the new one"
	elif [ $fault_status -ne 137 ] &&
		! grep -qE 'is in place, whole|standard output' "$fault_err"; then
		# what failed in good order has changed nothing and left nothing
		[ "$before" = nothing ] || [ $found = old ] || wrong "$at: failed, DEST is not the old one"
		[ "$(ls -A "$place")" = "${found/none/}${found/old/}" ] ||
			[ "$(ls -A "$place")" = snap ] || [ -z "$(ls -A "$place")" ] ||
			[[ $at == unlink* ]] || wrong "$at: left $(ls -A "$place")"
		return
	fi
	[ $found = new ] && [ "$(ls -A "$place")" = snap ] || heal
}

# sweep NAME STEP CALL:ACTION...: faults from the first call that writes on; with STEP not 0 also
# each STEPth before it. ACTION is KILL or an error.
sweep() {
	local name=$1 step=$2 fault call n first runs=0
	shift 2
	fault_out=$work/fault.out fault_err=$work/fault.err absent=0
	prepare
	strace -qq -o "$work/calls" "${always[@]}" "$clusnap" backup "$work/node" "$dest" >/dev/null 2>&1
	for fault in "$@"; do
		call=${fault%:*}
		first=$(awk -v call="$call(" 'index($0, call) == 1 { n++ }
			/^mkdirat/ { print n + 0; exit }' "$work/calls")
		[ "$call" != mkdirat ] || first=1
		for ((n = step ? 1 : first > 0 ? first : 1; n < 500; n++)); do
			((n >= first || n % step == 0)) || continue
			prepare
			at="$fault $n"
			if [ "${fault#*:}" = KILL ]; then
				fault_once "$work/fault.log" "$call" signal=KILL "$n" "${always[@]}" \
					"$clusnap" backup "$work/node" "$dest" >"$fault_out" 2>"$fault_err" || break
			else
				fault_once "$work/fault.log" "$call" "error=${fault#*:}" "$n" "${always[@]}" \
					"$clusnap" backup "$work/node" "$dest" >"$fault_out" 2>"$fault_err" || break
			fi
			runs=$((runs + 1))
			judge
		done
	done
	bytes "$work/node" | cmp -s - "$work/bytes" || wrong "the source has changed"
	[ $runs -gt 15 ] || wrong "only $runs runs"
	echo "# $runs runs, $absent times verify had to say where the old one is"
	[ ${#always[@]} -eq 0 ] || [ $absent -gt 0 ] || wrong "DEST was never absent"
	result "$name"
}

always=()
before=snapshot
sweep "promise 3: over a snapshot, killed at each call that writes" 0 \
	openat:KILL mkdirat:KILL write:KILL fsync:KILL close:KILL fchmod:KILL fchmodat:KILL \
	fsetxattr:KILL renameat:KILL renameat2:KILL unlinkat:KILL
sweep "promise 3: over a snapshot, each call that writes fails" 0 \
	mkdirat:ENOSPC write:EIO fsync:EIO renameat:EIO renameat2:EIO unlinkat:EIO fchmod:EPERM \
	close:EIO openat:EMFILE
sweep "promise 3: over a snapshot, reading the disk fails" 17 \
	openat:EIO read:EIO getdents64:EIO newfstatat:EIO statx:EIO ftruncate:ENOSPC mmap:ENOMEM
always=(-e inject=renameat2:error=EINVAL) fault_also=renameat2
sweep "promise 3: where two names cannot be exchanged" 0 \
	renameat:KILL fsync:KILL unlinkat:KILL mkdirat:KILL renameat:EIO
# shellcheck disable=SC2034 # read by tests/fault.sh
always=() fault_also=''
before=nothing
sweep "promise 3: a first backup, killed or failing" 0 \
	write:KILL renameat:KILL mkdirat:KILL write:ENOSPC fsync:EIO renameat:EIO
[ "$old" != "$new" ] || wrong "old and new do not differ"
result "old and new can be told apart"
echo "1..$number"
