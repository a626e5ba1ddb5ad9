#!/bin/bash
# Without a UTF-8 locale on the machine, as in an initramfs, every command ends, with the exit
# status, the JSON and the files that it has with one. Its text differs in two things: a character
# in a table that is not ASCII is a "?", and the lines of a tree are drawn in ASCII.
#
# The machine without locales is a mount namespace with an empty folder over them.
. tests/cli.sh

# bare COMMAND...: runs it there
bare()
{
	# shellcheck disable=SC2016
	unshare --mount $rights bash -c 'mount -t tmpfs none /usr/lib/locale && exec "$@"' - "$@"
}
rights=''
[ "$(id -u)" -eq 0 ] || rights=--map-root-user
if [ "$(bare locale charmap 2>/dev/null)" != ANSI_X3.4-1968 ]; then
	echo "1..0 # SKIP the locales cannot be hidden: unshare --mount is not allowed, or they are elsewhere than in /usr/lib/locale"
	exit 0
fi

# What is not ASCII here, as this file is.
export size=$'Gr\303\266\303\237e' store=$'L\303\244ger' houses=$'H\303\244user' \
	russian=$'\320\232\320\273\320\260\321\201\321\202\320\265\321\200'

# Each command leaves NUMBER.command, .status, .out and .err in the folder $told, twice: of its
# text and of its JSON (NUMBER.json.out). timeout gives 124 for a command that does not end.
try()
{
	local json
	count=$((count + 1))
	printf '%s ' "$@" >"$told/$count.command"
	for json in '' .json; do
		timeout 60 "$clusnap" "$@" ${json:+--json} >"$told/$count$json.out" 2>"$told/$count$json.err" </dev/null
		echo $? >"$told/$count$json.status"
	done
}

try_disk() # NAME [OPTION...]: every command on a disk, its hives, and a snapshot of it
{
	local disk=$1 hive windows
	shift
	hive=$(echo "$disk"/*/[Cc]luster/CLUSDB)
	windows=${hive%/*/*}
	try status "$disk"
	try show "$disk"
	try show "$hive"
	try checkpoint list "$disk"
	try checkpoint list "$hive"
	try checkpoint list --quorum quorum-2003 "$disk"
	rm -rf snap copy
	try backup "$@" --copy-to copy "$disk" snap
	try backup --append "$disk" snap
	try verify snap
	try show snap
	try show copy
	try log --changes snap
	try checkpoint list snap
	try checkpoint list --with snap "$disk"
	try extract snap extracted
	try diff "$hive" snap
	try diff snap "$windows/system32/config/SAM"
	try diff --reg --output diff.reg snap "$windows/system32/config/SAM"
	try check "$hive"
	try recover "$hive" recovered
	try save "$hive" Resources saved
	try save --salvage "$hive" Groups salvaged
	try export "$hive"
	try export --utf8 "$hive"
	try export --output "$size.reg" "$hive" Groups
	try restore --dry-run snap "$disk"
	try restore --dry-run --checkpoints snap "$disk"
	sha256sum copy/*.* copy/*/* extracted recovered saved salvaged ./*.reg >"$told/$disk.files"
	try edit snap "$store.reg"
	try edit snap "$houses.reg"
	try checkpoint add snap "Lager $size" "Software\\$size"
	try checkpoint list snap
	try checkpoint remove snap "Lager $size" "Software\\$size"
	try checkpoint add snap "$houses" "Software\\$size"
	try show snap
}

try_all() # TOLD
{
	local told=$1 count=0 header='Windows Registry Editor Version 5.00'
	mkdir "$told"
	printf '%s\n' "$header" '' "[HKEY_LOCAL_MACHINE\\Cluster\\$size]" "\"$store\"=\"$russian\"" >"$store.reg"
	printf '%s\n' "$header" '' "[HKEY_LOCAL_MACHINE\\$size]" >"$houses.reg"
	try_disk node-2003 --quorum quorum-2003
	try_disk node-2019
	try status node-2003 node-2019
	try backup node-2003 node-2019 both
	try show quorum-2003/MSCS/chk*.tmp
	try check quorum-2003/MSCS/chk*.tmp
	try backup quorum-2003/MSCS/chk*.tmp quorum
	try show quorum
	try checkpoint list quorum
	try verify "$houses"
	try show $'no UTF-8: \344\366\374'
	try "$size"
}

# The working directory has the disks, so that paths are the same in both rounds.
for round in with without; do
	rm -rf "$dir/disks"
	cp -r testdata "$dir/disks"
	[ $round = with ] && runner='' || runner=bare
	# shellcheck disable=SC2016
	(cd "$dir/disks" && export clusnap && export -f try try_disk try_all &&
		$runner bash -c 'try_all "$1"' - "$dir/$round" 2>"$dir/err")
done

# differences SUFFIX FILTER: of what was left in the two rounds, with the command
differences()
{
	local path name
	for path in "$dir"/with/*$1; do
		name=$(basename "$path")
		cmp -s "$path" "$dir/without/$name" ||
			diff <($2 "$path") <($2 "$dir/without/$name") >"$dir/diff" 2>&1 && continue
		cat "$dir/with/${name%%.*}.command" 2>/dev/null
		cat "$dir/diff"
	done
}

# The tree's lines in ASCII, and "?" for what is not; that of text which has none is the same.
lines=$'s/\342\224\234\342\224\200/|-/g; s/\342\224\224\342\224\200/`-/g; s/\342\224\202 /| /g'
ascii() { sed "$lines; s/[^\x01-\x7f]/?/g" "$1" | without_time; }
# An edit is at the time of the clock: that, and what depends on it, is not compared.
without_time() { sed 's/^id [0-9a-f]*$/id/; s/last change 20.*//'; }
json() { jq -S 'del(.id?) | (.files[]? | select(.kind == "chk") | .sha256) = 0' "$1"; }

[ "$(find "$dir/with" -name '*.command' | wc -l)" -gt 70 ] &&
	[ "$(cat "$dir"/with/*.status | sort | uniq -c | awk '$2 == 0 { print $1 }')" -gt 100 ]
ok "commands: $(find "$dir/with" -name '*.command' | wc -l), each as text and as JSON"
grep -lx 124 "$dir"/without/*.status >"$dir/why"
[ ! -s "$dir/why" ]
ok "every command ends"
for row in '.status cat:exit status' '.files cat:file that is written' '.json.out json:JSON' \
	'[0-9].out ascii:text' '.err ascii:message'; do
	read -r suffix filter <<<"${row%%:*}"
	differences "$suffix" "$filter" >"$dir/why"
	[ ! -s "$dir/why" ]
	ok "every ${row#*:} is the same"
done
mapfile -t trees < <(grep -l '^show' "$dir"/without/*.command | sed 's/command$/out/')
LC_ALL=C grep -l $'[\x80-\xff]' "${trees[@]}" >"$dir/why"
[ ! -s "$dir/why" ] && grep -q 'Lager Gr??e' "$dir"/without/*.out
ok "a tree without a locale is ASCII"
# On a terminal libsmartcols cuts what is too long.
for columns in 20 60 500; do
	bare timeout 60 script -qec "stty cols $columns; $clusnap show testdata/node-2019" /dev/null </dev/null ||
		echo "$columns columns: $?"
done >"$dir/out" 2>"$dir/err"
! grep 'columns: ' "$dir/out" >"$dir/why" && grep -q 'Auftr?ge' "$dir/out"
ok "nor does it hang on a terminal, narrow or wide"
finish
