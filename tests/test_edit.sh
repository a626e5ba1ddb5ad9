#!/bin/bash
# edit, checkpoint add and checkpoint remove: one more transaction, all or nothing, whatever is
# killed. The tree is judged by hivexregedit.
. tests/cli.sh
. tests/fault.sh
snapshot=$dir/snapshot

# state SEQ: the tree as of SEQ in hivexregedit's words
state()
{
	"$clusnap" extract --quiet --to "$1" "$snapshot" "$dir/hive" &&
		hivexregedit --export --prefix X "$dir/hive" '\\' 2>/dev/null
}

reg() # NAME LINE...
{
	local name=$1
	shift
	printf '%s\n' 'Windows Registry Editor Version 5.00' '' "$@" >"$dir/$name.reg"
}

cluster='HKEY_LOCAL_MACHINE\Cluster'
reg good "[$cluster\\Quorum]" '"Added"=dword:00000007' "[$cluster\\New\\Sub]" '"a"="b"'
reg delete "[-$cluster\\New]" "[$cluster\\Quorum]" '"Added"=-'
reg root "[-$cluster\\Nodes]"
reg other "[$cluster]" '"ClusterInstanceID"="00000000-1111-2222-3333-444444444444"' '"ClusterName"="OTHER"'
reg elsewhere "[$cluster\\Quorum]" '"Added"=dword:00000007' '[HKEY_LOCAL_MACHINE\SOFTWARE]'
reg broken "[$cluster\\Quorum]" '"Added"=dword:00000007' '"Bad"=dword:x'
reg nothing "[$cluster\\Quorum]" '"NotThere"=-'

"$clusnap" backup --quiet testdata/node-2019 "$snapshot" 2>/dev/null
cp -a "$snapshot" "$dir/old"
old=$dir/edited
cp -a "$snapshot" "$old"

# --- refused: nothing changes ---

for row in 'root 3' 'other 3' 'elsewhere 4' 'broken 4' 'nothing 0' 'absent 4'; do
	run "${row#* }" edit "$snapshot" "$dir/${row% *}.reg" && diff -r "$dir/old" "$snapshot" &&
		[ "$(find "$dir" -maxdepth 1 -name '*snapshot*' | wc -l)" = 1 ]
	ok "edit of what is ${row% *}: ${row#* }, and nothing is written"
done
run 4 checkpoint add "$snapshot" Nobody 'Software\X' && grep -q 5007 "$dir/err"
ok "checkpoint add to a resource that is not there: 4"
run 2 checkpoint add "$snapshot" 'SQL Server' 'HKEY_LOCAL_MACHINE\Software\X'
ok "checkpoint add with HKEY_LOCAL_MACHINE in front: 2"
run 3 checkpoint add "$snapshot" 'SQL Server' \
	'software\Microsoft\Microsoft SQL Server\MSSQL15.MSSQLSERVER\CLUSTER' && grep -q 183 "$dir/err"
ok "checkpoint add of what is there: 3"
run 4 checkpoint remove "$snapshot" 'SQL Server' 'Software\X' && diff -r "$dir/old" "$snapshot"
ok "checkpoint remove of what is not there: 4, nothing is written"

# --- done ---

state 1 >"$dir/before"
run 0 edit "$snapshot" "$dir/good.reg" && run 0 verify "$snapshot"
ok "edit: 0, the snapshot is whole"
state 1 | cmp - "$dir/before"
ok "the state before is still there"
cmp -n "$(stat -c %s "$dir/old/quolog.log")" "$dir/old/quolog.log" "$snapshot/quolog.log" &&
	cmp "$dir/old/chk0001.tmp" "$snapshot/chk0001.tmp"
ok "what was in the log is byte for byte its beginning"
state 2 >"$dir/after"
diff "$dir/before" "$dir/after" | grep '^[<>]' >"$dir/changes"
printf '> %s\n' '[X\New]' '' '[X\New\Sub]' '"a"=hex(1):62,00,00,00' '' '"Added"=dword:00000007' >"$dir/wanted"
diff "$dir/wanted" "$dir/changes"
ok "the state after has just these changes"
state 3 | cmp - "$dir/after" && hivexregedit --export --prefix X "$snapshot/chk0002.tmp" '\\' | cmp - "$dir/after"
ok "the highest chk is the newest state"
run 0 edit "$snapshot" "$dir/delete.reg" && state 4 | cmp - "$dir/before" && state 2 | cmp - "$dir/after"
ok "what was added is taken away by another transaction"

run 0 checkpoint add "$snapshot" 'SQL Server' 'Software\Contoso\New' &&
	run 0 checkpoint list --json "$snapshot" &&
	[ "$(jq -r '.checkpoints[] | select(.path == "Software\\Contoso\\New") | .id' "$dir/out")" = 00000005 ]
ok "checkpoint add takes the next id"
guid=$(jq -r '.checkpoints[] | select(.path == "Software\\Contoso\\New") | .resource' "$dir/out")
run 0 checkpoint remove "$snapshot" "$guid" 'SOFTWARE\contoso\new' && state 8 | cmp - "$dir/before"
ok "checkpoint remove takes it away, by GUID and in any case"
run 0 checkpoint remove "$snapshot" 'SQL Server' 'Software\Microsoft\Microsoft SQL Server\MSSQL15.MSSQLSERVER\Cluster' &&
	[ ! -e "$snapshot/$guid/00000002.CPT" ] && [ -e "$snapshot/$guid/00000001.CPT" ] && run 0 verify "$snapshot"
