#!/bin/bash
# restore: ClusDb and checkpoints back into a stopped node, on a directory and on NTFS; every
# refusal and its override; what was replaced is whole in the undo directory, and undo gives it
# back to the last byte; a second restore changes nothing.
. tests/backup.sh
. tests/restore.sh

snapshot=$work/snapshot snapshot19=$work/snapshot19
fresh_disks
run backup --quiet --quorum "$quorum" "$kiel" "$snapshot"
[ $status -eq 0 ] || wrong "backup of kiel: $err"
run backup --quiet "$emden" "$snapshot19"
[ $status -eq 0 ] || wrong "backup of emden: $err"

# --- a damaged CLUSDB ---

# What a file has beside its bytes: mode, owner and last write, on NTFS what Windows knows.
attributes() { # FILE...
	stat -c '%n %a %u %g %.9Y' "$@"
	[ "$make_disks" != ntfs_disks ] ||
		getfattr -h --absolute-names -e hex -n system.ntfs_acl -n system.ntfs_attrib "$@" 2>/dev/null
}

erased() { # FILE COPY: the same but for the first sector, which is zeros
	[ "$(stat -c %s "$1")" -eq "$(stat -c %s "$2")" ] &&
		cmp -s <(head -c 512 "$1") <(head -c "$(stat -c %s "$1")" /dev/zero | head -c 512) &&
		cmp -s <(tail -c +513 "$1") <(tail -c +513 "$2")
}

