#!/bin/bash
# restore: ClusDb and checkpoints back into a stopped node, on a directory and on NTFS; every
# refusal and its override; what was replaced is set aside; a second restore changes nothing.
. tests/backup.sh
. tests/restore.sh

snapshot=$work/snapshot snapshot19=$work/snapshot19
fresh_disks
run backup --quiet --quorum "$quorum" "$kiel" "$snapshot"
[ $status -eq 0 ] || wrong "backup of kiel: $err"
run backup --quiet "$emden" "$snapshot19"
[ $status -eq 0 ] || wrong "backup of emden: $err"

# --- a damaged CLUSDB ---

damage() { # HOW FILE
	case $1 in
	zeroed) head -c "$(stat -c %s "$2")" /dev/zero >"$2.x" && cat "$2.x" >"$2" && rm "$2.x" ;;
	truncated) truncate -s 9000 "$2" ;;
	bytes) printf 'ZZZZ' | dd of="$2" bs=1 seek=4132 conv=notrunc status=none ;;
	deleted) rm "$2" ;;
	changed) # sound, but another state
		printf 'Windows Registry Editor Version 5.00\n\n[\\Nodes]\n"Added"=dword:00000001\n' >"$work/a.reg"
		hivexregedit --merge "$2" "$work/a.reg"
		;;
	esac
}

node_restore() { # HOW: on a fresh disk
	local how=$1 cluster=$emden/Windows/Cluster old
	local hive=$cluster/CLUSDB
	"$make_disks" || return
	printf 'old log' >"$cluster/CLUSDB.LOG1"
	: >"$cluster/clusdb.log2.keep"
	printf 'journal' >"$cluster/CLUSDB.blf"
	printf 'other' >"$cluster/cluster.log"
	damage "$how" "$hive"
	[ "$how" = deleted ] || cp "$hive" "$work/old"
	old=$(bytes "$emden")
	expect 0 'would be restored' restore --dry-run "$snapshot19" "$emden"
	[ "$old" = "$(bytes "$emden")" ] || wrong "$how: a dry run changed something"
	expect 0 'restored' restore "$snapshot19" "$emden"
	same_tree "$hive" "$snapshot19/chk0001.tmp" "$how"
	[ "$(asides "$cluster")" -eq 1 ] || wrong "$how: no set-aside directory"
	[ "$how" = deleted ] || cmp -s "$work/old" "$(aside "$cluster")/CLUSDB" ||
		wrong "$how: the old CLUSDB is not set aside"
	[ "$(cat "$(aside "$cluster")/CLUSDB.LOG1")" = 'old log' ] || wrong "$how: old log"
	[ "$(cat "$(aside "$cluster")/CLUSDB.blf")" = journal ] || wrong "$how: old blf"
	[ ! -e "$cluster/CLUSDB.LOG1" ] && [ ! -e "$cluster/CLUSDB.blf" ] || wrong "$how: logs in the way"
	[ -e "$cluster/cluster.log" ] && [ -e "$cluster/clusdb.log2.keep" ] || wrong "$how: took too much"
	jq -e '.' "$(aside "$cluster")/list.json" >/dev/null || wrong "$how: no list"
	[ ! -e "$(aside "$cluster")/journal.json" ] || wrong "$how: a journal is left"
	[ -z "$(find "$emden" -name '*.clusnap-new')" ] || wrong "$how: a new file is left"
	old=$(bytes "$emden")
	expect 0 'unchanged' restore "$snapshot19" "$emden"
	[ "$old" = "$(bytes "$emden")" ] || wrong "$how: the second restore changed something"
	expect 0 'NotRunning' status "$emden"
}

make_disks=fresh_disks
for how in zeroed truncated bytes deleted changed; do
	node_restore $how
done
result "node restore: CLUSDB zeroed, truncated, wrong bytes, deleted, another state"

