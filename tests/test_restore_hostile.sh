#!/bin/bash
# restore where something else is wrong than the database: a disk that cannot be written, a --quorum
# that is none, hives that cannot be read, a volume that changes, and interrupted restores whose
# disks or snapshots are not what they were.
. tests/backup.sh
. tests/restore.sh

snapshot=$work/snapshot snapshot19=$work/snapshot19
fresh_disks
run backup --quiet --quorum "$quorum" "$kiel" "$snapshot"
[ $status -eq 0 ] || wrong "backup of kiel: $err"
run backup --quiet "$emden" "$snapshot19"
[ $status -eq 0 ] || wrong "backup of emden: $err"

broken() { # fresh disks with databases that are not as in the snapshots
	fresh_disks
	truncate -s 9000 "$emden/Windows/Cluster/CLUSDB"
	truncate -s 9000 "$kiel/WINNT/Cluster/CLUSDB"
}

unchanged() { # STATUS TEXT ARGUMENT...: as expect, and nothing on the disks is another
	local before
	before=$(bytes "$work/disks")
	expect "$@"
	[ "$before" = "$(bytes "$work/disks")" ] || wrong "${*:3}: changed something"
}

# --- a dry run says what the restore would meet ---

if [ "$(id -u)" -eq 0 ]; then
	broken
	mount -t tmpfs -o size=4m tmpfs "$mount" && cp -r "$emden"/. "$mount" && mount -o remount,ro "$mount"
	expect 5 'read-only' restore --dry-run "$snapshot19" "$mount"
	[[ $out == *'could not be restored now'*'  put  '*CLUSDB* ]] || wrong "the plan is not shown: $out"
	run restore --json --dry-run "$snapshot19" "$mount"
	[ "$(jq -r '[.schema, .status, .steps[0].op, (.error | test("read-only"))] | join(" ")' <<<"$out")" = \
		"1 5 put true" ] || wrong "JSON: $out"
	mount -o remount,rw "$mount"
	head -c 16m /dev/zero >"$mount/full" 2>/dev/null
	expect 5 'bytes, and 0 are free' restore --dry-run "$snapshot19" "$mount"
	rm "$mount/full"
	expect 0 'would be restored' restore --dry-run "$snapshot19" "$mount"
	unmount
	result "a dry run on a read-only or full volume: the plan, and exit 5"
else
	skip "a dry run on a read-only or full volume" "not root"
fi

broken
cp "$kiel/WINNT/Cluster/CLUSDB" "$kiel/WINNT/Cluster/clusdb"
unchanged 3 'which Windows cannot tell apart' restore --force snapshot-damaged "$snapshot" "$kiel"
rm "$kiel/WINNT/Cluster/clusdb"
echo one >"$kiel/WINNT/Cluster/CLUSDB.LOG"
echo two >"$kiel/WINNT/Cluster/Clusdb.log"
unchanged 3 'which Windows cannot tell apart' restore "$snapshot" "$kiel"
result "refused: names that differ in letter case only"

# --- --quorum ---

broken
cp -r "$snapshot" "$work/disks/backup"
unchanged 3 'refused: quorum-is-snapshot: ' restore --authoritative --quorum "$work/disks/backup" "$snapshot" "$kiel"
run verify "$work/disks/backup"
[ $status -eq 0 ] || wrong "the snapshot is no snapshot any more: $err"
rm "$work/disks/backup/quolog.log" # a damaged one is one, too
unchanged 3 'refused: quorum-is-snapshot: ' restore --checkpoints --quorum "$work/disks/backup" "$snapshot" "$kiel"
rm -r "$work/disks/backup"
rm -r "$quorum/MSCS" # somebody's mistake: what is in the way there has to go
cp -r "$snapshot" "$quorum/MSCS"
expect 0 'forced: ' restore --authoritative --quorum "$quorum" --force quorum-is-snapshot "$snapshot" "$kiel"
[ ! -e "$quorum/MSCS/quolog.log" ] || wrong "the log is in the way"
rm -r "$quorum/MSCS"
cp -r "$snapshot" "$quorum/MSCS"
unchanged 3 'is the snapshot that is to be restored' restore --authoritative --quorum "$quorum" \
	--force quorum-is-snapshot "$quorum/MSCS" "$kiel"