node_restore() { # HOW: on a fresh disk
	local how=$1 cluster=$emden/Windows/Cluster old listed kept undo number=1 name
	local hive=$cluster/CLUSDB logs=(CLUSDB.LOG1 clusdb.log2) gone
	gone=(CLUSDB.blf 'CLUSDB{a-b}.TM.blf' CLUSDB.1.container CLUSDB.2.regtrans-ms)
	"$make_disks" || return
	rm -f "$cluster"/CLUSDB.LOG*
	head -c 5000 /dev/urandom >"$cluster/CLUSDB.LOG1"
	printf 'short' >"$cluster/clusdb.log2"
	: >"$cluster/clusdb.log2.keep"
	for name in "${gone[@]}"; do
		printf 'journal' >"$cluster/$name"
	done
	printf 'other' >"$cluster/cluster.log"
	[ "$make_disks" != ntfs_disks ] || setfattr -h -n system.ntfs_attrib_be -v 0x00000026 "$hive"
	damage "$how" "$hive"
	touch -d '2020-02-03 04:05:06.7' "$cluster"/*
	cp -r "$cluster" "$work/old"
	old=$(bytes "$emden")
	kept=$(attributes "$cluster"/*)
	expect 0 'would be restored' restore --dry-run "$snapshot19" "$emden"
	[ "$old" = "$(bytes "$emden")" ] || wrong "$how: a dry run changed something"
	[ "$(undos "$snapshot19.undo")" -eq 0 ] || wrong "$how: a dry run made an undo directory"
	listed=$(find "$cluster" -mindepth 1 ! -name '*.blf' ! -name '*.container' ! -name '*.regtrans-ms' -printf '%f\n')
	[ "$how" != deleted ] || listed+=$'\nCLUSDB'
	expect 0 'restored' restore "$snapshot19" "$emden"
	same_tree "$hive" "$snapshot19/chk0001.tmp" "$how"
	[ "$(find "$cluster" -mindepth 1 -printf '%f\n' | sort)" = "$(sort <<<"$listed")" ] ||
		wrong "$how: names: $(ls "$cluster")"
	for name in "${logs[@]}"; do
		erased "$cluster/$name" "$work/old/$name" || wrong "$how: $name is not erased"
	done
	[ "$how" = deleted ] || [ "$(stat -c %s "$hive")" -ge "$(stat -c %s "$work/old/CLUSDB")" ] ||
		wrong "$how: the file has become smaller"
	undo=$(undo_of "$snapshot19.undo")
	[[ $out == *"clusnap undo $undo $emden"* ]] || wrong "$how: the way back is not told: $out"
	sound_undo "$undo" 'done'
	for name in $(jq -r '.files[] | select(.old) | .path' "$undo/plan.json" | grep -o '[^/]*$'); do
		cmp -s "$undo/old/"*-"$name" "$work/old/$name" || wrong "$how: $name is not whole in $undo"
	done
	[ "$(find "$undo/old" -type f | wc -l)" -eq $((6 + $([ "$how" = deleted ]; echo $?))) ] || wrong "$how: old files"
	old_new=$(bytes "$emden")
	expect 0 'unchanged' restore "$snapshot19" "$emden"
	[ "$old_new" = "$(bytes "$emden")" ] || wrong "$how: the second restore changed something"
	[ "$(undos "$snapshot19.undo")" -eq 1 ] || wrong "$how: the second restore made an undo directory"
	expect 0 'NotRunning' status "$emden"

	expect 0 'undone: every file is as it was before' undo "$undo" "$emden"
	[ "$old" = "$(bytes "$emden")" ] || wrong "$how: undo: $(diff <(echo "$old") <(bytes "$emden"))"
	[ "$kept" = "$(attributes "$cluster"/*)" ] ||
		wrong "$how: attributes: $(diff <(echo "$kept") <(attributes "$cluster"/*))"
	sound_undo "$undo" undone
	expect 0 'there is nothing to undo' undo "$undo"
	[ "$old" = "$(bytes "$emden")" ] || wrong "$how: a second undo changed something"
	expect 0 'what was interrupted is done' restore --resume "$undo" "$emden" # once more
	[ "$old_new" = "$(bytes "$emden")" ] || wrong "$how: done once more it is another"
	expect 0 'undone' undo "$undo"
	[ "$old" = "$(bytes "$emden")" ] || wrong "$how: undone once more it is another"
	rm -rf "$work/old" "$snapshot19.undo"
}

make_disks=fresh_disks
for how in zeroed truncated bytes deleted changed; do
	node_restore $how
done
result "node restore and undo: CLUSDB zeroed, truncated, wrong bytes, deleted, another state"

if have_ntfs; then
	make_disks=ntfs_disks
	for how in zeroed truncated bytes deleted changed; do
		node_restore $how
	done
	unmount
	rm "$work/disks"
	result "the same on NTFS, with attributes, security descriptors and times"
else
	skip "the same on NTFS" "no /dev/fuse, no ntfs-3g, or not root"
fi
make_disks=fresh_disks

# --- sequence numbers lie above those of old logs ---

fresh_disks
u32() { od -An -tu4 -j "$2" -N 4 "$1" | tr -d ' '; }
damage zeroed "$emden/Windows/Cluster/CLUSDB"
cp "$emden/Windows/System32/config/SYSTEM" "$emden/Windows/Cluster/CLUSDB.LOG2" # any valid base block
before=$(u32 "$emden/Windows/Cluster/CLUSDB.LOG2" 4)
expect 0 restored restore "$snapshot19" "$emden"
[ "$(u32 "$emden/Windows/Cluster/CLUSDB" 4)" -gt "$before" ] || wrong "sequence is not above $before"
[ "$(u32 "$emden/Windows/Cluster/CLUSDB" 4)" -eq "$(u32 "$emden/Windows/Cluster/CLUSDB" 8)" ] ||
	wrong "not clean"
result "the new hive's sequence numbers lie above the old logs'"

# --- a dirty hive ---

mkdir "$work/small"
"$build/tests/tools/make_small_node" "$work/small"
run backup --quiet "$work/small" "$work/small19"
rm -r "$work/small" && mkdir "$work/small"
"$build/tests/tools/make_small_node" "$work/small" dirty
old=$(bytes "$work/small")
"$clusnap" recover "$work/small/Windows/Cluster/CLUSDB" "$work/recovered" >/dev/null 2>&1 || wrong recover
expect 0 restored restore "$work/small19" "$work/small"
same_tree "$work/small/Windows/Cluster/CLUSDB" "$work/small19/chk0001.tmp" "dirty"
undo=$(undo_of "$work/small19.undo")
same_tree "$undo/recovered/1-CLUSDB" "$work/recovered" "what Windows would load is kept, too"
expect 0 undone undo "$undo"
[ "$old" = "$(bytes "$work/small")" ] || wrong "undo: $(diff <(echo "$old") <(bytes "$work/small"))"
run status --json "$work/small"
[ "$(jq -r '.systems[0].clusdb | "\(.condition) \(.log_entries_applied)"' <<<"$out")" = 'recovered 2' ] || wrong "$out"
result "a dirty CLUSDB comes back dirty, with its logs"

# --- authoritative ---

fresh_disks
damage changed "$kiel/WINNT/Cluster/CLUSDB"
expect 3 no-quorum-disk restore --authoritative "$snapshot" "$kiel"
expect 0 'rename its folder MSCS first' restore --authoritative --force no-quorum-disk "$snapshot" "$kiel"
[[ $out != *'with no quolog.log on the quorum disk'* ]] || wrong "nobody has looked whether it is so: $out"
rm -rf "$snapshot.undo"
fresh_disks
damage changed "$kiel/WINNT/Cluster/CLUSDB"
rm "$quorum"/MSCS/2e9ca17f-*/00000001.CP? # lost: they come back
rm -r "$quorum"/MSCS/ca7d4543-*
old=$(bytes "$work/disks") folders=$(find "$work/disks" -type d | sort)
expect 0 'Start this node first' restore --authoritative --quorum "$quorum" "$snapshot" "$kiel"
same_tree "$kiel/WINNT/Cluster/CLUSDB" "$snapshot/chk0001.tmp" authoritative
[ -z "$(find "$quorum/MSCS" -maxdepth 1 -iname 'chk*.tmp' -o -maxdepth 1 -iname quolog.log)" ] || wrong "the quorum log is in the way"
(cd "$snapshot" && find . -name '*.CP?') | while read -r file; do
	[ -f "$quorum/MSCS/$file" ] || echo "$file is not on the quorum disk"
done >"$work/missing"
[ ! -s "$work/missing" ] || wrong "$(<"$work/missing")"
cmp -s "$snapshot"/2e9ca17f-*/00000001.CPR "$quorum"/MSCS/2e9ca17f-*/00000001.CPR || wrong ".CPR"
expect 0 unchanged restore --authoritative --quorum "$quorum" "$snapshot" "$kiel"
sound_undo "$(undo_of "$snapshot.undo")" 'done'
expect 0 undone undo "$(undo_of "$snapshot.undo")"
[ "$old" = "$(bytes "$work/disks")" ] || wrong "undo: $(diff <(echo "$old") <(bytes "$work/disks"))"
[ "$folders" = "$(find "$work/disks" -type d | sort)" ] || wrong "undo: other directories"
rm -r "$snapshot.undo"
result "authoritative, first generation: the quorum disk's database goes, .CPT and .CPR come back; undone"

# A majority node set has no quorum disk: each node keeps that folder itself.
fresh_disks
damage changed "$kiel/WINNT/Cluster/CLUSDB"
expect 3 "MNS.<GUID>\$/<GUID>\$ in the node's directory Cluster" restore --authoritative "$snapshot" "$kiel"
majority=$kiel/WINNT/Cluster/MNS.67d25764-9d6b-46a3-aa69-2ae777f4628b\$/67d25764-9d6b-46a3-aa69-2ae777f4628b\$
mkdir -p "$majority"
cp -r "$quorum/MSCS" "$majority"
old=$(bytes "$work/disks")
expect 0 'Start this node first' restore --authoritative --quorum "$majority" "$snapshot" "$kiel"
same_tree "$kiel/WINNT/Cluster/CLUSDB" "$snapshot/chk0001.tmp" "majority node set"
[ ! -e "$majority/MSCS/quolog.log" ] && [ ! -e "$majority/MSCS/chk1C4.tmp" ] || wrong "the quorum log is in the way"
expect 0 unchanged restore --authoritative --quorum "$majority" "$snapshot" "$kiel"
expect 0 undone undo "$(undo_of "$snapshot.undo")"
[ "$old" = "$(bytes "$work/disks")" ] || wrong "undo: $(diff <(echo "$old") <(bytes "$work/disks"))"
rm -r "$snapshot.undo"
result "authoritative, majority node set: the folder is on the node's own disk"

expect 0 'net start clussvc /fq' restore --authoritative --dry-run "$snapshot19" "$emden"
expect 2 'first generation' restore --authoritative --quorum "$quorum" "$snapshot19" "$emden"
expect 2 'node restore' restore --quorum "$quorum" "$snapshot" "$kiel"
result "authoritative, second generation: the next command is named"

# --- less than a snapshot ---

fresh_disks
cp "$emden/Windows/Cluster/CLUSDB" "$work/chk0002.tmp"
damage zeroed "$emden/Windows/Cluster/CLUSDB"
expect 0 restored restore "$work/chk0002.tmp" "$emden"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "a bare hive"
sound_undo "$(undo_of "$work/chk0002.tmp.undo")" 'done'
cp -r "$testdata/node-2019" "$work/other"
damage deleted "$emden/Windows/Cluster/CLUSDB"
expect 0 restored restore "$work/other" "$emden"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "another node's disk"
damage zeroed "$work/chk0002.tmp"
expect 4 'chk0002.tmp' restore "$work/chk0002.tmp" "$emden"
expect 2 'history' restore --to 1 "$work/other" "$emden"
expect 2 'snapshot' restore --checkpoints "$work/other" "$emden"
expect 2 'is a file' restore "$snapshot19" "$emden/Windows/Cluster/CLUSDB"
result "from a bare hive, and from another node's disk"

# --- --to ---

fresh_disks
cp -r "$snapshot19" "$work/edited"
printf 'Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\Cluster\\Nodes]\n"Edited"=dword:00000002\n' >"$work/b.reg"
run edit --quiet "$work/edited" "$work/b.reg"
expect 0 restored restore "$work/edited" "$emden"
tree "$emden/Windows/Cluster/CLUSDB" | grep -q Edited || wrong "the newest state is not there"
expect 0 restored restore --to 1 "$work/edited" "$emden"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "--to 1"
[[ $err != *checkpoint-images-newest* ]] || wrong "no image was put back: $err"
expect 2 'no transaction 99' restore --to 99 "$work/edited" "$emden"
expect 0 'checkpoint-images-newest: ' restore --dry-run --checkpoints --to 1 "$work/edited" "$emden"
run restore --dry-run --checkpoints --to 3 "$work/edited" "$emden" # the newest
[[ $err != *checkpoint-images-newest* ]] || wrong "they are as of that: $err"
expect 2 'number' restore --to x "$work/edited" "$emden"
rm "$work/edited/chk0002.tmp" # what led to it is still there
expect 4 'an earlier one may be (--to SEQ' restore --force snapshot-damaged "$work/edited" "$emden"
expect 0 restored restore --force snapshot-damaged --to 2 "$work/edited" "$emden"
tree "$emden/Windows/Cluster/CLUSDB" | grep -q Edited || wrong "the state before the lost one is another"
result "--to SEQ"

# --- checkpoints ---

software=$kiel/WINNT/system32/config/SOFTWARE
change_software() {
	cat >"$work/c.reg" <<'END'
Windows Registry Editor Version 5.00

[\Microsoft\Microsoft SQL Server\MSSQL.1\MSSQLSERVER]
"Broken"="by hand"

[\Other]
"Kept"=dword:00000007
END
	hivexregedit --merge "$software" "$work/c.reg"
}
key='Microsoft\Microsoft SQL Server\MSSQL.1\MSSQLSERVER'
cpt=$snapshot/2e9ca17f-636b-4143-aaf5-92757f06c6ac/00000001.CPT

checkpoint_restore() {
	"$make_disks" || return
	change_software
	cp "$software" "$work/before"
	clusdb=$(sha256sum "$kiel/WINNT/Cluster/CLUSDB")
	old=$(bytes "$work/disks/")
	expect 0 'would be restored' restore --dry-run --checkpoints "$snapshot" "$kiel"
	[[ $out == *'delete-value'*Broken* ]] || wrong "no difference in the dry run: $out"
	expect 0 restored restore --checkpoints "$snapshot" "$kiel"
	run diff --exact --key "$key" --key '' "$software" "$cpt"
	[ $status -eq 0 ] || wrong "the subtree is not the .CPT's: $out"
	run diff --exact "$work/before" "$software"
	[ -z "$(grep -vi 'MSSQLSERVER' <<<"$out")" ] || wrong "something else has changed: $out"
	tree "$software" | grep -q Kept || wrong "another key is gone"
	cmp -s "$work/before" "$(undo_of "$snapshot.undo")/old/1-SOFTWARE" || wrong "the old one is not kept"
	[ "$clusdb" = "$(sha256sum "$kiel/WINNT/Cluster/CLUSDB")" ] || wrong "CLUSDB was touched"
	expect 0 unchanged restore --checkpoints "$snapshot" "$kiel"
	for judge in hivexml regfinfo 'reglookup -H'; do
		$judge "$software" >/dev/null 2>&1 || wrong "$judge: does not like SOFTWARE"
	done
	expect 0 undone undo "$(undo_of "$snapshot.undo")"
	[ "$old" = "$(bytes "$work/disks/")" ] || wrong "undo: $(diff <(echo "$old") <(bytes "$work/disks/"))"
	rm -r "$snapshot.undo"
}
checkpoint_restore
if have_ntfs; then
	make_disks=ntfs_disks
	checkpoint_restore
	unmount
	rm "$work/disks"
	make_disks=fresh_disks
fi
result "--checkpoints: the subtree is the image's, the rest as it was, a second time changes nothing; undone"

fresh_disks
change_software
expect 0 restored restore --checkpoints "$snapshot" "$kiel" 'SQL Server'
fresh_disks
change_software
expect 0 unchanged restore --checkpoints "$snapshot" "$kiel" 6ce549c0-4d96-4d04-83ea-4f330ac0114e
expect 2 'no resource' restore --checkpoints "$snapshot" "$kiel" Nobody
expect 2 '--checkpoints' restore "$snapshot" "$kiel" 'SQL Server'
result "--checkpoints RESOURCE"

fresh_disks
hivexsh -w "$software" >/dev/null 2>&1 <<'END'
cd \Microsoft\Microsoft SQL Server\MSSQL.1
del
commit
END
tree "$software" | grep -q 'MSSQL\.1' && wrong "the test could not remove the key"
expect 0 'key-created' restore --checkpoints "$snapshot" "$kiel"
run diff --exact --key "$key" --key '' "$software" "$cpt"
[ $status -eq 0 ] || wrong "the created subtree is not the .CPT's: $out"
result "--checkpoints: a key that is missing is created with its parents"

fresh_disks
printf 'x' >"$quorum/MSCS/2e9ca17f-636b-4143-aaf5-92757f06c6ac/00000001.CPT"
rm -rf "$snapshot.undo"
old=$(bytes "$work/disks")
expect 0 restored restore --checkpoints --quorum "$quorum" "$snapshot" "$kiel"
cmp -s "$cpt" "$quorum/MSCS/2e9ca17f-636b-4143-aaf5-92757f06c6ac/00000001.CPT" || wrong "the quorum disk's .CPT"
[ -e "$quorum/MSCS/chk1C4.tmp" ] || wrong "the quorum disk's database was touched"
expect 0 undone undo "$(undo_of "$snapshot.undo")"
[ "$old" = "$(bytes "$work/disks")" ] || wrong "undo: $(diff <(echo "$old") <(bytes "$work/disks"))"
result "--checkpoints --quorum: the quorum disk's .CPT too"

# --- nothing is thrown away ---

# What has become of each file that $work/was names: it is where it was, or whole in UNDO, whose plan
# names it. Prints the others, and how many are there.
became() { # UNDO
	python3 - "$work/was" "$1" <<'PYTHON'
import hashlib, json, os, sys

def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest() if os.path.isfile(path) else None

undo = sys.argv[2]
plan = json.load(open(undo + "/plan.json"))
kept = {}
for number, file in enumerate(plan["files"], 1):
    if file["old"]:
        copy = f"{undo}/old/{number}-{os.path.basename(file['path'])}"
        if digest(copy) == file["old"]["sha256"]:
            kept[os.path.join(plan[file["volume"]]["path"], file["path"])] = file["old"]["sha256"]
changed = 0
for line in open(sys.argv[1]):
    was, path = line.rstrip("\n").split("  ", 1)
    if digest(path) == was:
        continue
    changed += 1
    if kept.get(os.path.realpath(path)) != was:
        print(f"{path} is neither as it was nor kept")
print(changed)
PYTHON
}

keeps_all() { # HOW-MANY WHAT ARGUMENT...
	local many=$1 what=$2
	shift 2
	rm -rf "$work/kept"
	find "$kiel" "$emden" "$quorum" -type f -exec sha256sum {} + >"$work/was"
	expect 0 restored restore --undo "$work/kept" "$@"
	became "$(undo_of "$work/kept")" >"$work/became"
	[ "$(<"$work/became")" = "$many" ] || wrong "$what: $(<"$work/became")"
}

fresh_disks
damage changed "$emden/Windows/Cluster/CLUSDB"
for name in LOG LOG1 LOG2 blf; do
	echo "old $name" >"$emden/Windows/Cluster/CLUSDB.$name"
done
keeps_all 5 "a node" "$snapshot19" "$emden"
damage changed "$kiel/WINNT/Cluster/CLUSDB"
for file in "$quorum"/MSCS/*/*.CP?; do
	truncate -s 100 "$file"
done
keeps_all $((3 + $(find "$quorum/MSCS" -name '*.CP?' | wc -l))) "authoritative" \
	--authoritative --quorum "$quorum" "$snapshot" "$kiel"
printf 'Windows Registry Editor Version 5.00\n\n[\\Microsoft\\Microsoft SQL Server\\MSSQL.1\\MSSQLSERVER]\n"Changed"=dword:00000001\n' >"$work/a.reg"
hivexregedit --merge "$kiel/WINNT/system32/config/SOFTWARE" "$work/a.reg"
echo old >"$kiel/WINNT/system32/config/SOFTWARE.LOG"
keeps_all 2 "checkpoints" --checkpoints "$snapshot" "$kiel"
result "promise 9: what is replaced is whole in the undo directory, and all else is as it was"

# --- the order in which logs go ---

# HIVE DIRTY: sequence numbers of it, clean at 7 or dirty at 8 and 7, and of logs from 7 and 9 on
number_logs() {
	python3 - "$1" "$2" <<-'END'
		import struct, sys
		hive, dirty = sys.argv[1], sys.argv[2] == "dirty"
		def base(block, one, two, kind):
		    block = bytearray(block[:512])
		    struct.pack_into("<II", block, 4, one, two)
		    struct.pack_into("<I", block, 28, kind)
		    check = 0
		    for word in struct.unpack_from("<127I", block):
		        check ^= word
		    struct.pack_into("<I", block, 508, check)
		    return bytes(block)
		with open(hive, "rb") as file:
		    old = file.read()
		with open(hive, "wb") as file:
		    file.write(base(old, 7 + dirty, 7, 0) + old[512:])
		for name, sequence in ("LOG1", 7), ("LOG2", 9):
		    with open(f"{hive}.{name}", "wb") as file:
		        file.write(base(old, sequence, sequence, 6))
	END
}

in_order() { # names of the files that are changed, but the first
	run restore --json --dry-run "$snapshot19" "$emden"
	jq -r '[.steps[1:][] | .op + " " + (.path | split("/")[-1])] | join(" ")' <<<"$out"
}

fresh_disks
printf journal >"$emden/Windows/Cluster/CLUSDB.blf"
number_logs "$emden/Windows/Cluster/CLUSDB" dirty
[ "$(in_order)" = "erase CLUSDB.LOG2 erase CLUSDB.LOG1 remove CLUSDB.blf" ] || wrong "dirty: $(in_order)"
printf 'Windows Registry Editor Version 5.00\n\n[\\]\n"Changed"=dword:00000001\n' >"$work/changed.reg"
fresh_disks
hivexregedit --merge "$emden/Windows/Cluster/CLUSDB" "$work/changed.reg" >/dev/null 2>&1
number_logs "$emden/Windows/Cluster/CLUSDB" clean
[ "$(in_order)" = "erase CLUSDB.LOG2 erase CLUSDB.LOG1" ] || wrong "clean: $(in_order)"
result "the latest log goes first"

echo "1..$number"
