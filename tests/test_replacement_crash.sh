#!/bin/bash
# A restore is killed and failed at its system calls, forward and back. After each: every file is
# the whole old or the whole new one, or both are whole beside it, and no old byte is lost; then it is
# resumed to the new state, and a copy of the disks is put back to the old one, byte for byte.
#
# Each call that changes what can be seen is failed, and killed at; of those that make it durable, every
# third is failed, and of the thousands that only look, every 331st. REPLACEMENT_FULL=1 fails all,
# and kills at all of the former. On NTFS, where files are replaced in place, it is killed at every
# third of these; or at all.
set -u
export LC_ALL=C
replace=$(realpath "${BUILD:-build}")/tests/tools/replace
. "${0%/*}/replacing.sh"
full=${REPLACEMENT_FULL-}
base=$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)
work=$(mktemp -d "$base/replacement.XXXXXX")
starts=$work # what is in it to begin with
mount=$work/ntfs
trap 'ntfs_end; rm -rf "$work"' EXIT
points=0
disks=$work/disks
exchange= # no: the file system cannot exchange two files
on=("$disks/s" "$disks/q")

if ! strace -o /dev/null true 2>/dev/null; then
	echo '1..0 # SKIP strace cannot trace here'
	exit 0
fi

do_begin() { "$replace" begin "$1/s" "$1/q"; }

# --- where to begin: copies of these ---

restore_start() { # NAME
	rm -rf "$disks"
	cp -a "$starts/start-$1" "$disks"
}

make_starts() {
	replacing_disks "$starts/start-old"
	cp -a "$starts/start-old" "$starts/start-prepared"
	"$replace" prepare "$starts/start-prepared"/{s,q} >/dev/null
	cp -a "$starts/start-old" "$starts/start-finished"
	"$replace" begin "$starts/start-finished"/{s,q} >/dev/null
	(cd "$starts"/start-finished/s/Windows/Cluster/clusnap-* && mv list.json journal.json)
}

# --- on NTFS ---

ntfs_begin() { # false if that cannot be
	[ -c /dev/fuse ] && [ "$(id -u)" -eq 0 ] && command -v mkntfs ntfs-3g >/dev/null || return 1
	mkdir "$mount"
	truncate -s 32M "$work/ntfs.img"
	mkntfs -F -q "$work/ntfs.img" >/dev/null 2>&1 &&
		ntfs-3g -o rw,nodev,nosuid,noexec,windows_names "$work/ntfs.img" "$mount" || return 1
	starts=$mount disks=$mount/disks on=("$mount/disks/s" "$mount/disks/q")
	make_starts
	replacing_keep "$work/start-old" "$work/kept"
}

ntfs_end() {
	while mountpoint -q "$mount"; do
		umount "$mount" 2>/dev/null || sleep 0.1
	done
}

# --- one run ---

# (strace with a filter is faster, and cannot kill)
run() { # ACTION STRACE-OPTIONS...: $status
	local action=$1 filter='-f --seccomp-bpf'
	shift
	[[ "$*" != *KILL* ]] || filter=
	[ -z "$exchange" ] || set -- "$@" -e inject=renameat2:error=EINVAL
	status=0
	# shellcheck disable=SC2086
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -qq $filter -o "$work/trace" "$@" \
		"$replace" "$action" "${on[@]}" >"$work/out" 2>"$work/said" || status=$?
} 2>/dev/null

# Calls behind the first on our own disks (before, it is the loader's), as "kind name n".
count_calls() { # START ACTION
	restore_start "$1"
	run "$2" -e trace=all -e signal=none
	[ $status -eq 0 ] || replacing_wrong "$2 fails without a fault: $(<"$work/said")"
	sed -E 's/^[0-9]+ +//' "$work/trace" | awk -F'(' -v full="$full" -v disks="$disks" '
		index($0, disks) && !/^execve/ { ours = 1 }
		$1 !~ /^[a-z0-9_]+$/ { next }
		{ n[$1]++ }
		/^write\(1,/ || !ours || $1 ~ /^(mmap|munmap|mprotect|brk|close|fadvise64|futex|exit_group)$/ { next }
		$1 ~ /^(mkdirat|write|ftruncate|renameat|renameat2|unlinkat)$/ || /O_CREAT/ { print "change", $1, n[$1]; next }
		$1 ~ /^(fsync|fchmod|fchown)$/ {
			if (full || ++synced % 3 == 0)
				print "sync", $1, n[$1]
			next
		}
		full || ++looked % 331 == 0 { print "look", $1, n[$1] }'
}

# A run that has ended by itself has said why, and what it said is true.
check_ended() { # START
	local now found
	now=$(replacing_list "$disks")
	if [ $status -eq 0 ]; then
		case $action in
		begin) [ "$now" = "$replacing_new" ] || replacing_wrong "exit 0, not the new state" ;;
		back) [ "$now" = "$replacing_old" ] || replacing_wrong "exit 0, not the old state" ;;
		esac
		return
	fi
	case $status in
	3 | 4 | 5 | 70) [ -s "$work/said" ] || replacing_wrong "exit $status without a word" ;;
	127) ;; # the program could not even be loaded
	*) replacing_wrong "exit $status: $(<"$work/said")" ;;
	esac
	if grep -q 'nothing was changed' "$work/said"; then
		[ "$now" = "$replacing_old" ] || replacing_wrong "something was changed"
	elif grep -qE 'resume|rollback' "$work/said"; then
		found=$("$replace" resume "$disks.copy2/s" "$disks.copy2/q" 2>&1)
		[ "$found" != nothing ] || [ "$now" = "$replacing_old" ] || [ "$now" = "$replacing_new" ] ||
			[ "$(replacing_without_leftovers <<<"$now")" = "$replacing_old" ] ||
			replacing_wrong "says it can be resumed: $(<"$work/said")"
	fi
}

