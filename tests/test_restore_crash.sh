#!/bin/bash
# Promise 8: restore, --resume, --rollback and undo are killed at, or made to fail, at each of their
# system calls that change something. At every point the disk is old, or new, or an undo directory
# is there with which --resume and undo each reach their end: everything is as it should be, or byte for
# byte as it was; and messages say where things stand. Power cuts are in tests/test_carry_cuts.c.
#
#	RESTORE_STEP=1 tests/test_restore_crash.sh	all points instead of a sample
. tests/backup.sh
rm -rf "$work"
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
. tests/restore.sh
. tests/fault.sh
mkdir "$work/disks"

if ! fault_have; then
	echo "1..0 # SKIP no strace"
	exit 0
fi

# --- what is restored: before MODE makes the disks, ${arguments[@]} is what restores them ---

snapshot=$work/snapshot snapshot19=$work/snapshot19 small=$work/disks/small
fresh_disks
mkdir "$small"
"$build/tests/tools/make_small_node" "$small"
"$clusnap" backup --quiet --quorum "$quorum" "$kiel" "$snapshot" >/dev/null 2>&1 &&
	"$clusnap" backup --quiet "$small" "$snapshot19" >/dev/null 2>&1 || wrong "backup"

rm -r "$small" && mkdir "$small"
"$build/tests/tools/make_small_node" "$small" dirty
mkdir "$work/node.before"
cp -a "$small" "$work/node.before"

printf 'Windows Registry Editor Version 5.00\n\n[\\Contoso]\n"Changed"=dword:00000001\n' >"$work/a.reg"
printf '\n[\\Microsoft\\Microsoft SQL Server\\MSSQL.1\\MSSQLSERVER]\n"Changed"=dword:00000001\n' >>"$work/a.reg"
hivexregedit --merge "$kiel/WINNT/system32/config/SOFTWARE" "$work/a.reg" >/dev/null 2>&1 || wrong merge
printf 'old log' >"$kiel/WINNT/system32/config/SOFTWARE.LOG"
truncate -s 9000 "$kiel/WINNT/Cluster/CLUSDB"
rm -r "$quorum"/MSCS/ca7d4543-*
printf x >"$(echo "$quorum"/MSCS/2e9ca17f-*/00000001.CPT)"
mkdir "$work/all.before"
cp -a "$kiel" "$quorum" "$work/all.before"

before() {
	rm -rf "$work/disks" "$work/undo"
	cp -a "$work/$mode.before" "$work/disks"
}

now() { bytes "$work/disks"; }

choose() { # MODE: a node whose ClusDb is dirty, or everything at once on two disks
	mode=$1
	case $1 in
	node) arguments=("$snapshot19" "$small") disk=$small hives=(Windows/Cluster/CLUSDB) ;;
	all)
		arguments=(--authoritative --checkpoints --quorum "$quorum" "$snapshot" "$kiel")
		disk=$kiel hives=(WINNT/Cluster/CLUSDB WINNT/system32/config/SOFTWARE)
		;;
	esac
	arguments=(--undo "$work/undo" "${durable[@]}" "${arguments[@]}")
	before
	old=$(now)
	"$clusnap" restore "${arguments[@]}" >/dev/null 2>"$work/err" || wrong "$mode: $(<"$work/err")"
	new=$(now)
	save new
}

# States that --resume, --rollback and undo begin from; the name of the undo directory stays.
save() { # NAME
	rm -rf "$work/$1"
	mkdir "$work/$1"
	cp -a "$work/disks" "$work/undo" "$work/$1"
}
load() {
	rm -rf "$work/disks" "$work/undo"
	cp -a "$work/$1/disks" "$work/$1/undo" "$work"
}

# --- the judge ---

# Each hive is whole, or its first sector says that it is not. (Of a dirty one its logs' data may be
# in it: what that is, is judged in tests/test_carry.c.)
marked_or_whole() {
	local hive first
	for hive in "${hives[@]}"; do
		first=$(head -c 46 "$disk/$hive" | tr -d '\0')
		[[ $first == regf* || $first == 'clusnap: a restore of this file is unfinished' ]] ||
			wrong "$at: $hive begins with '$first'"
	done
}

