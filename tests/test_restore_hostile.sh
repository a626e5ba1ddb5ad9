#!/bin/bash
# restore where something else is wrong than the database: a disk that cannot be written, a --quorum
# that is none, hives that cannot be read, a volume that changes, and interrupted restores: what is
# said of them, and what of their disks and undo directories is not what it was.
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

# --- a dry run says what the restore would meet ---

if [ "$(id -u)" -eq 0 ]; then
	broken
	mount -t tmpfs -o size=4m tmpfs "$mount" && cp -r "$emden"/. "$mount" && mount -o remount,ro "$mount"
	expect 5 'read-only' restore --dry-run "$snapshot19" "$mount"
	[[ $out == *'could not be restored now'*'  resize  '*CLUSDB* ]] || wrong "the plan is not shown: $out"
	run restore --json --dry-run "$snapshot19" "$mount"
	[ "$(jq -r '[.schema, .status, .steps[0].op, (.error | test("read-only"))] | join(" ")' <<<"$out")" = \
		"1 5 resize true" ] || wrong "JSON: $out"
	mount -o remount,rw "$mount"
	head -c 16m /dev/zero >"$mount/full" 2>/dev/null
	expect 5 'ERROR_DISK_FULL (112)' restore --dry-run "$snapshot19" "$mount"
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
unchanged 3 'differ in letter case only' restore "$snapshot" "$kiel"
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
broken
mv "$quorum/MSCS" "$work/disks/other" # as mounted somewhere else
rm -rf "$work/undo"
old=$(bytes "$work/disks")
expect 0 restored restore --undo "$work/undo" --authoritative --quorum "$work/disks/other" "$snapshot" "$kiel"
expect 0 undone undo "$(undo_of "$work/undo")" # nothing in it says any more what it is
[ "$old" = "$(bytes "$work/disks")" ] || wrong "undo: $(diff <(echo "$old") <(bytes "$work/disks"))"
unchanged 2 'named the folder MSCS itself' restore --resume --quorum "$testdata/quorum-2003" "$(undo_of "$work/undo")"
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

if ! have_strace; then
	skip "interrupted restores" "no strace"
	echo "1..$number"
	exit 0
fi

broken
before=$(bytes "$work/disks")
ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/trace" -P "$emden/Windows/Cluster/CLUSDB" -e trace=read,pread64 \
	-e inject=read,pread64:error=EIO "$clusnap" restore "${durable[@]}" "$snapshot19" "$emden" >"$work/out" 2>&1
status=$? err=$(<"$work/out")
[ $status -eq 4 ] && [[ $err == *'take an image of it'*'CLUSDB: cannot read'* ]] || wrong "$status: $err"
[ "$before" = "$(bytes "$work/disks")" ] || wrong "changed something"
result "a CLUSDB that cannot be read, and so cannot be kept"

# The second write to CLUSDB is its data: there is a marker then.
interrupted() { # UNDO-PARENT: a restore of emden, killed; $undo and $old
	broken
	rm -rf "$1"
	printf 'old log' >"$emden/Windows/Cluster/CLUSDB.LOG1"
	old=$(bytes "$work/disks")
	kill_at pwrite64 2 "$emden/Windows/Cluster/CLUSDB" --undo "$1" "$snapshot19" "$emden"
	undo=$(undo_of "$1")
	[ -n "$undo" ] || wrong "no undo directory"
}

is_old() { [ "$old" = "$(bytes "$work/disks")" ] || wrong "$1: $(diff <(echo "$old") <(bytes "$work/disks"))"; }

printed() { # the command that a text tells, as it stands there
	sed -n 's/.*`\(clusnap restore --resume .*\)` finishes it.*/\1/p' <<<"$1" | head -n 1
}

interrupted "$work/undo"
expect 6 'restore-unfinished' status "$emden"
[[ $out == *"is not finished: Windows/Cluster/CLUSDB is not whole"* ]] || wrong "$out"
[[ $out == *"made on the computer $(hostname)"*"id begins with $(sha256sum "$undo/plan.json" | cut -c-16)"* ]] || wrong "$out"
run status --json "$emden" "$kiel"
[ "$status $(jq -r '[.systems[].problems[] | select(.code == "restore-unfinished") | .code] | join(" ")' <<<"$out")" = '6 restore-unfinished' ] ||
	wrong "JSON: $status: $out"
unchanged 6 'is not finished' restore "$snapshot19" "$emden"
unchanged 6 'is not finished' restore --dry-run "$snapshot19" "$emden"
[ "$(undos "$work/undo")" -eq 1 ] || wrong "one more was made"
expect 0 'every file is as it was before' restore --rollback "$undo"
is_old "rolled back"
run status "$emden"
[ $status -ne 6 ] || wrong "status still says 6"
result "a restore was killed: status 6 says so, another restore is refused, --rollback"