result "refused: a snapshot instead of the quorum disk"

broken
expect 0 restored restore --authoritative --quorum "$quorum/MSCS" "$snapshot" "$kiel"
[ ! -e "$quorum/MSCS/chk1C4.tmp" ] || wrong "the database is in the way"
unchanged 0 unchanged restore --authoritative --quorum "$quorum/MSCS" "$snapshot" "$kiel"
mv "$quorum/MSCS" "$work/disks/other" # as mounted somewhere else
unchanged 0 unchanged restore --authoritative --quorum "$work/disks/other" "$snapshot" "$kiel"
rm -r "$work/disks/other"
mkdir -p "$work/disks/none/clusnap-notes"
unchanged 4 'ERROR_QUORUM_DISK_NOT_FOUND (5086)' restore --authoritative --quorum "$work/disks/none" "$snapshot" "$kiel"
result "--quorum names the folder MSCS itself, also when no database is left in it"

# --- no place for a database ---

broken
rm -r "$emden/Windows/Cluster"
unchanged 3 'refused: not-a-node: ' restore "$snapshot19" "$emden"
run restore --json "$snapshot19" "$emden"
[ "$(jq -r '[.status, .refusals[].code] | join(" ")' <<<"$out")" = "3 not-a-node" ] || wrong "JSON: $out"
unchanged 3 "make the directory $emden/Windows/Cluster" restore --force not-a-node "$snapshot19" "$emden"
result "refused: a node without a directory Cluster"

broken
mkdir "$emden/hiberfil.sys"
expect 0 restored restore "$snapshot19" "$emden" # that is no hibernated system
broken
printf hibr >"$emden/hiberfil.sys"
printf hibr >"$emden/HIBERFIL.SYS"
unchanged 3 'refused: hibernated: ' restore "$snapshot19" "$emden"
result "refused: nobody can tell whether it is hibernated"

# --- hives of checkpoints that cannot be had ---

for how in damaged missing; do
	fresh_disks
	software=$kiel/WINNT/system32/config/SOFTWARE
	printf 'Windows Registry Editor Version 5.00\n\n[\\ControlSet002\\Services\\ContosoLager]\n"X"=dword:00000001\n' >"$work/a.reg"
	hivexregedit --merge "$kiel/WINNT/system32/config/system" "$work/a.reg"
	case $how in damaged) truncate -s 9000 "$software" ;; *) rm "$software" ;; esac
	unchanged 4 'cannot be put back' restore --force state-unknown --checkpoints "$snapshot" "$kiel"
	[[ $err == *SOFTWARE* ]] || wrong "$how: the hive is not named: $err"
done
result "--checkpoints: a hive that cannot be had stops it before anything is changed"

# --- checkpoints that contradict each other ---

fresh_disks # the image of the inner key is the quorum disk's, the outer one's has no such key
software=$kiel/WINNT/system32/config/SOFTWARE inner='Microsoft\Microsoft SQL Server\MSSQL.1\MSSQLServer\SuperSocketNetLib'
hivexsh -w "$software" >/dev/null 2>&1 <<END
cd \\$inner
del
commit
END
run backup --quiet --quorum "$quorum" "$kiel" "$work/contrary"
[ $status -eq 0 ] || wrong "backup: $err"
fresh_disks
unchanged 3 'name the resource whose data is wanted' restore --checkpoints "$work/contrary" "$kiel"
expect 0 restored restore --checkpoints "$work/contrary" "$kiel" 'SQL Server'
tree "$software" | grep -q 'SuperSocketNetLib\]' && wrong "the outer image has no such key"
expect 0 restored restore --checkpoints "$work/contrary" "$kiel" 6ce549c0-4d96-4d04-83ea-4f330ac0114e
run diff --exact --key "$inner" --key '' "$software" "$work/contrary/6ce549c0-4d96-4d04-83ea-4f330ac0114e/00000003.CPT"
[ $status -eq 0 ] || wrong "the inner subtree is not the image's: $out$err"
result "refused: checkpoints of one key that hold different things, until one is named"

