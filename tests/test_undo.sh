#!/bin/bash
# undo, verify UNDO, undo --list, and restore --resume and --rollback of what is complete: on a
# directory. What was changed since by somebody else is not written over. Exit 0 means durable.
. tests/backup.sh
. tests/restore.sh

snapshot=$work/snapshot snapshot19=$work/snapshot19
fresh_disks
run backup --quiet --quorum "$quorum" "$kiel" "$snapshot"
[ $status -eq 0 ] || wrong "backup of kiel: $err"
run backup --quiet "$emden" "$snapshot19"
[ $status -eq 0 ] || wrong "backup of emden: $err"
clusdb=$emden/Windows/Cluster/CLUSDB

restored() { # a restore of emden with a log and a file of transactions; $undo, $old and $new
	fresh_disks
	rm -rf "$work/undo"
	truncate -s 9000 "$clusdb"
	yes "an old log" | head -c 3000 >"$clusdb.LOG1"
	printf journal >"$clusdb.blf"
	old=$(bytes "$work/disks")
	expect 0 restored restore --undo "$work/undo" "$snapshot19" "$emden"
	undo=$(undo_of "$work/undo") new=$(bytes "$work/disks")
	[ -n "$undo" ] && [ "$old" != "$new" ] || wrong "nothing was restored"
}

is_old() { [ "$old" = "$(bytes "$work/disks")" ] || wrong "$1: $(diff <(echo "$old") <(bytes "$work/disks"))"; }
is_new() { [ "$new" = "$(bytes "$work/disks")" ] || wrong "$1: $(diff <(echo "$new") <(bytes "$work/disks"))"; }

# --- of a complete restore ---

restored
unchanged 0 'complete already' restore --resume "$undo" "$emden"
unchanged 1 'it is complete' restore --rollback "$undo" "$emden"
[[ $err == *"clusnap undo $undo $emden"* ]] || wrong "the way back is not told: $err"
sound_undo "$undo" 'done'
expect 0 'undone: every file is as it was before' undo "$undo" "$emden"
[[ $out == *"  as before  $emden/Windows/Cluster/CLUSDB"* ]] || wrong "not which files: $out"
is_old undo
for _ in 1 2; do
	unchanged 0 'there is nothing to undo' undo "$undo"
done
unchanged 0 'there is nothing to undo' restore --rollback "$undo"
expect 0 'what was interrupted is done' restore --resume "$undo"
is_new "restored once more"
sound_undo "$undo" 'done'
expect 0 undone undo "$undo/"
is_old "undone once more"
result "a complete restore: --resume 0, --rollback 1, undo, and the same again"

# Two, and the first is undone under the second.
restored
first=$undo
cp -r "$snapshot19" "$work/edited"
printf 'Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\Cluster\\Nodes]\n"Edited"=dword:00000002\n' >"$work/b.reg"
run edit --quiet "$work/edited" "$work/b.reg"
expect 0 restored restore --undo "$work/second" "$work/edited" "$emden"
second=$(undo_of "$work/second")
unchanged 3 'changed-since' undo "$first"
expect 0 undone undo "$second"
is_new "the second undone"
expect 0 undone undo "$first"
is_old "both undone"
result "two restores are undone in reverse order, and in no other"

# --- the same disk elsewhere ---

restored
mv "$emden" "$work/disks/moved"
unchanged 4 "name where it is behind the undo directory" undo "$undo"
expect 0 undone undo "$undo" "$work/disks/moved"
mv "$work/disks/moved" "$emden"
is_old "moved"
cp -r "$undo" "$work/copied"
expect 0 'what was interrupted is done' restore --resume "$work/copied" "$emden"
is_new "from a copy of the undo directory"
(cd "$work" && "$clusnap" undo --quiet copied "$emden") >/dev/null 2>"$work/err" || wrong "relative: $(<"$work/err")"
is_old "from a copy of the undo directory"
unchanged 3 'does not lie in the Windows directory' restore --resume "$undo" "$kiel" # another node: it has no such files
unchanged 4 "$work/nowhere" undo "$undo" "$work/nowhere"
unchanged 4 "$work/err" undo "$undo" "$work/err"
result "the disk is mounted elsewhere, the undo directory is a copy, the disk is another"

# --- changed since ---

changed_since() { # WHAT FILE: refused by its name; nothing is changed
	unchanged 3 'changed-since' undo "$undo" "$emden"
	[[ $err == *"nothing was changed"*"$2"* ]] || wrong "$1: does not name $2: $err"
	for word in --resume --rollback; do
		unchanged 3 'changed-since' restore $word "$undo" "$emden"
	done
}

forced() { # WHAT: overridden, everything comes back
	expect 0 undone undo --force changed-since "$undo" "$emden"
	is_old "$1, forced"
}

