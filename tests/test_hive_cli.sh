#!/bin/bash
# What the commands on one hive tell scripts: how bad each problem is, what recovery could not
# see, what salvage and .reg text had to leave out. Works on copies of the sample, with bytes
# of theirs changed in place.
. tests/cli.sh

json() { jq -e "$1" "$dir/out" >/dev/null; }

# Changes words of a hive in place: CHANGE is Python, b the bytes, root the root key's record,
# put(at, word) and get(at) the words; then the checksum is made right unless KEEP is given.
change() # FILE CHANGE [KEEP]
{
	python3 - "$@" <<'PYTHON'
import struct, sys
b = bytearray(open(sys.argv[1], "rb").read())
get = lambda at: struct.unpack_from("<I", b, at)[0]
put = lambda at, word: struct.pack_into("<I", b, at, word)
root = 4096 + get(36) + 4
exec(sys.argv[2])
if len(sys.argv) < 4:
    total = 0
    for at in range(0, 508, 4):
        total ^= get(at)
    put(508, {0: 1, 0xffffffff: 0xfffffffe}.get(total, total))
open(sys.argv[1], "wb").write(b)
PYTHON
}
sample=testdata/node-2003/WINNT/Cluster/CLUSDB
fresh() { rm -rf "$dir/h" && mkdir "$dir/h" && cp "$sample" "$dir/h/CLUSDB" && chmod u+w "$dir/h/CLUSDB"; }
hive=$dir/h/CLUSDB

# --- check: how bad it is ---

fresh
run 0 check --json "$hive" && json '.condition == "clean" and .windows == "loads" and .problems == [] and
	.warnings == []'
ok "a clean hive: Windows loads it"
change "$hive" 'sk = 4096 + get(root + 44) + 4; put(sk + 12, get(sk + 12) + 7)'
run 1 check --json "$hive" && json '.condition == "damaged" and .windows == "loads" and (.problems | length == 1 and
	.[0].code == "security-count" and .[0].weight == "odd")'
ok "a count that is too high is named; Windows loads the hive"
run 0 save "$hive" '' "$dir/saved" && run 0 check --json "$dir/saved" && json '.problems == [] and .notes == []'
ok "such a hive is saved as any other, and the image is right"
fresh
change "$hive" 'put(root + 20, get(root + 20) + 1)'
run 1 check --json "$hive" && json '.condition == "damaged" and .windows == "heals" and
	(.problems | any(.code == "list-count" and .weight == "heals"))'
ok "a wrong number of subkeys: Windows repairs it"
fresh
change "$hive" 'put(root, 0)'
run 1 check --json "$hive" && json '.windows == "refuses" and (.problems | any(.weight == "fatal"))'
ok "no root key: Windows refuses it"
run 1 check "$hive" && grep -q 'Windows would refuse the hive' "$dir/out"
ok "and says so in words"

# --- check and recover: what recovery cannot see ---

fresh
touch "$hive{4f0e}.TM.blf"
for command in check recover; do
	out=$([ $command = check ] || echo "$dir/recovered")
	# shellcheck disable=SC2086
	run 0 $command --json "$hive" $out && json '.warnings | map(.code) == ["kernel-transactions-pending"]'
	ok "$command --json: kernel-transactions-pending for a .blf beside the hive"
	# shellcheck disable=SC2086
	run 0 $command "$hive" $out && grep -q 'kernel-transactions-pending' "$dir/err"
	ok "$command says kernel-transactions-pending"
done
fresh
change "$hive" 'put(144, 1)'
run 0 recover --json "$hive" "$dir/recovered" && json '.warnings | map(.code) == ["kernel-transactions-pending"]'
ok "recover --json: and for the flag in the hive"
fresh
change "$hive" 'put(8, get(8) - 1)'
: >"$hive.LOG2"
run 1 check --json "$hive" && json '.condition == "dirty" and .windows == "refuses" and
	(.problems | map(.code) == ["dirty"] and .[0].weight == "fatal") and (.warnings | map(.code) == ["log-missing"])'
ok "check --json: dirty, and one log is missing"
run 1 check --json --ignore-logs "$hive" && json '.problems | map(.code + .weight) == ["dirtyodd"]'
ok "with --ignore-logs no more than odd"
head -c 600 "$sample" >"$dir/short"
run 4 save "$dir/short" "" "$dir/none" && grep -q 'has only 600 bytes' "$dir/err"
ok "a file that ends in its base block is said to be that short"

