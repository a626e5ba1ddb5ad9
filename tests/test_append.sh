#!/bin/bash
# backup --append of disks on which nothing has changed changes nothing: no byte, no time, no id.
# Whatever is new is a change, and what is broken is mended or refused all the same. (Failures and
# kills: test_append_crash.sh.)
. tests/cli.sh
where=$dir/where snap=$dir/where/snap copy=$dir/where/copy

# Disks that may be changed.
disk=$dir/node-2003 quorum=$dir/quorum-2003
cp -r testdata/node-2003 testdata/quorum-2003 "$dir"
clusdb=$disk/WINNT/Cluster/CLUSDB software=$disk/WINNT/system32/config/SOFTWARE
mkdir "$dir/older" "$dir/newer" "$dir/damaged"
"$tools/make_small_node" "$dir/older" older
"$tools/make_small_node" "$dir/newer"
"$tools/make_small_node" "$dir/damaged" damaged

# merge HIVE LINE...: as hivexregedit does it, which shares nothing with the program
merge()
{
	local hive=$1
	shift
	printf '%s\r\n' 'Windows Registry Editor Version 5.00' '' "$@" >"$dir/new.reg"
	hivexregedit --merge --prefix X "$hive" "$dir/new.reg" 2>/dev/null
}

# fresh ARGUMENT...: a new snapshot of these; append is of the same, then
fresh()
{
	rm -rf "$where"
	mkdir "$where"
	asked=("$@")
	"$clusnap" backup --quiet "$@" "$snap" >/dev/null 2>"$dir/err"
	note
}
append() { "$clusnap" backup --append "$@" "${asked[@]}" "$snap"; }

# note: what is there, to the last bit, with times long ago so that any access would show
note()
{
	find "$where" -mindepth 1 | sort >"$dir/paths"
	sums >"$dir/sums"
	xargs -d '\n' touch -h -d '2020-02-02 02:02:02.123456789' <"$dir/paths"
	stamp >"$dir/stamp"
}
stamp() { xargs -d '\n' stat -c '%n %F %a %u %g %h %i %s %x %y %z' <"$dir/paths"; }
sums() { find "$where" -type f -exec sha256sum {} + | sort; }
untouched()
{
	stamp | diff "$dir/stamp" - >"$dir/why" && find "$where" -mindepth 1 | sort | diff "$dir/paths" - >"$dir/why" &&
		sums | diff "$dir/sums" - >"$dir/why"
	local good=$?
	note
	return $good
}
id() { sha256sum "$snap/quolog.log" | cut -d' ' -f1; }

# unchanged: it says so, in words and in JSON, and leaves all as it is
unchanged()
{
	local id sequence
	id=$(id)
	sequence=$("$clusnap" verify --json "$snap" | jq .sequence)
	note
	append >"$dir/out" 2>"$dir/err" && untouched &&
		[ "$(head -n 1 "$dir/out")" = "$snap: nothing has changed since transaction $sequence" ] &&
		[ "$(tail -n 1 "$dir/out")" = "id $id" ] &&
		append --json >"$dir/out" 2>"$dir/err" && untouched &&
		jq -e --arg id "$id" --argjson sequence "$sequence" \
			'.changed == false and .complete and .id == $id and .sequence == $sequence' "$dir/out" >/dev/null &&
		append --quiet >"$dir/out" 2>"$dir/err" && [ ! -s "$dir/out" ] && untouched
}

# changed FILTER: something new is there, with another id, the old log is the beginning of the new
# one; and the next time nothing is
changed()
{
	local id size
	id=$(id) size=$(stat -c %s "$snap/quolog.log")
	cp "$snap/quolog.log" "$dir/old-log"
	append --json >"$dir/out" 2>"$dir/err" && [ "$(id)" != "$id" ] &&
		cmp -n "$size" "$dir/old-log" "$snap/quolog.log" >"$dir/why" &&
		jq -e ".changed == true and .complete and ($1)" "$dir/out" >"$dir/why" && run 0 verify "$snap" && unchanged
}
chks='([.files[] | select(.kind == "chk")] | length)'