for place in "$work/undo" "$work/with space" "$work/it's \"one\" \$x \`y\` \\ *" "$work/-o" "$work/"$'\xc3\xa4'; do
	for disk in plain 'a disk' "that's it; \$(touch pwned)" '-s'; do
		interrupted "$place"
		mv "$emden" "$work/disks/$disk"
		cd "$work/disks" || exit
		expect 6 'restore-unfinished' status "./$disk"
		line=$(printed "$out")
		(clusnap() { "$clusnap" "$@"; } && eval "$line") >"$work/out" 2>&1 || wrong "$line: $(<"$work/out")"
		same_tree "./$disk/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "$line"
		run status "./$disk"
		[ $status -ne 6 ] || wrong "$line: status still says 6"
		cd "$OLDPWD" || exit
		rm -r "$work/disks/$disk"
	done
	rm -rf "$place"
done
[ ! -e "$work/disks/pwned" ] || wrong "a command in a path was carried out"
# what a restore says itself when it fails in the middle
broken
ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/trace" -P "$emden/Windows/Cluster/CLUSDB" -e trace=fsync \
	-e inject=fsync:error=EIO:when=2 "$clusnap" restore "${durable[@]}" --undo "$work/with space" "$snapshot19" \
	"$emden" >"$work/out" 2>&1
status=$? line=$(printed "$(<"$work/out")")
[ $status -eq 6 ] && [ -n "$line" ] || wrong "$status: $(<"$work/out")"
(clusnap() { "$clusnap" "$@"; } && eval "$line") >"$work/out" 2>&1 || wrong "$line: $(<"$work/out")"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "$line"
result "the command that status prints works as it stands there, whatever the paths are called"

interrupted "$work/undo"
cp -r "$emden" "$work/disks/half"
cp "$snapshot19/chk0001.tmp" "$work/disks/half/Windows/Cluster/CLUSDB" # its SOFTWARE could be the unfinished one
rm -rf "$work/marked"
head -c 512 "$emden/Windows/Cluster/CLUSDB" >"$work/marked"
dd if="$work/marked" of="$work/disks/half/Windows/System32/config/SECURITY" conv=notrunc status=none
expect 6 'System32/config/SECURITY is not whole' status "$work/disks/half"
run backup --quiet "$work/disks/half" "$work/backup"
[ $status -eq 0 ] && [[ $err == *restore-unfinished* ]] || wrong "backup: $status: $err"
for command in show 'checkpoint list'; do
	# shellcheck disable=SC2086
	run $command "$work/disks/half"
	[ $status -eq 0 ] && [[ $err$out == *'not finished'* ]] || wrong "$command: $status: $err"
done
unchanged 0 'restore-unfinished' restore "$work/disks/half" "$testdata/node-2019" --dry-run
result "backup, show, checkpoint list, and restore from such a disk, warn of an unfinished restore"

interrupted "$work/undo"
mv "$work/undo" "$work/stick" # pulled out
expect 6 "clusnap restore --resume $undo" status "$emden"
unchanged 4 "$undo" restore --resume "$undo" "$emden"
unchanged 4 "$undo" undo "$undo" "$emden"
mkdir "$work/undo"
unchanged 4 "$undo" restore --rollback "$undo" "$emden"
rmdir "$work/undo"
mv "$work/stick" "$work/undo"
cp -r "$snapshot19" "$work/kept"
rm -r "$snapshot19" # all that is needed is in the undo directory
expect 0 'what was interrupted is done' restore --resume "$undo" "$emden"
mv "$work/kept" "$snapshot19"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "put back in"
result "the undo directory was pulled out and put back; the snapshot is not needed any more"

interrupted "$work/undo"
cp -r "$emden" "$work/disks/other"
cp "$testdata/node-2019/Windows/Cluster/CLUSDB" "$work/disks/other/Windows/Cluster/CLUSDB" # another node's disk
printf x | dd of="$work/disks/other/Windows/Cluster/CLUSDB" bs=1 seek=8000 conv=notrunc status=none
for word in --resume --rollback; do
	unchanged 3 'changed-since' restore $word "$undo" "$work/disks/other"
	unchanged 3 'does not lie in the Windows directory' restore $word "$undo" "$kiel"
done
rm -r "$work/disks/other"
expect 0 'what was interrupted is done' restore --resume "$undo" "$emden"
result "--resume and --rollback refuse another node's disk"

# --- two disks ---