restored
damage changed "$clusdb"
changed_since "another CLUSDB" CLUSDB
forced "another CLUSDB"
restored
printf x | dd of="$clusdb" bs=1 seek=20000 conv=notrunc status=none
changed_since "a byte" CLUSDB
unchanged 2 'does not know' undo --force changed "$undo"
unchanged 3 'changed-since' undo --force identity-mismatch "$undo"
forced "a byte"
restored
printf 'written by Windows' >"$clusdb.LOG1"
changed_since "a log" CLUSDB.LOG1
forced "a log"
restored
head -c 70000 /dev/urandom >"$clusdb.LOG1"
changed_since "a longer log" CLUSDB.LOG1
forced "a longer log"
restored
rm "$clusdb.LOG1"
changed_since "a log that is gone" CLUSDB.LOG1
forced "a log that is gone"
restored
rm "$clusdb"
changed_since "a CLUSDB that is gone" CLUSDB
forced "a CLUSDB that is gone"
restored
printf 'new journal' >"$clusdb.blf"
changed_since "a new .blf" CLUSDB.blf
forced "a new .blf"
restored
mv "$clusdb" "$work/disks/x"
ln -s "$work/disks/x" "$clusdb"
unchanged 5 "CLUSDB" undo --force changed-since "$undo" # not through a link
rm "$clusdb"
mkdir "$clusdb"
unchanged 5 "CLUSDB" undo --force changed-since "$undo"
rmdir "$clusdb"
ln "$work/disks/x" "$clusdb"
unchanged 3 'has 2 names' undo --force changed-since "$undo"
result "what somebody else has changed since: 3, and --force changed-since gives back everything"

# --- the quorum disk ---

fresh_disks
truncate -s 9000 "$kiel/WINNT/Cluster/CLUSDB"
rm -r "$quorum"/MSCS/ca7d4543-*
rm -rf "$work/undo"
old=$(bytes "$work/disks")
expect 0 restored restore --undo "$work/undo" --authoritative --quorum "$quorum" "$snapshot" "$kiel"
undo=$(undo_of "$work/undo") new=$(bytes "$work/disks")
printf x >"$quorum/MSCS/chk2A.tmp" # what the cluster has made since is not in the plan
unchanged 4 'the quorum disk is wanted, too' undo --quorum "$work/nowhere" "$undo"
unchanged 2 'named the disk that the folder MSCS is on' undo --quorum "$quorum/MSCS" "$undo"
cp -r "$testdata/quorum-2003" "$work/disks/second"
unchanged 3 'changed-since' undo --quorum "$work/disks/second" "$undo"
rm -r "$work/disks/second"
mv "$quorum" "$work/disks/elsewhere"
unchanged 4 'the quorum disk is wanted, too' undo "$undo"
expect 0 undone undo --quorum "$work/disks/elsewhere" "$undo" "$kiel"
mv "$work/disks/elsewhere" "$quorum"
rm "$quorum/MSCS/chk2A.tmp"
is_old "two disks"
result "the quorum disk is missing, another, elsewhere, or named in another way"

# A directory that was made and that somebody has put something in stays.
expect 0 'what was interrupted is done' restore --resume "$undo"
touch "$(echo "$quorum"/MSCS/ca7d4543-*)/by-hand"
expect 0 undone undo "$undo"
[ -e "$(echo "$quorum"/MSCS/ca7d4543-*)/by-hand" ] || wrong "somebody's file is gone"
rm -r "$quorum"/MSCS/ca7d4543-*
is_old "but for that"
result "a directory that is not empty stays"

# --- verify, --list ---

restored
expect 0 'whole: every byte has its SHA-256' verify "$undo"
run verify --json "$undo"
[ "$(jq -r '[.schema, .complete, .whole, .files, .command, .node, .id] | map(tostring) | join(" ")' <<<"$out")" = \
	"1 true true 3 restore EMDEN $(sha256sum "$undo/plan.json" | cut -c-64)" ] || wrong "JSON: $out"
[ "$(jq -r .system <<<"$out")" = "$(realpath "$emden")" ] || wrong "JSON: $out"
expect 0 "$undo: restore of EMDEN, begun 2" undo --list "$work/undo"
[[ $out == *', 3 files, done 2'* ]] || wrong "list: $out"
expect 0 "$undo: restore of EMDEN" undo --list "$undo" # itself
mkdir "$work/undo/no-undo" "$work/undo/.20260101T000000Z-X.clusnap-new"
cp "$undo/plan.json" "$work/undo/.20260101T000000Z-X.clusnap-new" # what was killed is none
expect 0 "$undo: restore" undo --list "$work/undo"
[ "$(wc -l <<<"$out")" -eq 1 ] || wrong "list: $out"
run undo --list "$work/undo" --json
[ "$(jq -r '[.schema, (.undo | length), .undo[0].whole, (.undo[0].state | split(" ")[0])] | map(tostring) | join(" ")' <<<"$out")" = \
	'1 1 true done' ] || wrong "list, JSON: $out"
