#!/bin/bash
# The quorum log before a second implementation (tests/quolog.py, written from docs/quolog.md):
# what `log` says of it, and what verify says of one in which a record was removed, repeated,
# swapped or altered, whether or not the checksums were put right.
. tests/backup.sh
second() { python3 tests/quolog.py "$@"; }
snap=$work/log
mkdir "$work/older" "$work/secret" "$work/bad"
"$build/tests/tools/make_small_node" "$work/older" older
"$build/tests/tools/make_small_node" "$work/secret" secret
"$clusnap" backup --quiet "$work/older" "$work/secret" "$snap" 2>/dev/null
cluster='HKEY_LOCAL_MACHINE\Cluster'
resource=Resources\\11111111-2222-4333-8444-555555555555

# edit NAME LINE...
edit()
{
	printf '%s\n' 'Windows Registry Editor Version 5.00' '' "${@:2}" >"$work/$1.reg"
	run edit --quiet "$snap" "$work/$1.reg"
	[ $status -eq 0 ] || wrong "edit $1: $err"
}
odd=$'\303\244\342\202\254\360\237\230\200' # of two, three and four bytes
edit one "[$cluster\\$resource\\Parameters]" '"SecretThing"="PLANTED-edit"' '"Shown"="plain"'
edit two "[$cluster\\A\\B]" '@=hex(b):01,02,03,04,05,06,07,08' "[-$cluster\\$resource\\RegSync]"
edit three "[-$cluster\\A]" "[$cluster\\$odd]" "\"$odd\""'=hex(7):41,00,00,00,42,00,00,00,00,00'
"$clusnap" verify --quiet "$snap" || wrong "the snapshot is not whole"

# --- what is in it ---

second log "$snap/quolog.log" >"$work/second.json" || wrong "the second implementation refuses it"
run log --json "$snap"
[ $status -eq 0 ] || wrong "log --json: $status: $err"
printf '%s' "$out" >"$work/first.json"
same=$(second same "$snap/quolog.log" "$work/first.json" 2>&1)
[[ $same == "9 "[1-9]* ]] || wrong "they differ: $same"
result "log --json is what a second implementation reads, batch, companion and all"

# --- what is shown of it ---

plain=$(printf PLANTED | od -An -tx1 | tr -d ' \n')
wide=$(printf PLANTED | iconv -t UTF-16LE | od -An -tx1 | tr -d ' \n')
spaced=$(sed 's/../& /g; s/ $//' <<<"$wide")
grep -q "$plain" "$work/second.json" && grep -q "$wide" "$work/second.json" || wrong "no secret was planted"
for command in "log --changes $snap" "log --json $snap" "log --changes --json $snap" \
	"diff $snap@1 $snap@2" "diff --json $snap@1 $snap@2" "diff $snap@3 $snap@9" "diff --json $snap@4 $snap"; do
	# shellcheck disable=SC2086
	run $command
	[ -n "$out" ] || wrong "$command: no output: $err"
	grep -qiE "PLANTED|$plain|$wide|$spaced" <<<"$out$err" && wrong "$command shows it"
	grep -q secret <<<"$out" || [[ $command == *@[34]* ]] || wrong "$command does not say that it is hidden"
done
run log --changes "$snap"
grep -q 'SecretThing = (secret)' <<<"$out" && grep -q 'Shown = "plain"' <<<"$out" || wrong "$out"
result "promise 11: log and diff mask secrets"

# numbers ARGUMENT...: the sequence numbers that log prints, as text and in JSON
numbers()
{
	local json
	run log --json "$@" "$snap"
	json=$(jq -r '[.records[].sequence] | join(" ")' <<<"$out")
	run log "$@" "$snap"
	numbers=$(awk 'NF { print $1 }' <<<"$out" | xargs)
	[ $status -eq 0 ] && [ "$numbers" = "$json" ] || wrong "$*: $status: $numbers, in JSON $json"
}
for row in '=1 2 3 4 5 6 7 8 9' '--from 8=8 9' '--to 2=1 2' '--from 3 --to 3=3' '--from 10=' '--to 0='; do
	# shellcheck disable=SC2086
	numbers ${row%=*}
	[ "$numbers" = "${row#*=}" ] || wrong "log ${row%=*}: $numbers"
done
for arguments in '--from x' '--to -1' '--from' '--to 18446744073709551616' '--from 3 --to 2'; do
	# shellcheck disable=SC2086
	run log $arguments "$snap"
	[ $status -eq 2 ] && [ -n "$err" ] || wrong "log $arguments: $status"
done
result "log --from and --to"

# --- any moment ---