point() { # START ACTION CALL FAULT N
	restore_start "$1"
	action=$2
	replacing_at="$2 from $1: $3 $4 $5"
	run "$2" -e trace="$3,renameat2" -e inject="$3:$4:when=$5" -e signal=none
	points=$((points + 1))
	if [ $status -ne 137 ]; then
		grep -q 'INJECTED' "$work/trace" || replacing_wrong "the fault did not come"
		rm -rf "$disks.copy2"
		cp -a "$disks" "$disks.copy2"
		check_ended "$1"
	fi
	replacing_judge "$disks"
}

sweep() { # START ACTION
	local kind call n faults fault skipped=0
	replacing_at="$2 from $1"
	count_calls "$1" "$2" >"$work/calls"
	[ "$(grep -c ^change "$work/calls")" -ge 5 ] || replacing_wrong "too few calls"
	while read -r kind call n; do
		case ${replacing_kept:+ntfs:}$kind:$call in
		ntfs:change:*)
			[ -n "$full" ] || [ $((++skipped % 3)) -eq 0 ] || continue
			faults=signal=KILL
			;;
		ntfs:*) continue ;;
		change:write) faults='signal=KILL error=ENOSPC' ;;
		change:*) faults='signal=KILL error=EIO' ;;
		sync:*) faults="error=EIO ${full:+signal=KILL}" ;;
		*) faults=error=EIO ;;
		esac
		for fault in $faults; do
			point "$1" "$2" "$call" "$fault" "$n"
		done
	done <"$work/calls"
	result "$2 from $1${exchange:+, no exchange}${replacing_kept:+, on NTFS}"
}

# --- the order of what is durable, from a run without faults ---

order() { # START ACTION: what was created, renamed, removed and synced on the system disk
	restore_start "$1"
	run "$2" -y -e trace=openat,mkdirat,fsync,renameat,renameat2,unlinkat -e signal=none
	sed -nE -e 's/^[0-9]+ +//' -e 's/[0-9]+<[^>]*\/([^>\/]*)>/<\1>/g' \
		-e '/^openat.*O_CREAT/s/^openat\((.*), "(.*)", .*/create \1 \2/p' \
		-e '/^(fsync|mkdirat|renameat2?|unlinkat)/s/ += 0$//p' "$work/trace" |
		tr -d '"' | tr '(),' '   ' | tr -s ' ' | sed 's/ $//; s/clusnap-20260101T000000Z/ASIDE/g'
}

make_starts
replacing_reference "$work/start-old"
result "without a fault"

# CLUSDB with its logs on the system disk alone
# shellcheck disable=SC2034 # tests/replacing.sh says it
replacing_at="the order of calls"
cp -a "$work/start-old" "$work/start-small"
rm "$work"/start-small/s/Windows/System32/config/*
on=("$disks/s")
order small begin >"$work/order"
on=("$disks/s" "$disks/q")
diff - "$work/order" >"$work/diff" <<'END' || replacing_wrong "$(<"$work/diff")"
mkdirat <Cluster> ASIDE 0700
fsync <Cluster>
create <ASIDE> journal.json
fsync <journal.json>
fsync <ASIDE>
create <ASIDE> 1-CLUSDB.clusnap-new
fsync <1-CLUSDB.clusnap-new>
fsync <ASIDE>
create <ASIDE> 4-SOFTWARE.clusnap-new
fsync <4-SOFTWARE.clusnap-new>
fsync <ASIDE>
fsync <1-CLUSDB.clusnap-new>
fsync <ASIDE>
renameat2 <Cluster> CLUSDB <ASIDE> 1-CLUSDB.clusnap-new RENAME_EXCHANGE
fsync <Cluster>
fsync <ASIDE>
renameat <ASIDE> 1-CLUSDB.clusnap-new <ASIDE> CLUSDB
fsync <ASIDE>
fsync <CLUSDB>
fsync <ASIDE>
renameat <Cluster> CLUSDB.LOG1 <ASIDE> CLUSDB.LOG1
fsync <ASIDE>
fsync <Cluster>
fsync <CLUSDB.LOG1>
fsync <ASIDE>
renameat <Cluster> CLUSDB.LOG2 <ASIDE> CLUSDB.LOG2
fsync <ASIDE>
fsync <Cluster>
fsync <CLUSDB.LOG2>
fsync <ASIDE>
fsync <4-SOFTWARE.clusnap-new>
fsync <ASIDE>
renameat <ASIDE> 4-SOFTWARE.clusnap-new <config> SOFTWARE
fsync <config>
fsync <ASIDE>
create <ASIDE> list.json
fsync <list.json>
fsync <ASIDE>
unlinkat <ASIDE> journal.json 0
fsync <ASIDE>
END
result "the order of calls"

sweep old begin
sweep prepared resume
sweep prepared back
sweep finished back
exchange=no
sweep prepared resume
sweep finished back
exchange=
if ntfs_begin; then
	sweep prepared resume
	sweep finished back
fi
echo "# $points runs with a fault"
echo "1..$number"
