#!/bin/bash
# Promise 8 under power cuts, on NTFS: every prefix of the writes that reached the disk during a node
# restore and during one of checkpoints is mounted. The volume has the whole old hive, the whole new
# one, or both whole copies beside its place, and --resume and --rollback each reach their end.
#
# ntfs-3g writes through qemu's blklogwrites, which records each write; tests/powercut.py puts the
# first N of them onto the disk as it was before. POWERCUT_STEP=1 tries each N.
#
# NTFS without its own recovery (ntfs-3g has none) may refuse the mount ($MFTMirr), which is counted as
# "refused", or have a file under two names, or a name without a file, until chkdsk ran. Where --resume or
# --rollback stumbles over such a name it must say so, and lose nothing: counted as "+chkdsk". A name of
# ours that only chkdsk can remove may be left.
. tests/backup.sh
. tests/restore.sh
rm -rf "$work"
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
mount=$work/mount daemon=
mkdir "$mount"
trap 'cd /; finish' EXIT

finish() {
	unmount
	[ -n "$daemon" ] && kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
	rm -rf "$work"
}

have_ntfs || { echo "1..0 # SKIP POWER CUTS ARE NOT TESTED: no /dev/fuse, no ntfs-3g, or not root"; exit 0; }
command -v qemu-storage-daemon >/dev/null || { echo "1..0 # SKIP POWER CUTS ARE NOT TESTED: no qemu-storage-daemon"; exit 0; }

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

# All files but the list, whose times differ, and where they are set aside.
now() { bytes "$mount" | grep -v 'list\.json\|hiberfil' | sed 's|/clusnap-[^/]*/|/clusnap-/|'; }

record() { # restores on the disk; what that writes goes to $work/log
	truncate -s 0 "$work/disk" "$work/log"
	truncate -s 6M "$work/disk"
	mkntfs -F -q "$work/disk" >/dev/null 2>&1
	ntfs-3g "$work/disk" "$mount" && "${mode}_before" "$mount"
	old=$(now)
	cp "$mount/$hive" "$work/old"
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
	for _ in {1..200}; do
		[ "$(stat -c %s "$work/export")" -gt 0 ] && break
		sleep 0.05
	done
	ntfs-3g "$work/export" "$mount"
	run restore "${arguments[@]}"
	[ $status -eq 0 ] || wrong "$mode: $err"
	new=$(now)
	cp "$mount/$hive" "$work/new"
	unmount
	kill "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
}

# --- one cut ---

cut_after() { # N: mounts the disk with the first N writes; false if it cannot be
	python3 "$here/powercut.py" "$work/before" "$work/log" "$1" "$work/disk"
	ntfs-3g "$work/disk" "$mount" 2>/dev/null
}

somewhere() { # FILE: is there a whole copy of it in the Cluster directory?
	local one
	while IFS= read -r -d '' one; do
		cmp -s "$one" "$1" && return 0
	done < <(find "$cluster" "$(dirname "$mount/$hive")" -type f -print0 2>/dev/null)
	return 1
}

look() { # what the volume has
	if cmp -s "$mount/$hive" "$work/new"; then
		echo new
	elif cmp -s "$mount/$hive" "$work/old"; then
		echo old
	elif [ ! -e "$mount/$hive" ] && somewhere "$work/new" && somewhere "$work/old"; then
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

again() { # --resume or --rollback, and what must be there then
	local what=$1 end=$2
	shift 2
	run restore "$what" "$@"
	if [ $status -eq 0 ]; then
		wanted "$end" "$what"
	elif [[ $status == [45] && $err == *"chkdsk"* && $(look) != lost ]]; then
		found+=+chkdsk
	else
		found+=", $what: $status $err"
	fi
}

try() { # N; prints what was there, and what is wrong
	local found waiting=false
	cut_after "$1" || { echo refused; return; }
	found=$(look)
	run status "$mount"
	[ $status -eq 6 ] && waiting=true
	again --resume "$new" "${arguments[@]}"
	unmount
	if $waiting; then
		cut_after "$1"
		again --rollback "$old" "$mount"
		unmount
		found+="+waiting"
	fi
	echo "$found"
}

here=$(realpath tests)
step=${POWERCUT_STEP:-37}
for mode in node checkpoints; do
	choose $mode
	record
	writes=$(python3 "$here/powercut.py" "$work/before" "$work/log" count)
	for ((n = 0; n < writes + step; n += step)); do
		[ "$n" -le "$writes" ] || n=$writes
		echo "$n $(try "$n" | tr '\n' ' ')"
		[ "$n" -lt "$writes" ] || break
	done >"$work/answers"
	wrong+=$(grep -vE '^[0-9]+ ((old|new|beside)(\+chkdsk)*(\+waiting)?|refused) $' "$work/answers" | head -n 20)
	[ "$writes" -gt 100 ] || wrong "only $writes writes were recorded"
	[ "$(tail -n 1 "$work/answers" | cut -d' ' -f2)" = new ] || wrong "the last is not new"
	result "promise 8: $mode, power cut after each of $writes writes, in steps of $step"
	cut -d' ' -f2 "$work/answers" | sort | uniq -c | sed 's/^/#/'
done
echo "1..$number"
