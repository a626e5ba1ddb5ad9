#!/bin/bash
# The command line from outside: what contract and manual promise of every command - help,
# usage, messages, exit status, JSON, what is printed where - and that sources never change
# (promise 1). Works on copies of the sample.
. tests/cli.sh

silent() { [ ! -s "$dir/$1" ]; }
# On standard error: only lines "clusnap: what: why", at least one.
messages() { [ -s "$dir/err" ] && ! grep -qv '^clusnap: .*: .' "$dir/err"; }
exists() { grep -q "^  $1  " "$dir/commands"; }
json() { jq -es 'length == 1 and .[0].schema == 1' "$dir/out" >/dev/null; }

cp -r testdata "$dir/source"
source=$dir/source
node1=$source/node-2003 node2=$source/node-2019
clusdb=$node1/WINNT/Cluster/CLUSDB
out=$dir/made
mkdir "$out" "$dir/escape"
"$tools/make_escape" "$dir/escape" || exit 1

# --- help and usage ---

run 0 --help && silent err
ok "--help: exit 0, on standard output"
cp "$dir/out" "$dir/commands"
run 0 --version && silent err && grep -q '^clusnap [0-9]' "$dir/out"
ok "--version"
run 2 && silent out
ok "no command: 2, nothing on standard output"
run 2 frobnicate && silent out && messages
ok "unknown command: 2, a message"
run 2 $'x\e[31m' && ! grep -q $'\e' "$dir/err"
ok "an unknown command is not printed raw"
run 2 checkpoint && silent out && messages && run 2 checkpoint frobnicate && messages
ok "half a command: 2"