# --- nothing is new ---

for row in testdata/node-2003 testdata/node-2019 'testdata/quorum-2003/MSCS/chk1C4.tmp' \
	'--quorum testdata/quorum-2003 testdata/node-2003' '--max-log 100 testdata/node-2019' \
	'--salvage testdata/node-2019' '--quorum testdata/quorum-2003 testdata/quorum-2003/MSCS/chk1C4.tmp'; do
	# shellcheck disable=SC2086
	fresh $row && unchanged
	ok "nothing has changed: $row"
done
fresh testdata/node-2019
rm -rf "$snap"
append --json 2>/dev/null >"$dir/out" && jq -e .changed "$dir/out" >"$dir/why"
ok "the first time is a change"
"$clusnap" backup --json testdata/node-2019 "$snap" 2>/dev/null >"$dir/out" && jq -e .changed "$dir/out" >"$dir/why"
ok "without --append it is written anew: changed"
cp -r testdata/node-2019 "$dir/elsewhere"
asked=("$dir/elsewhere")
unchanged
ok "nothing has changed: the same disk, mounted elsewhere"
fresh --quorum "$quorum" "$disk"
asked=("$disk")
unchanged
ok "nothing has changed: without the quorum disk, whose .CPR files are there"
fresh "$dir/newer" "$dir/older" && unchanged
ok "nothing has changed: several disks, and the log has transactions"
asked=("$dir/older" "$dir/newer")
unchanged
ok "nothing has changed: in another order"
asked=("$dir/newer")
unchanged
ok "nothing has changed: the newest of them alone"
rm -rf "$snap"
"$clusnap" backup --salvage --quiet "$dir/damaged" "$snap" >/dev/null 2>&1
note
run 1 backup --append --salvage --json "$dir/damaged" "$snap" && jq -e '.changed == false' "$dir/out" >"$dir/why" && untouched
ok "nothing has changed: --salvage of a damaged disk, still 1"

# --- something is ---

fresh "$dir/older"
asked=("$dir/newer")
changed ".sequence == 3 and $chks == 2"
ok "changed: a newer disk is a transaction"
run 3 backup --append "$dir/older" "$snap" && untouched && grep -q 'newer state' "$dir/err"
ok "an older disk is refused: 3, nothing is touched"

fresh --quorum "$quorum" "$disk"
merge "$software" '[X\Microsoft\Microsoft SQL Server\MSSQL.1\MSSQLSERVER]' '"New"="1"' && changed ".sequence == 1 and $chks == 1"
ok "changed: a value below a registry checkpoint; a manifest, no transaction"
merge "$software" '[X\Microsoft\Unrelated]' '"New"="1"' && unchanged
ok "nothing has changed: a value that is below none"
cpr=$(find "$quorum" -name '*.CPR' | head -n 1)
printf x | dd of="$cpr" bs=1 seek=100 conv=notrunc status=none && changed ".sequence == 1 and $chks == 1"
ok "changed: a crypto checkpoint on the quorum disk"
merge "$software" '[-X\Microsoft\Microsoft SQL Server\MSSQL.1\Cluster]' &&
	rm "$quorum"/MSCS/*/00000002.CPT && changed ".sequence == 1"
ok "changed: a registry checkpoint's key is gone, so is its file"
merge "$clusdb" '[X\Quorum]' '"New"="1"' && changed ".sequence == 3 and $chks == 2"
ok "changed: a value of the database"
merge "$clusdb" '[X\Quorum]' '"New"=-' && changed ".sequence == 5 and $chks == 3"
ok "changed: back to what it was before"

# --- copies ---

asked+=(--copy-to "$copy")
run 0 backup --append --json "${asked[@]}" "$snap" && jq -e '.changed == false' "$dir/out" >"$dir/why" && diff -r "$snap" "$copy" >"$dir/why"
ok "a copy that is not there is made"
unchanged
ok "a copy that is equal stays as it is"
for break in 'rm $copy/chk0001.tmp' 'rm $copy/Clusbackup.dat' 'echo >>$copy/chk0002.tmp' 'truncate -s 800 $copy/quolog.log' \
	'rm -r $copy/*' 'rm -rf $copy; $clusnap backup --quiet testdata/node-2019 $copy' \
	'rm -rf $copy; $clusnap backup --quiet $disk $copy' 'chmod 755 $copy' 'chmod 644 $copy/*/00000001.CPT'; do
	eval "$break" 2>/dev/null
	note
	grep "^$snap" "$dir/stamp" >"$dir/before"
	run 0 backup --append --json "${asked[@]}" "$snap" && stamp | grep "^$snap" | diff "$dir/before" - >"$dir/why" &&
		jq -e '.changed == false' "$dir/out" >"$dir/why" && diff -r "$snap" "$copy" >"$dir/why" &&
		run 0 verify "$copy" && [ -z "$(find "$copy" -perm /077)" ]
	ok "a copy that is another is brought up to date: $break"