# --- interrupted ---

if ! strace -qq -o /dev/null true 2>/dev/null; then
	skip "interrupted restores" "no strace"
	echo "1..$number"
	exit 0
fi

kill_at() { # CALL N ARGUMENT...: a restore that is killed before its N-th CALL
	local call=$1 n=$2
	shift 2
	broken
	{
		ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/trace" -e trace="$call" \
			-e inject="$call:signal=KILL:when=$n" "$clusnap" restore --quiet "$@" >"$work/out" 2>&1
	} 2>/dev/null # that it was killed is no news
	grep -q 'killed by SIGKILL' "$work/trace" || wrong "was not killed: $(<"$work/out")"
}

broken
before=$(bytes "$work/disks")
ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/trace" -P "$emden/Windows/Cluster/CLUSDB" -e trace=read,pread64 \
	-e inject=read,pread64:error=EIO "$clusnap" restore "$snapshot19" "$emden" >"$work/out" 2>&1
status=$? err=$(<"$work/out")
[ $status -eq 4 ] && [[ $err == *'take an image of it'*'CLUSDB: cannot read'* ]] || wrong "$status: $err"
[ "$before" = "$(bytes "$work/disks")" ] || wrong "changed something"
result "a CLUSDB that cannot be read, and so not be set aside"

renames=renameat # (4) and (5), behind the exchange of CLUSDB
kill_at $renames 2 "$snapshot19" "$emden"
run status "$emden"
[ $status -eq 6 ] && [[ $out == *restore-interrupted* ]] || wrong "status: $status: $out"
cp "$snapshot19/chk0001.tmp" "$emden/Windows/Cluster/CLUSDB" # what can be backed up again
expect 0 'restore-interrupted' backup --quiet "$emden" "$work/backup"
expect 0 'a restore was interrupted here' show "$emden"
expect 0 'a restore was interrupted here' checkpoint list "$emden"
unchanged 0 'restore-interrupted' restore "$emden" "$testdata/node-2019" --dry-run
result "backup, show, checkpoint list, and restore from such a disk, warn of an interrupted restore"

kill_at $renames 2 "$snapshot19" "$emden"
mv "$snapshot" "$work/moved"
expect 0 "other-source: the interrupted restore was one from $snapshot19" restore --resume "$work/moved" "$emden"
mv "$work/moved" "$snapshot"
kill_at $renames 2 "$snapshot19" "$emden"
expect 0 restored restore --resume "$work/../${work##*/}/snapshot19" "$emden"
[[ $err != *other-source* ]] || wrong "the same source is called another: $err"
result "--resume with another SNAPSHOT says whose restore it finishes"

kill_at write 2 "$snapshot19" "$emden" # the new file is not whole: it would begin anew
mv "$snapshot19" "$work/moved"
expect 4 'had replaced nothing and is undone' restore --resume "$emden"
mv "$work/moved" "$snapshot19"
expect 0 'no restore was interrupted' restore --rollback "$emden"
[ "$(stat -c %s "$emden/Windows/Cluster/CLUSDB")" -eq 9000 ] || wrong "CLUSDB is not the old one"
result "--resume without its snapshot says where things stand"

kill_at write 2 "$snapshot19" "$emden"
cp -r "$snapshot19" "$work/moved"
printf '%s\n' 'Windows Registry Editor Version 5.00' '' '[HKEY_LOCAL_MACHINE\Cluster\Nodes]' '"Added"=dword:00000001' >"$work/a.reg"
run edit --quiet "$snapshot19" "$work/a.reg"
[ $status -eq 0 ] || wrong "edit: $err"
expect 3 'is undone, and cannot begin anew' restore --resume "$emden"
[[ $err == *"$snapshot19 is not what it was"*'without --resume'* ]] || wrong "not what is the matter: $err"
[ "$(stat -c %s "$emden/Windows/Cluster/CLUSDB")" -eq 9000 ] || wrong "CLUSDB is not the old one"
rm -r "$snapshot19"
mv "$work/moved" "$snapshot19"
expect 0 'no restore was interrupted' restore --rollback "$emden"
kill_at write 2 "$snapshot19" "$emden"
expect 0 'what was interrupted is done' restore --resume "$emden"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "anew"
result "--resume does not begin anew with a snapshot that has changed since"

