#!/bin/bash
# restore refuses: what could do harm, each reason by its name, its override, and that nothing is
# changed before; disks that cannot be written, places where no undo directory may be.
. tests/backup.sh
. tests/restore.sh

snapshot=$work/snapshot snapshot19=$work/snapshot19
fresh_disks
run backup --quiet --quorum "$quorum" "$kiel" "$snapshot"
[ $status -eq 0 ] || wrong "backup of kiel: $err"
run backup --quiet "$emden" "$snapshot19"
[ $status -eq 0 ] || wrong "backup of emden: $err"

# --- refusals ---

refuse() { # NAME TEXT ARGUMENT...: refused by this name, and only by it
	local name=$1 text=$2 before
	shift 2
	before=$(bytes "$work/disks")
	expect 3 "refused: $name: " restore "$@"
	[[ $err == *"$text"* ]] || wrong "$name: no '$text' in: $err"
	[[ $err == *"--force $name"* ]] || wrong "$name: no word of --force: $err"
	[ "$(grep -c 'refused: ' <<<"$err")" -eq "${refusals:-1}" ] || wrong "$name: refused for more: $err"
	[ "$before" = "$(bytes "$work/disks")" ] || wrong "$name: changed something"
	run restore --json "$@"
	[ "$(jq -r '[.status, .refusals[].code] | join(" ")' <<<"$out")" = "3 ${codes:-$name}" ] || wrong "$name: JSON: $out"
}

fresh_disks
damage changed "$kiel/WINNT/Cluster/CLUSDB"
cp -r "$snapshot" "$work/damaged"
printf x >>"$work/damaged/2e9ca17f-636b-4143-aaf5-92757f06c6ac/00000001.CPT"
refuse snapshot-damaged 'take another copy' "$work/damaged" "$kiel"
expect 0 'forced: ' restore --force snapshot-damaged "$work/damaged" "$kiel"
printf x | dd of="$work/damaged/quolog.log" conv=notrunc status=none
refuse snapshot-damaged 'chk????.tmp' "$work/damaged" "$kiel"
expect 4 'chk????.tmp' restore --force snapshot-damaged "$work/damaged" "$kiel"
rm "$work/damaged/quolog.log"
refuse snapshot-damaged 'chk????.tmp' "$work/damaged" "$kiel"
expect 4 'chk????.tmp' restore --force snapshot-damaged "$work/damaged" "$kiel"
damage zeroed "$kiel/WINNT/Cluster/CLUSDB"
expect 0 restored restore "$work/damaged/chk0001.tmp" "$kiel"
result "refused: a damaged snapshot"

# So that no state can be read: the same name, but nothing that an override could take.
fresh_disks
damage changed "$kiel/WINNT/Cluster/CLUSDB"
for how in 'truncate -s 0 quolog.log' 'truncate -s 100 quolog.log' 'truncate -s -1 quolog.log' \
	'truncate -s 0 chk0001.tmp' 'truncate -s 9000 chk0001.tmp' 'rm chk0001.tmp'; do
	rm -rf "$work/damaged"
	cp -r "$snapshot" "$work/damaged"
	(cd "$work/damaged" && $how)
	refuse snapshot-damaged 'take another copy' "$work/damaged" "$kiel"
	run restore --force snapshot-damaged "$work/damaged" "$kiel"
	[ $status -eq 4 ] && [[ $err != *'no transaction'* ]] || wrong "$how, forced: $status: $err"
done
result "refused: a snapshot of which no state can be read"

fresh_disks
printf 'hibr' | cat - /dev/zero 2>/dev/null | head -c 4096 >"$emden/hiberfil.sys"
damage zeroed "$emden/Windows/Cluster/CLUSDB"
refuse hibernated 'hiberfil.sys' "$snapshot19" "$emden"
expect 0 'forced: ' restore --force hibernated "$snapshot19" "$emden"
printf 'RSTR' | dd of="$emden/hiberfil.sys" conv=notrunc status=none # it may try once more
damage zeroed "$emden/Windows/Cluster/CLUSDB"
refuse hibernated 'may be hibernated' "$snapshot19" "$emden"
expect 0 'forced: ' restore --force hibernated "$snapshot19" "$emden"
result "refused: a node that is hibernated, or may be"