ends() { # what is there can be finished, and undone
	local undo state
	undo=$(undo_of "$work/undo")
	state=$(now)
	marked_or_whole
	if [ -z "$undo" ]; then
		[ "$state" = "$old" ] || wrong "$at: changed, and no undo directory"
		return
	fi
	if [ "$state" != "$old" ] && [ "$state" != "$new" ]; then
		run status "$disk"
		if [ $status -ne 6 ] && head -c 7 "$disk/${hives[0]}" | grep -q clusnap; then
			wrong "$at: status $status, and CLUSDB is not whole"
		fi
	fi
	cp -a "$work/disks" "$work/kept"
	run restore --resume "$undo"
	[ $status -eq 0 ] || wrong "$at: --resume: $status: $err"
	[ "$(now)" = "$new" ] || wrong "$at: --resume has led elsewhere: $(diff <(now) <(echo "$new") | head -n 4)"
	rm -rf "$work/disks"
	mv "$work/kept" "$work/disks"
	run undo "$undo" "$disk"
	[ $status -eq 0 ] || wrong "$at: undo: $status: $err"
	[ "$(now)" = "$old" ] || wrong "$at: undo has led elsewhere: $(diff <(now) <(echo "$old") | head -n 4)"
	[ -z "$(find "$work/disks" -name '*clusnap*')" ] || wrong "$at: something is left"
}

# What the program says is so.
says() {
	case $fault_status in
	0) [ "$(now)" = "$wanted" ] || wrong "$at: exit 0, and it is not done" ;;
	5 | 70)
		if grep -q 'nothing was changed' "$fault_err"; then
			[ "$(now)" = "$begun" ] || wrong "$at: it says that nothing was changed: $(<"$fault_err")"
		elif ! grep -q 'all the same' "$fault_err" && [ "$(now)" != "$begun" ]; then
			grep -qF -e "clusnap restore --resume $(undo_of "$work/undo")" "$fault_err" ||
				wrong "$at: does not say where things stand: $(<"$fault_err")"
		fi
		;;
	esac
}

judge() {
	at="$mode, $what, $fault_at"
	fault_orderly || wrong "$at: status $fault_status: $(head -n 1 "$fault_err")"
	says
	ends
}

sweep() { # NAME STEP CALLS ARGUMENT...: begins where prepare puts it
	local name=$1 calls=$3
	# shellcheck disable=SC2034 # of fault.sh
	fault_step=${RESTORE_STEP:-$2}
	shift 3
	prepare
	begun=$(now)
	fault_points=0
	fault_sweep prepare judge "$calls" "$clusnap" "$@"
	[ "$fault_points" -gt 0 ] || wrong "no fault fired"
	result "promise 8: $name ($fault_points points)"
}

# The first open behind the first thing that is written; reading is judged in test_restore.sh.
first_open() { # ARGUMENT...
	prepare
	strace -f -qq -o "$work/trace" -e trace=openat,mkdirat,pwrite64,unlinkat,flock "$clusnap" "$@" >/dev/null 2>&1
	sed '/flock(/q' "$work/trace" | grep -c 'openat('
}

killed='pwrite64 fsync ftruncate unlinkat mkdirat renameat fchmod'
failing='fsync:EIO pwrite64:EIO,ENOSPC ftruncate:EIO unlinkat:EIO mkdirat:ENOSPC renameat:EIO write:ENOSPC fchmod:EPERM'

for mode in node all; do
	choose $mode
	step=3 errors=5
	[ $mode = node ] || step=6 errors=11 # more of the same steps
	what=restore wanted=$new
	prepare() { before; }
	sweep "$mode, restore, killed" $step "$killed" restore "${arguments[@]}"
	sweep "$mode, restore, each call fails" $errors "$failing" restore "${arguments[@]}"
	if [ $mode = node ]; then
		fault_from=$(first_open restore "${arguments[@]}")
		sweep "$mode, restore, each open fails from when it begins to write" 9 openat:EIO restore "${arguments[@]}"
		# shellcheck disable=SC2034
		fault_from=1
	fi

	# at the marker of CLUSDB; for two disks in the middle of the quorum disk
	before
	case $mode in
	node) kill_at pwrite64 4 "$small/Windows/Cluster/CLUSDB" "${arguments[@]}" ;;
	all) kill_at unlinkat 2 "$quorum/MSCS" "${arguments[@]}" ;;
	esac
	save middle
	[ "$(now)" != "$old" ] && [ "$(now)" != "$new" ] || wrong "$mode: it is no middle"
	prepare() { load middle; }
	undo=$(undo_of "$work/undo")
	what=resume wanted=$new
	sweep "$mode, --resume, killed or failing" $step \
		'pwrite64 fsync ftruncate unlinkat pwrite64:EIO fsync:EIO ftruncate:ENOSPC unlinkat:EIO' restore --resume "$undo"
	what=rollback wanted=$old
	sweep "$mode, --rollback, killed or failing" $step \
		'pwrite64 fsync ftruncate pwrite64:EIO fsync:EIO ftruncate:ENOSPC' restore --rollback "$undo"

	prepare() { load new; }
	prepare
	what=undo
	sweep "$mode, undo, killed or failing" $step \
		'pwrite64 fsync ftruncate unlinkat openat pwrite64:EIO fsync:EIO unlinkat:EIO' undo "$(undo_of "$work/undo")"
done
echo "1..$number"