kill_at $renames 3 --authoritative --quorum "$quorum" "$snapshot" "$kiel"
cp -r "$testdata/quorum-2003" "$work/disks/second"
for word in --resume --rollback; do
	unchanged 2 'name it with --quorum DIR' restore $word "$kiel"
	unchanged 2 'named the disk that the folder MSCS is on' restore $word --quorum "$quorum/MSCS" "$kiel"
	unchanged 3 'not the quorum disk' restore $word --quorum "$work/disks/second" "$kiel"
done
expect 0 'rolled back' restore --rollback --quorum "$quorum" "$kiel"
[[ $out == *"  as before  $kiel/WINNT/Cluster/CLUSDB"* ]] || wrong "$out"
diff -r "$quorum" "$testdata/quorum-2003" >/dev/null || wrong "the quorum disk is not as before"
result "the quorum disk of an interrupted restore is missing, another, or named in another way"

kill_at $renames 2 "$snapshot19" "$emden"
head -c 8192 "$snapshot19/chk0001.tmp" >"$emden/Windows/Cluster/CLUSDB" # the node has run
for word in --resume --rollback; do
	unchanged 3 "rename journal.json in $emden/Windows/Cluster/clusnap-" restore $word "$emden"
done
mv "$(aside "$emden/Windows/Cluster")"/journal.json "$(aside "$emden/Windows/Cluster")"/list.json
expect 0 restored restore "$snapshot19" "$emden"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "the way out"
result "neither forward nor back: the way out is named, and is one"

broken
mkdir "$emden/Windows/Cluster/clusnap-20260101T000000Z"
printf '{}\n' >"$emden/Windows/Cluster/clusnap-20260101T000000Z/journal.json"
run status "$emden"
[ $status -eq 6 ] && [[ $out == *'its journal cannot be read'* ]] || wrong "status: $status: $out"
for word in '' --dry-run --resume --rollback; do
	# shellcheck disable=SC2086
	unchanged 4 'move its directory away' restore $word "$snapshot19" "$emden"
done
result "a journal that cannot be read"

# --- a volume that changes ---

# Stops the restore when it has looked at everything and takes its lock, and changes CLUSDB then.
change_between() { # ARGUMENT...
	local pid stopped=''
	broken
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/trace" -e trace=flock -P "$emden/Windows/Cluster" \
		-e inject=flock:signal=STOP:when=1 "$clusnap" restore "$@" "$snapshot19" "$emden" >"$work/out" 2>&1 &
	for _ in $(seq 300); do
		pid=$(pgrep -P $!) && stopped=$(awk '$1 == "State:" && $2 ~ /[tT]/' "/proc/$pid/status")
		grep -q SIGSTOP "$work/trace" 2>/dev/null && [ -n "$stopped" ] && break
		sleep 0.05
	done
	printf x >>"$emden/Windows/Cluster/CLUSDB"
	kill -CONT "$pid"
	wait $!
	status=$?
	err=$(<"$work/out")
}
change_between
[ $status -eq 3 ] && [[ $err == *'refused: changing: '*'CLUSDB: has changed since'* ]] || wrong "$status: $err"
[ "$(asides "$emden/Windows/Cluster")" -eq 0 ] || wrong "something was made"
change_between --force changing
[ $status -eq 0 ] && [[ $err == *'changing: forced: '* ]] || wrong "forced: $status: $err"
[ "$(stat -c %s "$(aside "$emden/Windows/Cluster")/CLUSDB")" -eq 9001 ] || wrong "what it had become is not set aside"
result "refused: a file has changed since it was looked at"

echo "1..$number"