twice() { # a restore of kiel and its quorum disk, killed when chk1C4.tmp would be removed
	broken
	rm -rf "$work/undo"
	old=$(bytes "$work/disks")
	kill_at unlinkat 1 "$quorum/MSCS" --undo "$work/undo" --authoritative --quorum "$quorum" "$snapshot" "$kiel"
	undo=$(undo_of "$work/undo")
}
twice
cp -r "$testdata/quorum-2003" "$work/disks/second"
printf x >"$work/disks/second/MSCS/quolog.log"
for word in --resume --rollback; do
	unchanged 2 'named the disk that the folder MSCS is on' restore $word --quorum "$quorum/MSCS" "$undo" "$kiel"
	unchanged 3 'changed-since' restore $word --quorum "$work/disks/second" "$undo" "$kiel"
	unchanged 4 'the quorum disk is wanted, too' restore $word --quorum "$work/disks/nowhere" "$undo" "$kiel"
done
rm -r "$work/disks/second"
mv "$quorum" "$work/disks/elsewhere"
unchanged 4 'name it with --quorum DIR' restore --resume "$undo"
expect 0 'every file is as it was before' restore --rollback --quorum "$work/disks/elsewhere" "$undo" "$kiel"
[[ $out == *"  as before  $kiel/WINNT/Cluster/CLUSDB"* ]] || wrong "$out"
mv "$work/disks/elsewhere" "$quorum"
is_old "rolled back"
twice
expect 0 'what was interrupted is done' restore --resume "$undo"
[ ! -e "$quorum/MSCS/quolog.log" ] && [ ! -e "$quorum/MSCS/chk1C4.tmp" ] || wrong "the quorum log is in the way"
result "the quorum disk of an interrupted restore is missing, another, or named in another way"

interrupted "$work/undo"
head -c 8192 "$snapshot19/chk0001.tmp" >"$emden/Windows/Cluster/CLUSDB" # somebody has put a hive there
for word in --resume --rollback; do
	unchanged 3 'changed-since' restore $word "$undo" "$emden"
	[[ $err == *CLUSDB* ]] || wrong "not which file: $err"
done
run status "$emden" # then it does not wait any more
[ $status -ne 6 ] || wrong "status: $out"
expect 0 restored restore --undo "$work/undo" "$snapshot19" "$emden"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "the way out"
result "neither forward nor back, because somebody else has been there: it can be restored anew"

# --- markers that nobody has written ---

broken
for path in 'x; touch pwned' "' ; touch $work/pwned ; '" '$(touch pwned)' '/../../etc' ''; do
	printf 'clusnap: a restore of this file is unfinished\nundo: %s\nbegun: \033[31m\nhost: h\npath: %s\n' "$path" "$path" |
		head -c 512 | dd of="$emden/Windows/Cluster/CLUSDB" conv=notrunc status=none
	expect 6 restore-unfinished status "$emden"
	[[ $out != *$'\033'* ]] || wrong "it prints what a terminal obeys"
	line=$(printed "$out")
	(cd "$work" && clusnap() { "$clusnap" "$@"; } && eval "$line") >"$work/out" 2>&1
	[ ! -e "$work/pwned" ] || wrong "a command was carried out: $line"
done
printf 'clusnap: a restore of this file is unfinished' | cat - /dev/zero 2>/dev/null | head -c 9000 >"$emden/Windows/Cluster/CLUSDB"
run status "$emden"
[ $status -ne 6 ] || wrong "half of a marker is one"
expect 0 restored restore "$snapshot19" "$emden"
result "a marker that says something evil"

# --- a volume that changes ---

# Stops the restore when it has looked at everything and takes its lock, and changes CLUSDB then.
change_between() {
	local pid stopped=''
	broken
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/trace" -e trace=flock -P "$emden" \
		-e inject=flock:signal=STOP:when=1 "$clusnap" restore "${durable[@]}" "$snapshot19" "$emden" >"$work/out" 2>&1 &
	for _ in $(seq 300); do
		pid=$(pgrep -P $!) && stopped=$(awk '$1 == "State:" && $2 ~ /[tT]/' "/proc/$pid/status" 2>/dev/null)
		grep -q SIGSTOP "$work/trace" 2>/dev/null && [ -n "$stopped" ] && break
		sleep 0.05
	done
	printf x >>"$emden/Windows/Cluster/CLUSDB"
	before=$(bytes "$work/disks")
	kill -CONT "$pid"
	wait $!
	status=$?
	err=$(<"$work/out")
}
change_between
[ $status -eq 3 ] && [[ $err == *'nothing was changed'*'has changed since it was looked at'* ]] || wrong "$status: $err"
[ "$before" = "$(bytes "$work/disks")" ] || wrong "changed something"
result "refused: a file has changed since it was looked at"

# Two at a time: one has the lock.
broken
flock "$emden" sleep 2 &
sleep 0.3
unchanged 3 'another clusnap is writing to it' restore "$snapshot19" "$emden"
wait
result "refused: another clusnap writes to the disk"

echo "1..$number"