mapfile -t commands < <(sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' "$dir/commands")
[ ${#commands[@]} -ge 8 ]
ok "--help lists ${#commands[@]} commands"
for command in "${commands[@]}"; do
	words=($command)
	run 0 "${words[@]}" --help && silent err && grep -q "^usage: clusnap $command" "$dir/out" &&
		grep -q -- --json "$dir/out" && grep -q -- --quiet "$dir/out"
	ok "$command --help: exit 0, on standard output"
	run 2 "${words[@]}" && silent out && messages
	ok "$command without arguments: 2"
	run 2 "${words[@]}" --frobnicate a b c && silent out && messages
	ok "$command with an unknown option: 2"
	run 2 "${words[@]}" --progress=sometimes a b c && silent out && messages
	ok "$command --progress=sometimes: 2"
	"$clusnap" "${words[@]}" --help >/dev/full 2>"$dir/err"
	[ $? -eq 5 ]
	ok "$command --help into a full device: 5"
done
run 2 check a b && messages
ok "too many arguments: 2"
for words in "check --frobnicate --json x" "check --json --frobnicate x" "check a b --json" "frobnicate --json" \
	"checkpoint --json" "verify --expect 1 x --json"; do
	run 2 $words && json && messages && jq -e '.status == 2 and (.error | length > 5)' "$dir/out" >/dev/null
	ok "$words: 2, and it is said in JSON wherever --json stands"
done
run 2 check --frobnicate -- --json && silent out
ok "what stands behind -- is no option"
run 2 check --json=1 x && grep -q -- '--json takes no value' "$dir/err"
ok "a value that an option does not take is said to be one"
run 2 backup x y --quorum && grep -q -- '--quorum lacks its value' "$dir/err"
ok "an option that lacks its value is named"

# --- sources that cannot be read ---

mkdir "$dir/bad" "$dir/bad/folder"
: >"$dir/bad/empty"
head -c 9000 /dev/urandom >"$dir/bad/noise"
printf 'regf' >"$dir/bad/four-bytes"
head -c 6000 "$clusdb" >"$dir/bad/cut"
mkfifo "$dir/bad/fifo"
ln -s /nonexistent "$dir/bad/dangling"
for bad in nothing empty noise four-bytes cut fifo folder dangling; do
	for command in "check $dir/bad/$bad" "show $dir/bad/$bad" "checkpoint list $dir/bad/$bad" \
		"recover $dir/bad/$bad $out/x" "export $dir/bad/$bad" "diff $dir/bad/$bad $clusdb" \
		"extract $dir/bad/$bad $out/x"; do
		name=${command%% "$dir"*}
		name=${name%% /*}
		exists "${name%% *}" || exists "$name" || continue
		# check says of a file that is a hive at all, but damaged: 1
		wanted=4
		[[ $name$bad =~ ^check(cut|noise|empty|four-bytes)$ ]] && wanted='[14]'
		# an empty folder may be called an incomplete snapshot
		[ "$name$bad" = extractfolder ] && wanted='[14]'
		run 4 $command || { [ "$wanted" != 4 ] && run 1 $command; }
		[ $? -eq 0 ] && { [ $status -eq 1 ] || messages; }
		ok "$name of $bad: $wanted, a message that names it"
	done
	run 4 save "$dir/bad/$bad" '' "$out/x" && messages && [ ! -e "$out/x" ]
	ok "save of $bad: 4, nothing is written"
done
run 4 save "$clusdb" 'No\Such\Key' "$out/x" && messages && [ ! -e "$out/x" ]
ok "save of a key that is not there: 4"

# --- destinations ---

for command in "save $clusdb @" "recover $clusdb"; do
	name=${command%% *}
	words=(${command/@/})
	[ "$name" = save ] && words+=('')
	run 3 "${words[@]}" "$clusdb" && messages
	ok "$name onto its own source: 3"
	ln -f "$clusdb" "$dir/hard"
	ln -sf "$clusdb" "$dir/soft"
	run 3 "${words[@]}" "$dir/hard" && messages && run 3 "${words[@]}" "$dir/soft" && messages
	ok "$name onto a link to its source: 3"
	run 5 "${words[@]}" "$dir/no/such/place" && messages
	ok "$name into a folder that is not there: 5"
	run 5 "${words[@]}" "$dir/bad/folder" && messages
	ok "$name onto a folder: 5"
	run 5 "${words[@]}" /dev/full && messages
	ok "$name onto a device: 5"
	run 0 "${words[@]}" "$out/$name" && silent err
	ok "$name: 0, no messages"
	rm -f "$dir/hard" "$dir/soft"
done
run 3 save "$node2/Windows/Cluster/CLUSDB" '' "$node2/Windows/Cluster/CLUSDB.LOG1" && messages
ok "save onto a log of its source: 3"
[ "$(stat -c %a "$out/save")" = 600 ]
ok "what is written is for its owner only (promise 11)"
run 0 save --quiet "$clusdb" '' "$out/quiet" && silent out && silent err
ok "save --quiet says nothing"
cmp -s "$out/save" "$out/quiet"
ok "the same input gives the same bytes (promise 10)"

# --- backup, verify, extract ---

if exists backup; then
	run 0 backup --quorum "$source/quorum-2003" "$node1" "$out/snapshot/"
	ok "backup: 0, a slash at the end is fine"
	run 0 verify "$out/snapshot"
	ok "verify: 0"
	[ "$(stat -c %a "$out/snapshot")" = 700 ] &&
		[ -z "$(find "$out/snapshot" -type f -perm /077)" ] &&
		[ -z "$(find "$out/snapshot" -type d -perm /077)" ]
	ok "folders 0700, files for their owner only (promise 11)"
	run 0 backup --quiet "$node2" "$out/other" && silent out && silent err
	ok "backup --quiet says nothing but what is wrong"
	: >"$out/file"
	run 5 backup "$node1" "$out/file" && messages && grep -q 'ERROR_DIRECTORY (267)' "$dir/err"
	ok "backup onto a file: ERROR_DIRECTORY (267), 5"
	run 5 backup "$node1" "$out/no/such" && messages && grep -q 'ERROR_DIRECTORY (267)' "$dir/err"
	ok "backup into a folder that is not there: ERROR_DIRECTORY (267), 5"
	mkdir "$out/full" && : >"$out/full/precious"
	run 3 backup "$node1" "$out/full" && messages && [ -e "$out/full/precious" ]
	ok "backup into a folder with other things in it: 3"
	run 3 backup "$node1" "$node2" "$out/mixed" && messages && grep -q 5893 "$dir/err" &&
		[ ! -e "$out/mixed" ]
	ok "backup of two clusters in one: 3, 5893"
	run 3 backup "$node1" "$node1" && messages
	ok "backup onto its own source: 3"
	run 1 verify "$out/full" || run 4 verify "$out/full"
	ok "verify of what is no snapshot: 1 or 4"
	cp -r "$out/snapshot" "$out/unmarked"
	rm -f "$out/unmarked/Clusbackup.dat"
	run 1 verify "$out/unmarked"
	ok "verify without the marker: 1"
	run 1 verify --expect "$(printf '%064d' 0)" "$out/snapshot"
	ok "verify --expect with another id: 1"
	id=$("$clusnap" verify --json "$out/snapshot" | jq -r .id)
	[ "$id" = "$(sha256sum <"$out/snapshot/quolog.log" | cut -d' ' -f1)" ] &&
		run 0 verify --expect "$id" "$out/snapshot"
	ok "the id is the SHA-256 of quolog.log, and verify --expect takes it"
	run 0 extract "$out/snapshot" "$out/extracted" && cmp -s "$out/extracted" "$out/save"
	ok "extract gives the cluster hive"
fi

# --- JSON ---

run 0 status --json "$node1" "$node2" && json && jq -e '.systems | length == 2' "$dir/out" >/dev/null &&
	jq -e '.systems[0] | .state == 3 and .state_name == "NotRunning" and .generation == 1 and
		.cluster == "OSTSEE" and .node == "KIEL" and .clusdb.condition == "clean" and
		.clusdb.log_entries_applied == 0 and (.problems | type) == "array" and has("path") and
		has("cluster_instance_id") and has("version")' "$dir/out" >/dev/null
ok "status --json has the names of the contract"
jq -e '.systems[0].problems | all(has("code") and has("text"))' "$dir/out" >/dev/null &&
	jq -e 'has("newest")' "$dir/out" >/dev/null
ok "status --json: problems and newest"
run 0 status --json "$node1" && json && jq -e --arg p "$node1" '.newest == $p' "$dir/out" >/dev/null
ok "status --json of one system: it is the newest"
run 0 checkpoint list --json "$node1" && json &&
	jq -e '.checkpoints | length > 5 and all(has("resource") and has("resource_name") and
		(.id | test("^[0-9a-f]{8}$")) and (.type | IN("registry", "crypto")) and has("path") and
		has("hive") and has("key") and (.present | type) == "boolean" and has("file") and
		(.problems | type) == "array")' "$dir/out" >/dev/null
ok "checkpoint list --json has the names of the contract"
run 0 check --json "$clusdb" && json &&
	jq -e '.condition == "clean" and .keys > 10 and .values > 10 and .problems == []' "$dir/out" >/dev/null
ok "check --json has the names of the contract"
run 1 check --json "$dir/escape/broken" && json &&
	jq -e '.condition == "damaged" and (.problems | length > 0 and
		all((.offset | type) == "number" and has("code") and has("text")))' "$dir/out" >/dev/null
ok "check --json of a damaged hive: problems with offsets"
run 0 show --json "$node2" && json
ok "show --json"
run 0 save --json "$clusdb" '' "$out/save" && json
ok "save --json"
run 0 recover --json "$clusdb" "$out/recover" && json
ok "recover --json"
if exists diff; then
	run 0 diff --json "$clusdb" "$out/save" && json && jq -e '.equal == true and .changes == []' "$dir/out" >/dev/null
	ok "diff --json of equal hives"
	run 1 diff --json "$clusdb" "$node2/Windows/Cluster/CLUSDB" && json &&
		jq -e '.equal == false and (.changes | length > 0 and all(has("op") and has("key")))' "$dir/out" >/dev/null
	ok "diff --json of different hives: 1"
	# "Checkpoints" stands only in the key that is named, not in the paths below it.
	run 0 export --json "$node2/Windows/Cluster/CLUSDB" Checkpoints && json &&
		jq -e '.changes | map(select(.op == "set-value")) | length > 0 and all(has("secret"))' "$dir/out" >/dev/null
	ok "export --json of a key: a secret is one from whatever key it is named"
fi
if exists backup; then
	for command in "backup --json $node1 $out/snapshot3" "verify --json $out/snapshot3"; do
		run 0 $command && json && jq -e '(.id | test("^[0-9a-f]{64}$")) and has("cluster") and
			.complete == true and (.sequence | type) == "number" and .damage == [] and
			(.warnings | type) == "array" and (.files | length > 3 and all(has("path") and
			has("kind") and (.size | type) == "number" and has("sha256")))' "$dir/out" >/dev/null
		ok "${command%% *} --json has the names of the contract"
	done
	run 0 extract --json "$out/snapshot3" "$out/extracted" && json
	ok "extract --json"
fi
run 4 check --json "$dir/bad/nothing" && { silent out || json; } && messages
ok "--json: an error is still a message"

# --- text from a disk never reaches the terminal raw ---

clean() { ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f]|\xc2[\x80-\x9f]' "$dir/out" "$dir/err"; }
for command in "show $dir/escape/good" "status $dir/escape/good" "checkpoint list $dir/escape/good" \
	"check $dir/escape/broken" "check --json $dir/escape/broken" "show --json $dir/escape/good" \
	"diff $dir/escape/good $clusdb" "diff $clusdb $dir/escape/good" "save $dir/escape/broken $out/x" \
	"show $dir/escape/broken" "recover $dir/escape/broken $out/x"; do
	exists "${command%% *}" || exists "${command%% "$dir"*}" || [ "${command%% *}" = checkpoint ] || continue
	timeout 300 "$clusnap" $command >"$dir/out" 2>"$dir/err"
	[ $? -lt 70 ] && clean
	ok "no control characters: ${command//"$dir"\//}"
done
touch "$dir/"$'esc\e[31m'
timeout 300 "$clusnap" check "$dir/"$'esc\e[31m' >"$dir/out" 2>"$dir/err"
clean
ok "no control characters of a file's own name"
ln -s "$node2" "$dir/"$'n\x9b31m'
run 0 status "$dir/"$'n\x9b31m' && ! LC_ALL=C grep -q $'\x9b' "$dir/out" && grep -qF 'n\x9b31m' "$dir/out"
ok "nor bytes that are no UTF-8, which some terminals take for controls"
ln -s "$node2" "$dir/"$'turned\u202egnp.\u2066'
run 0 status "$dir/"$'turned\u202egnp.\u2066' && grep -qF 'turned\u202egnp.\u2066' "$dir/out" &&
	! grep -q $'\u202e' "$dir/out"
ok "nor characters that turn round what follows"
NO_COLOR=1 run 0 show "$node1" && clean && run 0 show "$node1" && clean
ok "no colour where standard output is no terminal, nor with NO_COLOR"

# --- progress ---

for command in "status $node1" "show $node1" "checkpoint list $node1" "check $clusdb" "verify $out/snapshot" \
	"log $out/snapshot" "extract $out/snapshot $out/x" "save $clusdb Nodes $out/x" "recover $clusdb $out/x" \
	"export $clusdb Nodes" "diff $clusdb $out/save" "backup $node2 $out/snapshot3"; do
	run 0 $command --quiet --progress=always && messages
	ok "--progress=always: ${command//"$dir"\//}"
	run 0 $command --quiet --progress=auto && silent err && run 0 $command --quiet --progress never && silent err
	ok "none where standard error is no terminal, nor with never: ${command//"$dir"\//}"
done

# --- output that cannot be written ---

for command in "status $node1" "show $node1" "checkpoint list $node1" "check $clusdb" \
	"status --json $node1" "show --json $node1" "export $clusdb" "diff $clusdb $dir/escape/good" \
	"verify $out/snapshot" "verify --json $out/snapshot"; do
	exists "${command%% *}" || [ "${command%% *}" = checkpoint ] || continue
	timeout 300 "$clusnap" $command >/dev/full 2>"$dir/err"
	status=$?
	: >"$dir/out"
	[ "$status" -eq 5 ] && messages
	ok "into a full device: 5: ${command//"$dir"\//}"
	timeout 300 "$clusnap" $command >&- 2>"$dir/err"
	[ $? -eq 5 ]
	ok "with standard output closed: 5: ${command//"$dir"\//}"
done
rm -f "$out/closed"
timeout 300 "$clusnap" save "$clusdb" '' "$out/closed" >&- 2>&-
status=$?
{ [ "$status" -eq 5 ] || [ "$status" -eq 0 ]; } && cmp -s "$out/closed" "$out/save"
ok "save with standard output and error closed writes its file and nothing else into it"
rm -f "$out/closed"
timeout 300 "$clusnap" save "$clusdb" '' "$out/closed" <&- >&- 2>&-
cmp -s "$out/closed" "$out/save"
ok "likewise with standard input closed"
(set -o pipefail; timeout 300 "$clusnap" export "$clusdb" 2>"$dir/err" | head -c 1 >/dev/null)
[ $? -ne 139 ]
ok "a pipe whose reader goes away"

# --- promise 1: sources never change ---

# Asked of each path by itself: to list a folder would be to read it.
find "$source" -print0 | sort -z >"$dir/paths"
looks() { xargs -0 stat -c '%A %u %g %s %h %i %y %x %z %n' <"$dir/paths"; }
hashes() { find "$source" -type f -print0 | sort -z | xargs -0 sha256sum; }
hashes >"$dir/hashes"
xargs -0 touch -h -a -d '2001-02-03 04:05:06' <"$dir/paths"
looks >"$dir/looks"

reading() # calls $1 with the words of each command that reads
{
	local command
	for command in "status $node1 $node2" "show $node1" "checkpoint list $node2" "check $clusdb" \
		"recover $clusdb $out/x" "export $clusdb" "diff $clusdb $node2/Windows/Cluster/CLUSDB" \
		"save $clusdb Resources $out/x" "save $node1/WINNT/system32/config/SOFTWARE Software $out/x" \
		"backup --quorum $source/quorum-2003 $node1 $out/snapshot4" "backup $node2 $out/snapshot5"; do
		exists "${command%% *}" || [ "${command%% *}" = checkpoint ] || continue
		"$1" $command
	done
}
plain() { timeout 300 "$clusnap" "$@" >/dev/null 2>&1; }
reading plain
looks >"$dir/out"
diff "$dir/looks" "$dir/out" >"$dir/err"
ok "promise 1: names, modes, sizes and all times of the sources are as before"
hashes | diff "$dir/hashes" - >"$dir/err"
ok "promise 1: so are their bytes"

: >"$dir/trace"
traced() {
	strace -f -y -o "$dir/one" -e trace=file,fchmod,fchown,ftruncate,fallocate,utimensat,fsetxattr \
		timeout 300 "$clusnap" "$@" >/dev/null 2>&1
	cat "$dir/one" >>"$dir/trace"
}
if strace -o "$dir/one" true 2>/dev/null && ! grep -q . <<<"${WRAPPER-}"; then
	reading traced
	opened=$(grep -c "O_RDONLY.*$dir/source\|$dir/source.*O_RDONLY" "$dir/trace")
	grep "$dir/source" "$dir/trace" |
		grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|^[0-9]+ +(creat|truncate|ftruncate|fallocate|rename|renameat2?|unlink|unlinkat|link|linkat|symlink|symlinkat|mkdir|mkdirat|rmdir|mknodat|chmod|fchmod|fchmodat|chown|fchown|lchown|fchownat|utimensat|setxattr|fsetxattr|lsetxattr|removexattr)\(' |
		grep -v ' = -1 ' >"$dir/out"
	: >"$dir/err"
	[ "$opened" -gt 20 ] && [ ! -s "$dir/out" ]
	ok "promise 1: strace sees sources opened for reading only ($opened times)"
fi

finish