if have_ntfs; then
	make_disks=ntfs_disks
	for how in zeroed truncated bytes deleted changed; do
		node_restore $how
	done
	result "the same on NTFS"
	node_attributes() {
		local hive=$emden/Windows/Cluster/CLUSDB
		ntfs_disks || return
		setfattr -h -n system.ntfs_attrib_be -v 0x00000026 "$hive"
		damage zeroed "$hive"
		expect 0 restored restore "$snapshot19" "$emden"
		[ "$(getfattr -h --absolute-names --only-values -n system.ntfs_attrib_be "$hive" | od -An -tx1 | tr -d ' ')" = 00000026 ] ||
			wrong "attributes: $(getfattr -h -n system.ntfs_attrib_be -e hex "$hive")"
	}
	node_attributes
	result "attributes of the replaced file are kept on NTFS"
	unmount
	rm "$work/disks"
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

# --- authoritative ---

fresh_disks
damage changed "$kiel/WINNT/Cluster/CLUSDB"
expect 3 no-quorum-disk restore --authoritative "$snapshot" "$kiel"
expect 0 'rename its folder MSCS first' restore --authoritative --force no-quorum-disk "$snapshot" "$kiel"
[[ $out != *'with no quolog.log on the quorum disk'* ]] || wrong "nobody has looked whether it is so: $out"
fresh_disks
damage changed "$kiel/WINNT/Cluster/CLUSDB"
rm "$quorum"/MSCS/2e9ca17f-*/00000001.CP? # lost: they come back
rm -r "$quorum"/MSCS/ca7d4543-*
cp "$quorum/MSCS/quolog.log" "$work/quolog"
cp "$quorum/MSCS/chk1C4.tmp" "$work/chk"
expect 0 'Start this node first' restore --authoritative --quorum "$quorum" "$snapshot" "$kiel"
same_tree "$kiel/WINNT/Cluster/CLUSDB" "$snapshot/chk0001.tmp" authoritative
[ -z "$(find "$quorum/MSCS" -maxdepth 1 -iname 'chk*.tmp' -o -maxdepth 1 -iname quolog.log)" ] || wrong "the quorum log is in the way"
cmp -s "$work/quolog" "$(aside "$quorum/MSCS")/quolog.log" || wrong "quolog.log is not set aside"
cmp -s "$work/chk" "$(aside "$quorum/MSCS")/chk1C4.tmp" || wrong "chk is not set aside"
(cd "$snapshot" && find . -name '*.CP?') | while read -r file; do
	[ -f "$quorum/MSCS/$file" ] || echo "$file is not on the quorum disk"
done >"$work/missing"
[ ! -s "$work/missing" ] || wrong "$(<"$work/missing")"
cmp -s "$snapshot"/2e9ca17f-*/00000001.CPR "$quorum"/MSCS/2e9ca17f-*/00000001.CPR || wrong ".CPR"
expect 0 unchanged restore --authoritative --quorum "$quorum" "$snapshot" "$kiel"
result "authoritative, first generation: the quorum disk's database is set aside, .CPT and .CPR come back"

# A majority node set has no quorum disk: each node keeps that folder itself.
fresh_disks
damage changed "$kiel/WINNT/Cluster/CLUSDB"
expect 3 "MNS.<GUID>\$/<GUID>\$ in the node's directory Cluster" restore --authoritative "$snapshot" "$kiel"
majority=$kiel/WINNT/Cluster/MNS.67d25764-9d6b-46a3-aa69-2ae777f4628b\$/67d25764-9d6b-46a3-aa69-2ae777f4628b\$
mkdir -p "$majority"
cp -r "$quorum/MSCS" "$majority"
expect 0 'Start this node first' restore --authoritative --quorum "$majority" "$snapshot" "$kiel"
same_tree "$kiel/WINNT/Cluster/CLUSDB" "$snapshot/chk0001.tmp" "majority node set"
cmp -s "$work/quolog" "$(aside "$majority/MSCS")/quolog.log" || wrong "quolog.log is not set aside"
[ ! -e "$majority/MSCS/quolog.log" ] && [ ! -e "$majority/MSCS/chk1C4.tmp" ] || wrong "the quorum log is in the way"
expect 0 unchanged restore --authoritative --quorum "$majority" "$snapshot" "$kiel"
result "authoritative, majority node set: the folder is on the node's own disk"