# --- salvage of what no log makes clean ---

run 1 save "$hive" '' "$dir/none" && [ ! -e "$dir/none" ]
ok "a dirty hive without usable logs is not saved"
run 1 save --json --salvage "$hive" '' "$dir/salvaged" && json '.left_out | length == 1 and
	(.[0].text | contains("what its logs held"))'
ok "--salvage reads it as it is, says so and exits 1"
run 0 save "$sample" '' "$dir/whole" && cmp -s "$dir/whole" "$dir/salvaged"
ok "nothing else is missing"
fresh
change "$hive" 'put(508, get(508) ^ 1)' keep
run 1 save --salvage "$hive" '' "$dir/salvaged" && cmp -s "$dir/whole" "$dir/salvaged"
ok "a wrong checksum costs salvage nothing"

# --- recover: what is written although no log was applied, or although it is damaged ---

cp "$hive" "$dir/unsealed"
change "$dir/unsealed" 'put(8, get(8) - 1)'
run 1 recover --ignore-logs "$dir/unsealed" "$dir/sealed" && run 0 check "$dir/sealed" &&
	[ "$(cmp -l "$sample" "$dir/sealed" | wc -l)" -eq 0 ]
ok "recover --ignore-logs: the header of a clean hive, all else as it was"
fresh
change "$hive" 'put(root + 20, get(root + 20) + 1)'
run 4 recover "$hive" "$dir/refused" && [ ! -e "$dir/refused" ] && grep -q -e --damaged "$dir/err"
ok "recover does not write what is damaged, and names the way out"
run 1 recover --json --damaged "$hive" "$dir/refused" && cmp -s "$hive" "$dir/refused" &&
	json '.condition == "damaged"'
ok "recover --damaged does: 1"

# --- what recovery did is said also when the result is damaged, or when it did nothing ---

