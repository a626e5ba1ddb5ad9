#!/bin/bash
# Promise 8 under power cuts, on NTFS: every prefix of the writes that reached the disk during a node
# restore and during one of checkpoints is mounted. The volume has the whole old hive, the whole new
# one, or both whole copies beside its place, and --resume and --rollback each reach their end.
#
# POWERCUT_STEP=1 tries each number of writes; otherwise every 37th, and of the first 20, during which
# directories grow, every third.
#
# NTFS without its own recovery (ntfs-3g has none) may refuse the mount ($MFTMirr), which is counted as
# "refused". There is one more state that only chkdsk can mend: the index of the Cluster directory has
# just begun to grow for the name of the set-aside directory, nothing has been replaced yet, and the
# directory cannot be listed, so that nobody can say which files are in it. Then a restore must refuse,
# say that nothing was changed and that chkdsk comes first, and the old hive must be there, whole, at
# its place: counted as "+chkdsk". A name of ours that only chkdsk can remove may be left; it is told,
# is no interrupted restore to anybody, and a restore after it works.
. tests/backup.sh
. tests/restore.sh
. tests/powercut.sh
rm -rf "$work"
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
mount=$work/m
trap 'cd /; powercut_end; rm -rf "$work"' EXIT

missing=$(powercut_missing)
if [ -n "$missing" ]; then
	echo "1..0 # SKIP POWER CUTS ARE NOT TESTED: ${missing//$'\n'/; }"
	exit 0
fi

# --- what is restored ---

node_before() {
	cp -r "$testdata/node-2019"/* "$1"
	truncate -s 9000 "$1/Windows/Cluster/CLUSDB"
	head -c 20000 /dev/urandom >"$1/Windows/Cluster/CLUSDB.LOG1"
	head -c 20000 /dev/urandom >"$1/Windows/Cluster/CLUSDB.blf"
}

checkpoints_before() {
	local software=$1/WINNT/system32/config/SOFTWARE
	cp -r "$testdata/node-2003"/* "$1"
	printf 'Windows Registry Editor Version 5.00\n\n[\\Microsoft\\Microsoft SQL Server\\MSSQL.1\\MSSQLSERVER]\n"Changed"=dword:00000001\n' \
		>"$work/a.reg"
	hivexregedit --merge "$software" "$work/a.reg" >/dev/null 2>&1
	head -c 20000 /dev/urandom >"$software.LOG"
}

choose() { # node|checkpoints
	mode=$1
	case $1 in
	node) sample=node-2019 hive=Windows/Cluster/CLUSDB arguments=("$work/snapshot.node" "$mount") ;;
	checkpoints)
		sample=node-2003 hive=WINNT/system32/config/SOFTWARE
		arguments=(--checkpoints "$work/snapshot.checkpoints" "$mount")
		;;
	esac
	cluster=$mount/$(cd "$testdata/$sample" && echo */Cluster)
	"$clusnap" backup --quiet "$testdata/$sample" "$work/snapshot.$mode" >/dev/null 2>&1
}

# All files but the list, whose times differ, and where they are set aside. (One that its directory
# lists twice is one.)
now() { bytes "$mount" | uniq | grep -v 'list\.json\|hiberfil' | sed 's|/clusnap-[^/]*/|/clusnap-/|'; }

restoring() {
	run restore "${arguments[@]}"
	[ $status -eq 0 ] || wrong "$mode: $err"
	new=$(now)
	cp "$mount/$hive" "$work/new"
}

record() { # restores on a fresh disk
	powercut_begin "$work" 6M
	"${mode}_before" "$mount"
	old=$(now)
	cp "$mount/$hive" "$work/old"
	powercut_record restoring
}

# --- one cut ---

somewhere() { # FILE: is there a whole copy of it in the Cluster directory?
	local one
	while IFS= read -r -d '' one; do
		cmp -s "$one" "$1" && return 0
	done < <(find "$cluster" "$(dirname "$mount/$hive")" -type f -print0 2>/dev/null)
	return 1
}

# FILE: is it torn, and no log beside it that Windows could make a hive of?
torn() {
	python3 "$here/torn.py" "$1" "$work/old" "$work/new" 2>/dev/null &&
		[ ! -e "$1.LOG" ] && [ ! -e "$1.LOG1" ] && [ ! -e "$1.LOG2" ]
}

