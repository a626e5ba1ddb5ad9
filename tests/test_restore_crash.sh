#!/bin/bash
# Promise 8: restore is killed at, or made to fail, at each of its system calls that change something,
# and --resume and --rollback in turn at each of theirs. At every point the node has the whole old
# CLUSDB or the whole new one, and --resume and --rollback each reach their end: everything
# is as it should be, or byte for byte as it was. Power cuts are in test_restore_powercut.sh.
. tests/backup.sh
. tests/restore.sh
. tests/fault.sh
rm -rf "$work"
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
mkdir "$work/disks"
kiel=$work/disks/kiel emden=$work/disks/emden quorum=$work/disks/quorum

if ! fault_have; then
	echo "1..0 # SKIP no strace"
	exit 0
fi

# --- what is restored: prepare_MODE makes the disk, $command is what restores it ---

snapshot=$work/snapshot snapshot19=$work/snapshot19
fresh_disks
"$clusnap" backup --quiet --quorum "$quorum" "$kiel" "$snapshot" >/dev/null 2>&1 &&
	"$clusnap" backup --quiet "$emden" "$snapshot19" >/dev/null 2>&1 || wrong "backup"

fresh_disks
truncate -s 9000 "$emden/Windows/Cluster/CLUSDB"
printf 'old log' >"$emden/Windows/Cluster/CLUSDB.LOG1"
printf 'old blf' >"$emden/Windows/Cluster/CLUSDB.blf"
cp -a "$emden" "$work/node.before"

printf 'Windows Registry Editor Version 5.00\n\n[\\Contoso]\n"Changed"=dword:00000001\n' >"$work/a.reg"
printf '\n[\\Microsoft\\Microsoft SQL Server\\MSSQL.1\\MSSQLSERVER]\n"Changed"=dword:00000001\n' >>"$work/a.reg"
hivexregedit --merge "$kiel/WINNT/system32/config/SOFTWARE" "$work/a.reg" >/dev/null 2>&1 || wrong merge
printf 'old log' >"$kiel/WINNT/system32/config/SOFTWARE.LOG"
truncate -s 9000 "$kiel/WINNT/Cluster/CLUSDB"
rm -r "$quorum"/MSCS/ca7d4543-*
printf x >"$(echo "$quorum"/MSCS/2e9ca17f-*/00000001.CPT)"
mkdir "$work/all.before"
mv "$kiel" "$quorum" "$work/all.before/"

before() { # MODE
	rm -rf "$work/disks"
	mkdir "$work/disks"
	case $1 in
	node) cp -a "$work/node.before" "$emden" ;;
	all) cp -a "$work/all.before"/* "$work/disks/" ;;
	esac
}

choose() { # MODE: a node restore, or everything at once on two disks
	mode=$1
	case $1 in
	node) arguments=("$snapshot19" "$emden") places=("$emden") hives=(Windows/Cluster/CLUSDB) ;;
	all)
		arguments=(--authoritative --checkpoints --quorum "$quorum" "$snapshot" "$kiel")
		places=(--quorum "$quorum" "$kiel") hives=(WINNT/Cluster/CLUSDB WINNT/system32/config/SOFTWARE)
		;;
	esac
	disk=${places[-1]}
	before "$mode"
	old=$(bytes "$work/disks")
	"$clusnap" restore "${arguments[@]}" >/dev/null 2>"$work/err" || wrong "$mode: $(<"$work/err")"
	new=$(now)
	for hive in "${hives[@]}"; do
		cp "$disk/$hive" "$work/new.$(basename "$hive")"
		cp "$work/$([ "$mode" = node ] && echo node.before || echo all.before/kiel)/$hive" \
			"$work/old.$(basename "$hive")"
	done
}

# All files that a restore is about, without the list, whose times differ.
now() { bytes "$work/disks" | grep -v 'list\.json' | sed 's|/clusnap-[^/]*/|/clusnap-/|'; }

whole() { # is every hive the old or the new one?
	local hive name
	for hive in "${hives[@]}"; do
		name=$(basename "$hive")
		cmp -s "$disk/$hive" "$work/new.$name" || cmp -s "$disk/$hive" "$work/old.$name" ||
			wrong "$at: $hive is neither the old nor the new one"
	done
}