# An old-format log of the first page, which the hive has not, and whose root is damaged.
damaged_log() # HIVE LOG
{
	cp "$1" "$2" && chmod u+w "$2"
	change "$2" 'put(root + 20, get(root + 20) + 1)
put(28, 1)
dirty = b"DIRT" + b"\xff" + bytes(get(40) // 4096 - 1)
dirty += bytes(-len(dirty) % 512)
b[512:] = dirty + b[4096:8192]' && change "$1" 'put(4, get(4) + 1)'
}
fresh
damaged_log "$hive" "$hive.LOG1"
run 4 recover "$hive" "$dir/refused" && grep -q 'LOG1: applied' "$dir/err" && grep -q 'log-missing' "$dir/err"
ok "recover: what was applied, and that a log is missing, beside that the result is damaged"
run 4 save "$hive" '' "$dir/refused" && grep -q 'log-missing' "$dir/err"
ok "save: that a log is missing, too"
run 4 export "$hive" && grep -q 'log-missing' "$dir/err"
ok "and export"
fresh
change "$hive" 'b[0:4096] = bytes(4096)' keep
: >"$hive.LOG1"
head -c 600 /dev/zero >"$hive.LOG2"
run 4 recover "$hive" "$dir/refused" && grep -q 'LOG1: not used: the file is empty' "$dir/err" &&
	grep -q 'LOG2: not used: there is no regf' "$dir/err"
ok "recover: why no log replaces a base block that is lost"
run 1 save --json --salvage "$hive" '' "$dir/salvaged" && json '.left_out | length == 1 and
	(.[0].text | contains("its base block"))' && cmp -s "$dir/whole" "$dir/salvaged"
ok "--salvage goes without, says so, and loses nothing else"

# --- a log that cannot be read ---

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	nobody() { # STATUS COMMAND...: as run, as somebody who may not read the log
		local wanted=$1 status=0
		shift
		setpriv --reuid=65534 --regid=65534 --clear-groups timeout 60 "$clusnap" "$@" \
			>"$dir/out" 2>"$dir/err" </dev/null || status=$?
		[ "$status" -eq "$wanted" ] || { echo "exit status $status, not $wanted" >>"$dir/err"; return 1; }
	}
	fresh
	chmod a+rx "$dir" "$dir/h"
	chmod a+r "$hive"
	: >"$hive.LOG1"
	chmod 0 "$hive.LOG1"
	nobody 0 check "$hive"
	ok "a clean hive needs no log"
	change "$hive" 'put(8, get(8) - 1)'
	nobody 4 save "$hive" '' "$dir/none" && grep -q 'log cannot be read: CLUSDB.LOG1' "$dir/err"
	ok "a dirty hive does: 4"
	nobody 1 check --ignore-logs "$hive"
	ok "but for --ignore-logs"
fi

# --- a differencing hive ---

fresh
change "$hive" 'put(24, 6); put(144, 2)'
run 0 export "$hive" && grep -q 'differencing hive' "$dir/err"
ok "export of a differencing hive says that it means nothing alone"

# --- .reg text that cannot hold a name ---

"$tools/make_escape" "$dir/h" >"$dir/out" 2>"$dir/err"
run 1 export "$dir/h/good" && grep -q 'left out' "$dir/err"
ok "export: names that .reg text cannot hold are no success"
run 1 export --quiet "$dir/h/good" && grep -q 'left out' "$dir/err"
ok "not with --quiet either, which says so too"
run 0 export --quiet "$sample"
ok "export of names that it can hold is"
evil=$'Quorum\\\e[31mred\a\e]0;title\a\xc2\x9b2J\r\n\t\x7f'
run 3 export "$dir/h/good" "$evil" && [ ! -s "$dir/out" ] && grep -q 'clusnap save' "$dir/err"
ok "a key whose own path it cannot hold is not exported"
run 0 save "$dir/h/good" "$evil" "$dir/evil" && run 1 export --utf8 "$dir/evil" &&
	grep -q '^\[HKEY_LOCAL_MACHINE.evil.below\]' "$dir/out"
ok "saved first, it is"

# --- --output is for .reg text ---

rm -f "$dir/text"
run 2 export --json --output "$dir/text" "$sample" && grep -q -e '--output' "$dir/err" && [ ! -e "$dir/text" ]
ok "export: --json does not go to a file, and no file is promised"
run 2 diff --output "$dir/text" "$sample" "$sample" && grep -q -e '--reg' "$dir/err" && [ ! -e "$dir/text" ]
ok "diff: nor does a list"
run 0 diff --reg --output "$dir/text" "$sample" "$sample" && [ -s "$dir/text" ]
ok "but .reg text does"

# --- --root ---

run 0 export --utf8 --root 'HKEY_X\Y\' "$sample" Groups && grep -q '^\[HKEY_X.Y.Groups\]' "$dir/out"
ok "export: --root may end in a backslash"
run 2 export --utf8 --root '' "$sample" Groups && grep -q -e --root "$dir/err"
ok "but not be empty"

# --- a .reg file that turns A into B is for A ---

software=testdata/node-2003/WINNT/system32/config/SOFTWARE
run 0 save "$software" Contoso "$dir/other"
run 1 diff --reg --utf8 --key Contoso --key Lager "$software" "$dir/other" &&
	grep '^\[' "$dir/out" >"$dir/names" && [ "$(grep -cv '^\[-*HKEY_LOCAL_MACHINE.SOFTWARE.Contoso[]\\]' "$dir/names")" -eq 0 ]
ok "diff --reg: keys are called as those of A"
run 1 diff --reg --utf8 --root HKEY_X --key Contoso --key Lager "$software" "$dir/other" &&
	grep -q '^\[HKEY_X.Contoso\]' "$dir/out" && ! grep -q 'HKEY_X.Lager' "$dir/out"
ok "below --root, too"

# --- names that JSON cannot hold ---

mkdir "$dir/odd"
"$tools/make_tree" 1 5 1 "$dir/odd" >"$dir/out" 2>"$dir/err"
found=0
for file in "$dir"/odd/*; do
	run 0 export --json "$file" || break
	found=$((found + $(grep -c _wtf8 "$dir/out")))
	jq -r '.changes[] | select(.op == "create-key") | .key_wtf8 // (.key | @text)' "$dir/out" >"$dir/names"
	sort "$dir/names" | uniq -d >"$dir/twice"
	[ ! -s "$dir/twice" ] || break
done
[ "$found" -gt 0 ] && [ -s "$dir/names" ] && [ ! -s "$dir/twice" ]
ok "export --json: no two keys have one name, whatever is in it"
finish