expect 0 'net start clussvc /fq' restore --authoritative --dry-run "$snapshot19" "$emden"
expect 2 'first generation' restore --authoritative --quorum "$quorum" "$snapshot19" "$emden"
expect 2 'node restore' restore --quorum "$quorum" "$snapshot" "$kiel"
result "authoritative, second generation: the next command is named"

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
		-e inject=statfs:poke_exit=@arg2=424d53ff00000000 "$clusnap" restore "$@" "$snapshot19" "$emden"
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

# --- less than a snapshot ---

fresh_disks
cp "$emden/Windows/Cluster/CLUSDB" "$work/chk0002.tmp"
damage zeroed "$emden/Windows/Cluster/CLUSDB"
expect 0 restored restore "$work/chk0002.tmp" "$emden"
same_tree "$emden/Windows/Cluster/CLUSDB" "$snapshot19/chk0001.tmp" "a bare hive"
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
	expect 0 'would be restored' restore --dry-run --checkpoints "$snapshot" "$kiel"
	[[ $out == *'delete-value'*Broken* ]] || wrong "no difference in the dry run: $out"
	expect 0 restored restore --checkpoints "$snapshot" "$kiel"
	run diff --exact --key "$key" --key '' "$software" "$cpt"
	[ $status -eq 0 ] || wrong "the subtree is not the .CPT's: $out"
	run diff --exact "$work/before" "$software"
	[ -z "$(grep -vi 'MSSQLSERVER' <<<"$out")" ] || wrong "something else has changed: $out"
	tree "$software" | grep -q Kept || wrong "another key is gone"
	cmp -s "$work/before" "$(aside "$kiel/WINNT/Cluster")/SOFTWARE" || wrong "not set aside"
	[ "$clusdb" = "$(sha256sum "$kiel/WINNT/Cluster/CLUSDB")" ] || wrong "CLUSDB was touched"
	expect 0 unchanged restore --checkpoints "$snapshot" "$kiel"
	for judge in hivexml regfinfo 'reglookup -H'; do
		$judge "$software" >/dev/null 2>&1 || wrong "$judge: does not like SOFTWARE"
	done
}
checkpoint_restore
if have_ntfs; then
	make_disks=ntfs_disks
	checkpoint_restore
	unmount
	rm "$work/disks"
	make_disks=fresh_disks
fi
result "--checkpoints: the subtree is the image's, the rest as it was, a second time changes nothing"

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
expect 0 restored restore --checkpoints --quorum "$quorum" "$snapshot" "$kiel"
cmp -s "$cpt" "$quorum/MSCS/2e9ca17f-636b-4143-aaf5-92757f06c6ac/00000001.CPT" || wrong "the quorum disk's .CPT"
[ -e "$quorum/MSCS/chk1C4.tmp" ] || wrong "the quorum disk's database was touched"
result "--checkpoints --quorum: the quorum disk's .CPT too"

# --- places that cannot be written ---

if [ "$(id -u)" -eq 0 ]; then
	fresh_disks
	damage zeroed "$emden/Windows/Cluster/CLUSDB"
	mount -t tmpfs -o size=4m tmpfs "$mount" && cp -r "$emden"/. "$mount" && mount -o remount,ro "$mount"
	before=$(bytes "$mount")
	expect 5 'read-only' restore "$snapshot19" "$mount"
	[ "$before" = "$(bytes "$mount")" ] || wrong "changed"
	mount -o remount,rw "$mount"
	head -c 16m /dev/zero >"$mount/full" 2>/dev/null
	before=$(bytes "$mount")
	expect 5 "$mount" restore "$snapshot19" "$mount"
	[ "$before" = "$(bytes "$mount")" ] || wrong "a full volume was changed: $(find "$mount" -newer "$work/err")"
	rm "$mount/full"
	expect 0 restored restore "$snapshot19" "$mount"
	unmount
	result "a read-only and a full volume: exit 5, nothing is changed"