cp -r "$undo" "$work/undo/damaged"
for how in "rm SHA256SUMS" "truncate -s 100 SHA256SUMS" "rm plan.json" "truncate -s 10 plan.json" "rm old/1-CLUSDB" \
	"truncate -s +1 new/1-CLUSDB" "dd if=/dev/zero of=old/2-CLUSDB.LOG1 bs=1 seek=2999 count=1 conv=notrunc status=none"; do
	rm -r "$work/undo/damaged"
	cp -r "$undo" "$work/undo/damaged"
	(cd "$work/undo/damaged" && $how)
	for command in "verify" "verify --json"; do
		# shellcheck disable=SC2086
		expect 1 'no whole undo directory' $command "$work/undo/damaged"
	done
	[ "$(jq -r '[.complete, (.damage | length)] | map(tostring) | join(" ")' <<<"$out")" = 'false 1' ] || wrong "$how: $out"
	expect 1 "damaged: is no whole undo directory" undo --list "$work/undo"
	[[ $out == *"$undo: restore of EMDEN"* ]] || wrong "$how: the whole one is not listed: $out"
	unchanged 4 'no whole undo directory' undo "$work/undo/damaged"
	for word in --resume --rollback; do
		unchanged 4 'no whole undo directory' restore $word "$work/undo/damaged"
	done
done
expect 2 'no other argument' undo --list "$work/undo" "$undo"
expect 4 "$work/nowhere" undo --list "$work/nowhere"
mkdir "$work/empty"
expect 0 '' undo --list "$work/empty"
result "verify and --list: whole, and damaged in seven ways"

# --- exit 0 means durable ---

if have_strace; then
	restored
	ASAN_OPTIONS=detect_leaks=0 strace -f -y -qq -o "$work/trace" -e trace=pwrite64,ftruncate,utimensat,fchown,fchmod,fsetxattr,fsync \
		"$clusnap" undo --quiet "$undo" "$emden" >"$work/out" 2>&1 || wrong "undo: $(<"$work/out")"
	is_old "undo"
	for file in CLUSDB CLUSDB.LOG1 CLUSDB.blf; do
		grep -F "/$file>" "$work/trace" | tail -n 1 | grep -q 'fsync(' || wrong "$file: something comes after its last fsync"
		grep -F "/$file>" "$work/trace" | grep -q 'utimensat(' || wrong "$file: no times"
	done
	result "promise 4: what undo gives back is durable, times too"
else
	skip "promise 4: what undo gives back is durable" "no strace"
fi

# --- many files ---

# A plan of so many small files that all change, in $work/undo/many, on the disk $work/disks/many.
many() {
	rm -rf "$work/disks" "$work/undo"
	python3 - "$1" "$work/undo/many" "$work/disks/many" <<'PYTHON'
import hashlib, json, os, sys

count, undo, disk = int(sys.argv[1]), sys.argv[2], sys.argv[3]
for folder in undo + "/old", undo + "/new", disk + "/Windows/Cluster":
    os.makedirs(folder)
files, sums = [], ""

def put(path, text):
    with open(path, "wb") as file:
        file.write(text)
    return hashlib.sha256(text).hexdigest()

for number in range(1, count + 1):
    name, contents = f"chk{number:x}.tmp", {}
    for when in "old", "new":
        text = f"{when} {number}".encode()
        contents[when] = {"size": len(text), "sha256": put(f"{undo}/{when}/{number}-{name}", text)}
        sums += f"{contents[when]['sha256']}  {when}/{number}-{name}\n"
    put(f"{disk}/Windows/Cluster/{name}", f"old {number}".encode())
    files.append({"action": "overwrite", "volume": "system", "path": "Windows/Cluster/" + name, "attributes": None,
                  "recovered": None, **contents})
plan = {"format": "clusnap undo", "version": 1, "begun": "2026-11-28T11:15:00Z", "host": "", "command": "restore",
        "node": "", "generation": 1, "snapshot": "", "quorum": None, "files": files, "shadows": [],
        "request": {"source": None, "sequence": 0, "authoritative": False, "checkpoints": False},
        "system": {"path": disk, "serial": None, "folder": None}}
sums += put(undo + "/plan.json", json.dumps(plan).encode()) + "  plan.json\n"
put(undo + "/SHA256SUMS", sums.encode())
PYTHON
}

if [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -gt 1200 ]; then
	many 1100
	old=$(bytes "$work/disks")
	(ulimit -Sn 64 && "$clusnap" restore --quiet --resume "$work/undo/many") >"$work/out" 2>&1 || wrong "$(<"$work/out")"
	[ "$(cat "$work/disks/many/Windows/Cluster/chk44c.tmp")" = 'new 1100' ] || wrong "not restored"
	(ulimit -Sn 64 && "$clusnap" undo --quiet "$work/undo/many") >"$work/out" 2>&1 || wrong "$(<"$work/out")"
	is_old "many files"
	result "more files than may be open without asking"
else
	skip "more files than may be open without asking" "they may not be open at all"
fi

echo "1..$number"