fresh_disks
refusals=3 codes='identity-mismatch not-a-member generation-mismatch'
refuse identity-mismatch 'ERROR_CLUSTER_INSTANCE_ID_MISMATCH (5893)' "$snapshot19" "$kiel"
for todo in 'identity-mismatch: .*; make sure that this is the right disk' \
	'not-a-member: .*: restore a state in which it is one (--to)' \
	'generation-mismatch: .*; restore a database of the same generation'; do
	grep -q "$todo" <<<"$err" || wrong "not what to do: $todo"
done
expect 3 not-a-member restore --force identity-mismatch --force generation-mismatch "$snapshot19" "$kiel"
expect 3 identity-mismatch restore --force not-a-member --force generation-mismatch "$snapshot19" "$kiel"
expect 3 generation-mismatch restore --force not-a-member --force identity-mismatch "$snapshot19" "$kiel"
expect 0 restored restore --force not-a-member --force identity-mismatch --force generation-mismatch "$snapshot19" "$kiel"
refusals='' codes=''
fresh_disks
cp "$emden/Windows/Cluster/CLUSDB" "$quorum/MSCS/chk1C4.tmp"
refuse identity-mismatch chk1C4.tmp --authoritative --quorum "$quorum" "$snapshot" "$kiel"
result "refused: another cluster, another generation, a node that is no member, a foreign quorum disk"

# Windows knows no letter case in names, of any alphabet.
fresh_disks
printf '%s\n' 'Windows Registry Editor Version 5.00' '' '[\ControlSet002\Control\ComputerName\ComputerName]' \
	'"ComputerName"=hex(1):4c,00,fc,00,62,00,65,00,63,00,6b,00,00,00' >"$work/a.reg"
hivexregedit --merge "$emden/Windows/System32/config/SYSTEM" "$work/a.reg"
cp -r "$snapshot19" "$work/luebeck"
printf '%s\n' 'Windows Registry Editor Version 5.00' '' '[HKEY_LOCAL_MACHINE\Cluster\Nodes\1]' \
	$'"NodeName"="L\xc3\x9cBECK"' >"$work/a.reg"
expect 0 'transaction 2 is done' edit "$work/luebeck" "$work/a.reg"
expect 3 $'is called L\xc3\xbcbeck, and no node' restore "$snapshot19" "$emden"
expect 0 restored restore "$work/luebeck" "$emden"
result "the name of a member may be spelled in another letter case"

service() { # START: of ClusSvc on emden, in both control sets
	printf 'Windows Registry Editor Version 5.00\n' >"$work/a.reg"
	for set in 1 2; do
		printf '\n[\\ControlSet00%s\\Services\\ClusSvc]\n"Start"=dword:%08x\n' $set "$1"
	done >>"$work/a.reg"
	hivexregedit --merge "$emden/Windows/System32/config/SYSTEM" "$work/a.reg"
}
fresh_disks
service 4
refuse not-a-node 'evicted' "$snapshot19" "$emden"
expect 0 unchanged restore --force not-a-node "$snapshot19" "$emden"
fresh_disks
damage zeroed "$emden/Windows/System32/config/SYSTEM"
refusals=2 codes='state-unknown not-a-member'
refuse state-unknown 'cannot be read' "$snapshot19" "$emden"
refusals='' codes=''
expect 0 unchanged restore --force state-unknown --force not-a-member "$snapshot19" "$emden"
fresh_disks
rm -r "$emden/Windows/Cluster"
expect 3 not-a-node restore "$snapshot19" "$emden"
result "refused: no cluster node, or nobody can tell"

# A share of another machine cannot be mounted here: the answer of statfs() is made up.
fresh_disks
damage zeroed "$emden/Windows/Cluster/CLUSDB"
on_share() {
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$work/trace" -P "$emden" -e trace=statfs \
		-e inject=statfs:poke_exit=@arg2=424d53ff00000000 "$clusnap" restore "${durable[@]}" "$@" "$snapshot19" "$emden"
}
if strace -qq -o /dev/null true 2>/dev/null; then
	on_share >"$work/out" 2>&1
	status=$?
	[ $status -eq 3 ] && grep -q 'refused: running: .*SMB' "$work/out" || wrong "$status: $(<"$work/out")"
	on_share --force running >"$work/out" 2>&1
	status=$?
	[ $status -eq 0 ] && grep -q 'forced: ' "$work/out" || wrong "forced: $status: $(<"$work/out")"
	result "refused: a share of another machine"