ok "the image of a checkpoint goes with it"
run 0 log --json "$snapshot" && [ "$(jq -c '[.records[].sequence]' "$dir/out")" = "[$(seq -s, 11)]" ]
ok "the log has them all"

# --- a log with a torn end ---

"$clusnap" edit --quiet "$old" "$dir/good.reg" 2>/dev/null
size=$(stat -c %s "$dir/old/quolog.log") whole=$(stat -c %s "$old/quolog.log")
# torn BYTES [ZEROS]: a log that ends there, behind it so many zeros
torn()
{
	rm -rf "$snapshot"* "$dir"/snapshot.torn*
	cp -a "$old" "$snapshot"
	truncate -s "$1" "$snapshot/quolog.log"
	truncate -s "+${2:-0}" "$snapshot/quolog.log"
	cp "$snapshot/quolog.log" "$dir/torn"
}
healed() # COMMAND...; the old log goes on, the torn one is beside it
{
	"$clusnap" "$@" --json >"$dir/json" 2>/dev/null && run 0 verify "$snapshot" &&
		cmp -s -n "$size" "$dir/old/quolog.log" "$snapshot/quolog.log" &&
		cmp -s "$dir/torn" "$dir/snapshot.torn-quolog.log" &&
		[ "$(find "$dir" -maxdepth 1 -name '*snapshot*' | wc -l)" = 2 ]
}
bad=''
for at in $(seq $((size + 1)) 61 $((whole - 1))) $((whole - 1)); do
	torn "$at"
	healed edit "$snapshot" "$dir/good.reg" && state 3 | cmp -s - "$dir/after" && state 1 | cmp -s - "$dir/before" ||
		bad="$bad $at"
done
[ -z "$bad" ]
ok "edit cuts off a torn end, wherever it is, and keeps a copy"
[ -z "$bad" ] || echo "# $bad"
torn $((size + 70)) 5000
run 0 edit "$snapshot" "$dir/good.reg" && grep -q 'log-torn: .*5070 bytes' "$dir/err" && [ -e "$dir/snapshot.torn-quolog.log" ] &&
	state 3 | cmp -s - "$dir/after"
ok "one of zeros too, and says so"
torn $((size + 70))
run 0 checkpoint add "$snapshot" 'SQL Server' 'Software\Contoso\New' && cmp -s "$dir/torn" "$dir/snapshot.torn-quolog.log"
ok "so does checkpoint add"
torn $((size + 70))
healed backup --append testdata/node-2019 "$snapshot" && jq -e '.warnings[] | select(.code == "log-torn")' "$dir/json" >/dev/null
ok "so does backup --append"
torn $((size + 70))
healed edit "$snapshot" "$dir/nothing.reg" && cmp -s "$dir/old/quolog.log" "$snapshot/quolog.log" && [ ! -e "$snapshot/chk0002.tmp" ]
ok "and an edit that changes nothing else"
cp "$dir/torn" "$snapshot/quolog.log"
run 0 edit "$snapshot" "$dir/good.reg" && [ ! -e "$dir/snapshot.torn-quolog-2.log" ]
ok "a copy that a killed run has left is the copy"
torn $((size + 70))
echo other >"$dir/snapshot.torn-quolog.log"
run 0 edit "$snapshot/" "$dir/good.reg" && cmp -s "$dir/torn" "$dir/snapshot.torn-quolog-2.log" &&
	[ "$(cat "$dir/snapshot.torn-quolog.log")" = other ]
ok "another one is not written over"
for row in 'size - 1' 0; do
	torn $((row))
	run 1 edit "$snapshot" "$dir/good.reg" && run 1 backup --append testdata/node-2019 "$snapshot" &&
		cmp -s "$dir/torn" "$snapshot/quolog.log" && [ ! -e "$dir/snapshot.torn-quolog.log" ]
	ok "a log without a manifest (cut at $row) is left as it is: 1"
done
torn $((size + 70))
printf x | dd of="$snapshot/chk0001.tmp" bs=1 seek=5000 conv=notrunc status=none
run 1 edit "$snapshot" "$dir/good.reg" && cmp -s "$dir/torn" "$snapshot/quolog.log" && [ ! -e "$dir/snapshot.torn-quolog.log" ]
ok "nothing is cut off where a file is damaged: 1"
torn $((size + 70))
touch "$snapshot/other"
run 1 edit "$snapshot" "$dir/good.reg" && [ -e "$snapshot/other" ]
ok "nor where a file is too many that is no chk: 1"
rm -rf "$old" "$dir"/snapshot.torn*

# --- killed at every step ---

prepare()
{
	find "$dir" -mindepth 1 -maxdepth 1 -name '*snapshot*' -exec rm -rf {} +
	cp -a "$dir/old" "$snapshot"
}
judge()
{
	local sequence
	sequence=$("$clusnap" verify --json "$snapshot" | jq -r 'select(.complete).sequence')
	[ "$sequence" = 3 ] || { [ "$sequence" = 1 ] && diff -r "$dir/old" "$snapshot" >/dev/null; }
}
if fault_have; then
	fault_sweep prepare judge 'renameat2 renameat rename fsync mkdirat write' \
		"$clusnap" edit "$snapshot" "$dir/good.reg"
	[ -z "$fault_bad" ] && [ "$fault_points" -gt 10 ]
	ok "killed at $fault_points system calls: the old snapshot or the new one"
	sed 's/^/# /' <<<"$fault_bad"
fi
finish