pending() { # the exit status of `status`: 6 if a journal waits
	local journals=("$disk"/*/[Cc]luster/clusnap-*/journal.json)
	run status "$disk"
	# one that was not written whole is none: nothing was begun then
	[ ${#journals[@]} -eq 0 ] || [ $status -eq 6 ] || ! grep -q '"steps"' "${journals[0]}" ||
		wrong "$at: status says $status, and there is a journal"
	[ $status -eq 6 ]
}

ends() { # what is there can be finished, and undone
	local waiting=false
	whole
	pending && waiting=true
	cp -a "$work/disks" "$work/kept"
	run restore --resume "${arguments[@]}"
	[ $status -eq 0 ] || wrong "$at: --resume: $status: $err"
	[ "$(now)" = "$new" ] || wrong "$at: --resume has led elsewhere: $(diff <(now) <(echo "$new") | head -n 4)"
	rm -rf "$work/disks"
	mv "$work/kept" "$work/disks"
	$waiting || return
	run restore --rollback "${places[@]}"
	[ $status -eq 0 ] || wrong "$at: --rollback: $status: $err"
	[ "$(bytes "$work/disks")" = "$old" ] ||
		wrong "$at: --rollback has led elsewhere: $(diff <(bytes "$work/disks") <(echo "$old") | head -n 4)"
	[ -z "$(find "$work/disks" -name '*clusnap*')" ] || wrong "$at: --rollback left something"
}

judge() {
	at="$mode, $what, $fault_at"
	fault_orderly || wrong "$at: status $fault_status: $(head -n 1 "$fault_err")"
	[ "$fault_status" -ne 0 ] || [ "$(now)" = "$wanted" ] || wrong "$at: exit 0, and it is not done"
	case $fault_status in
	5) grep -qE 'nothing was changed|no file was changed|--resume|--rollback|all the same' "$fault_err" ||
		wrong "$at: does not say where things stand: $(<"$fault_err")" ;;
	esac
	ends
}

changing='fsync mkdirat renameat renameat2 unlinkat write pwrite64 fchown fchmod'
failing='fsync:EIO mkdirat:ENOSPC,EROFS renameat:EIO renameat2:EIO unlinkat:EIO write:ENOSPC,EIO pwrite64:EIO fchown:EPERM fchmod:EPERM'

prepare() { before "$mode"; }
sweep() { # NAME CALLS COMMAND...
	local name=$1 calls=$2
	shift 2
	fault_points=0
	fault_sweep prepare judge "$calls" "$clusnap" restore "$@"
	[ "$fault_points" -gt 0 ] || wrong "no fault fired"
	result "promise 8: $name ($fault_points points)"
}

# The first open behind the first thing that is written; reading is judged in test_restore.sh.
first_open() {
	prepare
	strace -f -qq -o "$work/trace" -e trace=openat,mkdirat "$clusnap" restore "${arguments[@]}" >/dev/null 2>&1
	sed '/mkdirat(/q' "$work/trace" | grep -c 'openat('
}

# --resume and --rollback of a restore that was killed at the fsync number $middle
middle() {
	before "$mode"
	fault_once "$work/trace" fsync signal=KILL "$middle" "$clusnap" restore "${arguments[@]}" >/dev/null 2>&1
}

# Numbers of fsyncs, at these percentages of all of them
middles() {
	local count percent
	before "$mode"
	count=$(strace -f -e trace=fsync "$clusnap" restore "${arguments[@]}" 2>&1 >/dev/null | grep -c 'fsync(')
	for percent; do
		echo $((count * percent / 100))
	done
}

# What the second mode has beyond the first is more of the same steps: fewer errors are enough.
for mode in node all; do
	choose $mode
	what=restore wanted=$new
	sweep "$mode, killed at each call that changes something" "$changing" "${arguments[@]}"
	if [ $mode = node ]; then
		sweep "$mode, each call fails" "$failing" "${arguments[@]}"
		# shellcheck disable=SC2034 # of fault.sh
		fault_from=$(first_open) fault_step=${RESTORE_STEP:-7}
		sweep "$mode, each open fails from when it begins to write" openat:EIO "${arguments[@]}"
		# shellcheck disable=SC2034
		fault_from=1 fault_step=1
	else
		sweep "$mode, each call fails" 'renameat:EIO renameat2:EIO mkdirat:ENOSPC' "${arguments[@]}"
	fi
	# shellcheck disable=SC2046
	for middle in $(middles ${RESTORE_MIDDLES:-$([ $mode = node ] && echo 60 85 || echo 70)}); do
		prepare() { middle; }
		what="resume after $middle" wanted=$new
		sweep "$mode, --resume, killed or failing after fsync $middle" \
			'renameat renameat2 unlinkat fsync renameat:EIO renameat2:EIO' --resume "${arguments[@]}"
		what="rollback after $middle" wanted=$(grep -v 'list\.json' <<<"$old")
		sweep "$mode, --rollback, killed or failing after fsync $middle" \
			'renameat renameat2 unlinkat fsync pwrite64 unlinkat:EIO' --rollback "${places[@]}"
		prepare() { before "$mode"; }
	done
done
echo "1..$number"