for seq in 1 2 3 4 5 6 7 8 9; do
	"$clusnap" extract --quiet --to $seq "$snap" "$work/at-$seq" || wrong "extract --to $seq"
	hivexregedit --export --prefix X "$work/at-$seq" '\\' >"$work/at-$seq.text" 2>/dev/null
	run diff --json "$snap@$seq" "$work/at-$seq"
	[ $status -eq 0 ] && jq -e .equal <<<"$out" >/dev/null || wrong "diff $seq: $status $err"
	# state 3 is checkpoint 3, and so on: the state of the transaction before it
	case $seq in
	3 | 5 | 7 | 9) cmp -s "$work/at-$((seq - 1)).text" "$work/at-$seq.text" || wrong "$seq is not $((seq - 1))" ;;
	1) ;;
	*) cmp -s "$work/at-$((seq - 1)).text" "$work/at-$seq.text" && wrong "$seq changed nothing" ;;
	esac
done
run diff --json "$snap@3" "$snap@4"
[ $status -eq 1 ] && [ "$(jq -c '[.changes[] | [.op, .key, .name]]' <<<"$out")" = \
	"[[\"set-value\",\"${resource//\\/\\\\}\\\\Parameters\",\"SecretThing\"],[\"set-value\",\"${resource//\\/\\\\}\\\\Parameters\",\"Shown\"]]" ] ||
	wrong "diff 3 4: $status $out"
run diff --json "$snap@6" "$snap"
[ $status -eq 1 ] && jq -e '.equal == false and any(.changes[]; .op == "delete-key" and .key == "A")' \
	<<<"$out" >/dev/null || wrong "diff 6: $status $out"
for command in "diff $snap@0 $snap" "diff $snap $snap@10" "extract --to 10 $snap $work/x" "extract --to 0 $snap $work/x"; do
	# shellcheck disable=SC2086
	run $command
	[ $status -eq 2 ] && [[ $err == *"only 1 to 9"* ]] && [ ! -e "$work/x" ] || wrong "$command: $status $err"
done
result "promise 7: extract --to and diff SNAPSHOT@SEQ of every number, and of none that is not there"

# --- what is wrong with it ---

# each KIND LEAST FUNCTION: runs FUNCTION for every log that was damaged in this way; $name, $which
each()
{
	local file runs=0
	rm -rf "$work/bad" "$work/copy"
	mkdir "$work/bad"
	cp -r "$snap" "$work/copy"
	second "$1" "$snap/quolog.log" "$work/bad"
	for file in "$work/bad"/*[0-9]; do
		name=${file##*/} which=$(<"$file.number") runs=$((runs + 1))
		cp "$file" "$work/copy/quolog.log"
		"$3"
	done
	echo "# $runs logs"
	[ $runs -ge "$2" ] || wrong "only $runs logs"
}

mangled()
{
	local torn
	run verify "$work/copy"
	torn=$(grep -c 'damage: quolog.log: torn' <<<"$out")
	[ $status -eq 1 ] && grep -qE "(damaged at record|torn after) ${which}[ :]" <<<"$out" ||
		wrong "$name: $status: $(grep ^damage <<<"$out")"
	run extract "$work/copy" "$work/x"
	[ $status -eq 1 ] && [ ! -e "$work/x" ] || wrong "$name: extract: $status"
	run edit "$work/copy" "$work/one.reg"
	if [ "$torn" = 1 ]; then # the last manifest: all behind the one before is cut off
		[ $status -eq 0 ] && cmp -s "$work/bad/$name" "$work/copy.torn-quolog.log" && is_whole "$work/copy" ||
			wrong "$name: edit: $status: $err"
		rm -rf "$work/copy"
		cp -r "$snap" "$work/copy"
		return
	fi
	[ $status -eq 1 ] && cmp -s "$work/bad/$name" "$work/copy/quolog.log" || wrong "$name: edit: $status"
}
each mangle 90 mangled
result "promise 6: any record that was removed, repeated, swapped or altered is named"

# One that changes nothing when it comes twice leads to the same states; the id is another.
id=$(sha256sum <"$snap/quolog.log")
harmless=0
forged()
{
	run verify --expect "${id%% *}" "$work/copy"
	[ $status -eq 1 ] && [[ $err == *"is another snapshot"* ]] || wrong "$name: $status: $err"
	if [[ $name == twice* ]] && ! grep -q ^damage <<<"$out"; then
		harmless=$((harmless + 1))
		return
	fi
	grep -qE '^damage: quolog.log: (transaction|the transactions up to|no transaction leads) ' <<<"$out" ||
		grep -qE '^damage: quolog.log: damaged at record' <<<"$out" || wrong "$name: $out"
}
each forge 15 forged
[ $harmless -le 2 ] || wrong "$harmless harmless ones"
result "promise 6: so are transactions that were, with all numbers and checksums put right"
echo "1..$number"