else
	skip "a read-only and a full volume" "not root"
fi

# --- nothing is thrown away ---

# What has become of each file that $work/was names: it is where it was, or the list of a set-aside
# directory names it and it is there, byte for byte. Prints the others, and how many were set aside.
became() { # DISK...
	python3 - "$work/was" "$@" <<'PYTHON'
import glob, hashlib, json, os, sys

def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest() if os.path.isfile(path) else None

aside = {}
for root in sys.argv[2:]:
    for name in glob.glob(root + "/**/clusnap-*/list.json", recursive=True):
        journal = json.load(open(name))
        for step in journal["steps"]:
            if not step["old"]:
                continue
            for disk in sys.argv[2:]:
                place = os.path.join(disk, step["path"])
                copy = os.path.join(disk, journal["aside"][step["disk"]] or "", step["aside"])
                if digest(copy) == step["old"]["sha256"]:
                    aside[place] = step["old"]["sha256"]
moved = 0
for line in open(sys.argv[1]):
    was, path = line.rstrip("\n").split("  ", 1)
    if digest(path) == was:
        continue
    moved += 1
    if aside.get(path) != was:
        print(f"{path} is neither where it was nor set aside and listed")
print(moved)
PYTHON
}

keeps_all() { # HOW-MANY WHAT ARGUMENT...
	local many=$1 what=$2
	shift 2
	find "$kiel" "$emden" "$quorum" -type f -exec sha256sum {} + >"$work/was"
	expect 0 restored restore "$@"
	became "$kiel" "$emden" "$quorum" >"$work/became"
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
result "promise 9: what is replaced is set aside, named and listed, and all else is as it was"

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

set_aside_in_order() { # names of the files in the order in which they are set aside
	run restore --json --dry-run "$snapshot19" "$emden"
	jq -r '[.steps[] | select(.op == "set-aside") | .path | split("/")[-1]] | join(" ")' <<<"$out"
}

fresh_disks
printf journal >"$emden/Windows/Cluster/CLUSDB.blf"
number_logs "$emden/Windows/Cluster/CLUSDB" dirty
[ "$(set_aside_in_order)" = "CLUSDB.LOG2 CLUSDB.LOG1 CLUSDB.blf" ] || wrong "dirty: $(set_aside_in_order)"
printf 'Windows Registry Editor Version 5.00\n\n[\\]\n"Changed"=dword:00000001\n' >"$work/changed.reg"
fresh_disks
hivexregedit --merge "$emden/Windows/Cluster/CLUSDB" "$work/changed.reg" >/dev/null 2>&1
number_logs "$emden/Windows/Cluster/CLUSDB" clean
[ "$(set_aside_in_order)" = "CLUSDB.LOG1 CLUSDB.LOG2" ] || wrong "clean: $(set_aside_in_order)"
result "the latest log of a dirty hive goes first"

# --- words ---

expect 2 usage restore
expect 2 'argument is missing' restore "$snapshot19"
expect 2 'exclude each other' restore --resume --rollback "$emden"
expect 2 'does not know nonsense' restore --force nonsense "$snapshot19" "$emden"
expect 2 'dry-run' restore --resume --dry-run "$emden"
fresh_disks
expect 0 'no restore was interrupted' restore --resume "$emden"
expect 0 'no restore was interrupted' restore --rollback "$emden"
expect 4 "$work/nowhere" restore "$snapshot19" "$work/nowhere"
damage zeroed "$emden/Windows/Cluster/CLUSDB"
run restore --json --dry-run "$snapshot19" "$emden"
[ "$(jq -r '[.schema, .sequence, .steps[0].op, .steps[0].path, .authoritative] | join(" ")' <<<"$out")" = \
	"1 1 put Windows/Cluster/CLUSDB false" ] || wrong "JSON: $out"
result "usage and JSON"

echo "1..$number"