else
	skip "refused: a share of another machine" "no strace"
fi

# --- disks that cannot be written ---

if [ "$(id -u)" -eq 0 ]; then
	fresh_disks
	damage zeroed "$emden/Windows/Cluster/CLUSDB"
	mount -t tmpfs -o size=4m tmpfs "$mount" && cp -r "$emden"/. "$mount" && mount -o remount,ro "$mount"
	before=$(bytes "$mount")
	rm -rf "$snapshot19.undo"
	expect 5 'read-only' restore "$snapshot19" "$mount"
	[ "$before" = "$(bytes "$mount")" ] || wrong "changed"
	mount -o remount,rw "$mount"
	truncate -s 9000 "$mount/Windows/Cluster/CLUSDB" # it has to get longer
	head -c 16m /dev/zero >"$mount/full" 2>/dev/null
	before=$(bytes "$mount")
	expect 5 'ERROR_DISK_FULL (112)' restore "$snapshot19" "$mount"
	[[ $err == *'nothing was changed'* ]] || wrong "does not say where things stand: $err"
	[ "$before" = "$(bytes "$mount")" ] || wrong "a full volume was changed: $(find "$mount" -newer "$work/err")"
	[ "$(undos "$snapshot19.undo")" -eq 0 ] || wrong "an undo directory was made"
	rm "$mount/full"
	expect 0 restored restore "$snapshot19" "$mount"
	undo=$(undo_of "$snapshot19.undo")
	before=$(bytes "$mount")
	mount -o remount,ro "$mount"
	expect 5 'read-only' undo "$undo"
	expect 5 'read-only' restore --rollback "$undo"
	[ "$before" = "$(bytes "$mount")" ] || wrong "changed"
	unmount
	result "a read-only and a full volume: exit 5, nothing is changed"

	# data alone takes no room: a file that keeps its size is restored on a full volume
	mount -t tmpfs -o size=4m tmpfs "$mount" && cp -r "$emden"/. "$mount"
	head -c 16m /dev/zero >"$mount/full" 2>/dev/null
	rm -rf "$snapshot19.undo"
	expect 0 restored restore "$snapshot19" "$mount"
	same_tree "$mount/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "full"
	expect 0 undone undo "$(undo_of "$snapshot19.undo")"
	unmount
	result "a CLUSDB that keeps its size is restored, and undone, on a full volume"
else
	skip "a read-only and a full volume" "not root"
	skip "a CLUSDB that keeps its size on a full volume" "not root"
fi

fresh_disks
damage zeroed "$emden/Windows/Cluster/CLUSDB"
ln "$emden/Windows/Cluster/CLUSDB" "$work/disks/other-name"
unchanged 3 'has 2 names (hard links)' restore "$snapshot19" "$emden"
rm "$work/disks/other-name"
printf 'old log' >"$emden/Windows/Cluster/CLUSDB.LOG1"
ln "$emden/Windows/Cluster/CLUSDB.LOG1" "$emden/Windows/Cluster/kept"
unchanged 3 'CLUSDB.LOG1: has 2 names' restore "$snapshot19" "$emden"
unchanged 3 'CLUSDB.LOG1: has 2 names' restore --dry-run "$snapshot19" "$emden"
rm "$emden/Windows/Cluster/kept"
expect 0 restored restore "$snapshot19" "$emden"
result "refused: a file that has another name, too"

# --- where the undo directory may be ---

fresh_disks
damage zeroed "$emden/Windows/Cluster/CLUSDB"
cp -r "$snapshot19" "$work/disks/snapshot"
for place in "$work/disks/snapshot" "$work/disks/snapshot/" "$work/disks/snapshot/undo" \
	"$work/disks/snapshot/78c42b9e" "$work/disks/snapshot/../snapshot/x"; do
	unchanged 3 'snapshot' restore --undo "$place" "$snapshot19" "$emden"
done
unchanged 3 'snapshot' restore --undo "$quorum/MSCS/undo" "$snapshot19" "$emden"
rm -r "$work/disks/snapshot"
result "refused: an undo directory in a snapshot, or beside a quorum disk's log"

printf x >"$work/a-file"
for place in "$work/a-file" "$work/a-file/undo" "$work/no/such" ''; do
	unchanged 5 "$place: " restore --undo "$place" "$snapshot19" "$emden"
done
result "an undo directory that cannot be made: exit 5, nothing is changed"