done 2>/dev/null
mkdir "$dir/full"
echo x >"$dir/full/file"
note
run 3 backup --append --copy-to "$dir/full" "${asked[@]}" "$snap" && untouched && [ "$(cat "$dir/full/file")" = x ]
ok "what is no snapshot is not written over: 3"

# --- what is not as it should be ---

fresh "$dir/newer"
id=$(id)
cp -a "$snap" "$dir/whole"
for size in 1 70 5000; do
	head -c "$size" /dev/zero >>"$snap/quolog.log"
	cp "$snap/chk0001.tmp" "$snap/chk0002.tmp"
	run 0 backup --append --json "$dir/newer" "$snap" &&
		jq -e '.changed == false and (.warnings | map(.code) | index("log-torn"))' "$dir/out" >"$dir/why" &&
		[ "$(id)" = "$id" ] && diff -r "$dir/whole" "$snap" >"$dir/why" && ls "$snap".torn-quolog*.log >"$dir/why" && run 0 verify "$snap"
	ok "a torn end of $size bytes is cut off and kept, the id is that of before"
	rm "$snap".torn*
done
unchanged
ok "and then nothing has changed"
for break in 'echo >>$snap/chk0001.tmp' 'rm $snap/Clusbackup.dat' 'touch $snap/other' 'truncate -s 100 $snap/quolog.log'; do
	rm -rf "$snap"
	cp -a "$dir/whole" "$snap"
	eval "$break"
	note
	run 1 backup --append "$dir/newer" "$snap" && untouched
	ok "a damaged snapshot is refused: 1, nothing is touched: $break"
done
for mode in 'chmod 755 $snap' 'chmod 604 $snap/quolog.log' 'chmod 640 $snap/*/00000001.CPT'; do
	rm -rf "$snap"
	cp -a "$dir/whole" "$snap"
	eval "$mode"
	run 0 backup --append --json "$dir/newer" "$snap" && jq -e '.changed == false' "$dir/out" >"$dir/why" &&
		[ -z "$(find "$snap" -perm /077)" ] && diff -r "$dir/whole" "$snap" >"$dir/why"
	ok "modes that let others read are mended: $mode"
done
mkdir "$where/.snap.clusnap-new" && cp -a "$dir/whole/." "$where/.snap.clusnap-new" && cp -a "$dir/whole" "$where/.snap.clusnap-gone"
run 0 backup --append "$dir/newer" "$snap" && [ "$(ls -A "$where")" = snap ] && unchanged
ok "what a killed run left is removed"
mv "$snap" "$where/.snap.clusnap-old"
run 0 backup --append "$dir/newer" "$snap" && [ "$(ls -A "$where")" = snap ] && run 0 verify "$snap"
ok "a snapshot that a killed run set aside is put back"
exec 8<"$snap"
flock 8
note
run 5 backup --append "$dir/newer" "$snap" && grep -q 'another clusnap is writing there' "$dir/err" && untouched
ok "while another writes there: 5"
exec 8<&-

finish