look() { # what the volume has
	if cmp -s "$mount/$hive" "$work/new"; then
		echo new
	elif cmp -s "$mount/$hive" "$work/old"; then
		echo old
	elif ! somewhere "$work/new" || ! somewhere "$work/old"; then
		echo lost
	elif [ ! -e "$mount/$hive" ] || torn "$mount/$hive"; then
		echo beside
	else
		echo lost
	fi
}

# What a journal or a new file was that only chkdsk can remove is no difference.
wanted() { # WHAT
	local left
	left=$(diff <(now) <(echo "$1") | grep '^[<>]' | grep -v '^< .*/clusnap-' | head -n 3)
	[ -z "$left" ] || found+=", $2: $left"
}

listed() { # can the Cluster directory be?
	[[ $(ls "$cluster" 2>&1 >/dev/null) != *"reading directory"*"Input/output error"* ]]
}

unlisted() { # exactly the state of the second kind
	[[ $status == 4 && $err == *"nothing was changed: "*"chkdsk /f"* ]] && [ "$(look)" = old ] &&
		! listed && ! $waiting
}

# --resume or --rollback, and what must be there then
again() { # WHAT STATE ARGUMENT...
	local what=$1 end=$2
	shift 2
	run restore "$what" "$@"
	if [ $status -eq 0 ]; then
		wanted "$end" "$what"
		[ "$what" = --rollback ] && ! $waiting || told
	elif unlisted; then
		found+=+chkdsk
	else
		found+=", $what: $status $err"
	fi
}

told() { # is what is left told, and is it an end?
	local left said=$err
	while IFS= read -r -d '' left; do
		[[ $said == *"chkdsk-needed: $left: "* || $said == *"chkdsk-needed: ${left%/*}: "* ]] ||
			found+=", nothing is said of $left"
	done < <(find "$cluster" -path '*/clusnap-*/*' \( -name '*.clusnap-*' -o -name '.clusnap-*' -o \
		-name journal.json \) ! -name list.json.clusnap-other -print0 2>/dev/null)
	run status "$mount"
	[ $status -ne 6 ] || found+=", it still waits: $out"
}

anew() { # beside what a rollback has left
	run restore "${arguments[@]}"
	[ $status -eq 0 ] || found+=", a restore after it: $status $err"
	wanted "$new" "a restore after it"
}

try() { # N; prints what was there, and what is wrong
	local found waiting=false
	powercut_mount "$1" || { echo refused; return; }
	found=$(look)
	run status "$mount"
	listed || [[ $status == 1 && $out == *"directory-unreadable: $cluster"* ]] ||
		found+=", status: $status $out"
	if [ $status -eq 6 ]; then
		waiting=true
	elif [ "$found" = new ]; then # and there is nothing to undo
		again --rollback "$new" "$mount"
	else
		again --rollback "$old" "$mount"
	fi
	again --resume "$new" "${arguments[@]}"
	if $waiting; then
		powercut_again
		again --rollback "$old" "$mount"
		[ -z "$(find "$cluster" -name 'clusnap-*' -print -quit)" ] || anew
		found+="+waiting"
	fi
	echo "$found"
}

here=$(realpath tests)
step=${POWERCUT_STEP:-37}
for mode in node checkpoints; do
	choose $mode
	record
	writes=$powercut_writes
	for ((n = 0; n < writes + step; n += n < 20 && step > 3 ? 3 : step)); do
		[ "$n" -le "$writes" ] || n=$writes
		echo "$n $(try "$n" | tr '\n' ' ')"
		[ "$n" -lt "$writes" ] || break
	done >"$work/answers"
	wrong+=$(grep -vE '^[0-9]+ ((old|new|beside)(\+waiting)?|old\+chkdsk\+chkdsk|refused) $' "$work/answers" | head -n 20)
	[ "$writes" -gt 100 ] || wrong "only $writes writes were recorded"
	[ "$(tail -n 1 "$work/answers" | cut -d' ' -f2)" = new ] || wrong "the last is not new"
	result "promise 8: $mode, power cut after each of $writes writes, in steps of $step"
	cut -d' ' -f2 "$work/answers" | sort | uniq -c | sed 's/^/#/'
done
echo "1..$number"