if [ "$(id -u)" -eq 0 ]; then
	kept=("${durable[@]}")
	durable=()
	mount -t tmpfs -o size=2m tmpfs "$mount"
	refuse undo-not-durable 'name a directory on a USB stick' --undo "$mount" "$snapshot19" "$emden"
	refuse undo-not-durable 'is in memory (tmpfs)' --undo "$mount/undo/" "$snapshot19" "$emden"
	[ -z "$(ls "$mount")" ] || wrong "something was made"
	head -c 16m /dev/zero >"$mount/full" 2>/dev/null
	for _ in 1 2; do
		unchanged 5 'No space left' restore --force undo-not-durable --undo "$mount/undo" "$snapshot19" "$emden"
		[[ $err == *'nothing was changed'* ]] || wrong "does not say where things stand: $err"
		head -c 4096 /dev/zero >"$mount/full"
		head -c 16m /dev/zero >>"$mount/fill" 2>/dev/null
		truncate -s -20000 "$mount/fill"
	done
	[ -z "$(find "$mount" -name '*Z-*')" ] || wrong "something is left: $(find "$mount")"
	rm "$mount"/f*
	expect 0 'undo-not-durable: forced: ' restore --force undo-not-durable --undo "$mount/undo/" "$snapshot19" "$emden"
	sound_undo "$(undo_of "$mount/undo")" 'done'
	expect 0 undone undo "$(undo_of "$mount/undo")"
	unmount
	durable=("${kept[@]}")
	result "refused: an undo directory in memory; a full one: exit 5, nothing is changed"
else
	skip "refused: an undo directory in memory" "not root"
fi

fresh_disks
damage zeroed "$emden/Windows/Cluster/CLUSDB"
expect 0 'undo-on-target' restore --undo "$emden/undo" "$snapshot19" "$emden"
old=$(bytes "$emden/Windows")
expect 0 undone undo "$(undo_of "$emden/undo")"
[ "$old" != "$(bytes "$emden/Windows")" ] || wrong "not undone"
if [ "$(id -u)" -eq 0 ]; then
	mount -t tmpfs -o size=2m tmpfs "$mount"
	run restore --dry-run --force undo-not-durable --undo "$mount/u" "$snapshot19" "$emden"
	[[ $err != *undo-on-target* ]] || wrong "it is on another: $err"
	unmount
fi
result "an undo directory on the disk that is written to: a warning"

# --- words ---

expect 2 usage restore
expect 2 'argument is missing' restore "$snapshot19"
expect 2 'exclude each other' restore --resume --rollback "$emden"
expect 2 'does not know nonsense' restore --force nonsense "$snapshot19" "$emden"
for word in --dry-run --undo=x --to=1 --authoritative --checkpoints; do
	expect 2 'undo directory, which says all the rest' restore --resume $word "$work/x"
done
expect 2 'take UNDO and SYSTEM' restore --rollback a b c
expect 4 "$work/nowhere" restore --resume "$work/nowhere"
expect 4 'no whole undo directory' restore --rollback "$emden"
expect 4 'no whole undo directory' undo "$snapshot19"
expect 2 'argument is missing' undo
expect 2 'does not know nonsense' undo --force nonsense x
expect 4 "$work/nowhere" restore "$snapshot19" "$work/nowhere"
fresh_disks
damage zeroed "$emden/Windows/Cluster/CLUSDB"
run restore --json --dry-run "$snapshot19" "$emden"
[ "$(jq -r '[.schema, .sequence, .steps[0].op, .steps[0].path, .authoritative, .undo] | map(tostring) | join(" ")' <<<"$out")" = \
	"1 1 overwrite Windows/Cluster/CLUSDB false null" ] || wrong "JSON: $out"
rm -rf "$snapshot19.undo"
run restore --json "$snapshot19" "$emden"
undo=$(undo_of "$snapshot19.undo")
[ "$(jq -r '[.undo, .undo_id, .waits] | map(tostring) | join(" ")' <<<"$out")" = \
	"$undo $(sha256sum "$undo/plan.json" | cut -c-64) false" ] || wrong "JSON: $out"
run undo --json "$undo"
[ "$(jq -r '[.schema, .result, .steps[0].op, .undo] | join(" ")' <<<"$out")" = \
	"1 undone: every file is as it was before overwrite $undo" ] || wrong "JSON: $out"
result "usage and JSON"

echo "1..$number"
