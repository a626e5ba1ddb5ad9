#!/bin/bash
# What contract.md promises of a backup, end to end; the numbers are those of the promises.
. tests/backup.sh
node=$work/node
sample3=$testdata/node-2003 quorum=$testdata/quorum-2003 sample19=$testdata/node-2019

# --- 1 ---

cp -a "$testdata" "$work/disks"
sample3=$work/disks/node-2003 quorum=$work/disks/quorum-2003 sample19=$work/disks/node-2019
"$clusnap" backup --quiet --quorum "$quorum" "$sample3" "$work/snapshot" >/dev/null 2>&1 ||
	wrong "no backup"
cp -a "$work/snapshot" "$work/disks/snapshot"
bytes "$work/disks" >"$work/bytes"
find "$work/disks" -print0 >"$work/paths"
# Access times far in the past, so that any access would show where the file system keeps them.
xargs -0 touch -h -d '2020-02-02 02:02:02.123456789' <"$work/paths"
stamp() { xargs -0 stat -c '%n %F %a %u %g %h %s %x %y %z' <"$work/paths"; }
stamp >"$work/stamp"
hive=$sample3/WINNT/system32/config/SOFTWARE

every_command() { # runs each with "$@" before it
	"$@" "$clusnap" status "$sample3" "$sample19"
	"$@" "$clusnap" show "$sample19"
	"$@" "$clusnap" show "$work/disks/snapshot"
	"$@" "$clusnap" backup --quorum "$quorum" --copy-to "$work/out/copy" "$sample3" "$work/out/snap"
	"$@" "$clusnap" backup "$sample19" "$work/out/snap19"
	"$@" "$clusnap" verify "$work/disks/snapshot"
	"$@" "$clusnap" checkpoint list "$sample3"
	"$@" "$clusnap" checkpoint list "$work/disks/snapshot"
	"$@" "$clusnap" checkpoint list --quorum "$quorum" --with "$work/disks/snapshot" "$sample3"
	"$@" "$clusnap" extract "$work/disks/snapshot" "$work/out/extracted"
	"$@" "$clusnap" recover "$hive" "$work/out/recovered"
	"$@" "$clusnap" save "$hive" Microsoft "$work/out/saved"
	"$@" "$clusnap" save --salvage "$hive" Microsoft "$work/out/saved"
	"$@" "$clusnap" check "$hive"
	"$@" "$clusnap" export --output "$work/out/reg" "$hive" Microsoft
	"$@" "$clusnap" diff "$hive" "$work/out/saved"
}

mkdir "$work/out"
every_command >/dev/null 2>&1
[ "$(ls "$work/out" | tr '\n' ' ')" = "copy extracted recovered reg saved snap snap19 " ] ||
	wrong "not everything was written: $(ls "$work/out")"
stamp | diff "$work/stamp" - >"$work/diff" || wrong "$(<"$work/diff")"
find "$work/disks" -print0 | cmp -s - "$work/paths" || wrong "names"
bytes "$work/disks" | cmp -s - "$work/bytes" || wrong "bytes"
stamp >"$work/after"
cmp -s "$work/stamp" "$work/after" && echo "# no access times here"
result "promise 1: sources never change: bytes, times and directories after every command"

if strace -o /dev/null true 2>/dev/null; then
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	every_command strace -f -A -o "$work/trace" -y -e trace=file,ftruncate,fchmod,fsetxattr \
		>/dev/null 2>&1
	grep -q "openat.*$work/disks" "$work/trace" || wrong "nothing was opened: $(wc -l <"$work/trace")"
	# A line is about a source if a path or a descriptor in it is below the disks.
	grep "$work/disks" "$work/trace" | grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND' >"$work/lines"
	grep "$work/disks" "$work/trace" | grep -E \
		'(unlink|rename|mkdir|rmdir|link|symlink|chmod|chown|truncate|utime|setxattr|mknod)[a-z0-9]*\(' |
		grep -vE '[0-9]+ +readlink|execve' >>"$work/lines"
	[ ! -s "$work/lines" ] || wrong "$(<"$work/lines")"
	result "promise 1: every open of a source is O_RDONLY or O_PATH"
else
	skip "promise 1: every open of a source is O_RDONLY or O_PATH" "strace cannot trace here"
fi

cp "$sample3/WINNT/Cluster/CLUSDB" "$work/CLUSDB"
cp "$sample3/WINNT/Cluster/CLUSDB" "$work/CLUSDB.LOG1"
cp "$sample3/WINNT/Cluster/CLUSDB" "$work/elsewhere"
snapshot=$work/disks/snapshot
cpt=$(cd "$snapshot" && echo */00000001.CPT | cut -d' ' -f1)
for target in "$work/CLUSDB" "$work/./CLUSDB" "$work/CLUSDB.LOG1" "$snapshot/new" "$snapshot/chk0001.tmp" \
	"$snapshot/$cpt" "$snapshot/${cpt%/*}/new" "$quorum/MSCS/new"; do
	expect 3 '' save "$work/CLUSDB" '' "$target"
	expect 3 '' recover "$work/CLUSDB" "$target"
	expect 3 '' export --output "$target" "$work/CLUSDB"
	expect 3 '' diff --reg --output "$target" "$work/CLUSDB" "$hive"
	[[ $target == */CLUSDB* ]] || expect 3 '' extract "$snapshot" "$target"
done
expect 3 'a source' recover --log "$work/elsewhere" "$work/CLUSDB" "$work/elsewhere"
expect 3 'never changed' backup "$snapshot/chk0001.tmp" "$snapshot"
expect 3 'never changed' backup "$node" "$node/Windows/backup"
expect 3 'never changed' backup "$node" "$node"
expect 3 'never changed' backup --quorum "$quorum" "$sample3" "$quorum/backup"
expect 3 'never changed' backup --copy-to "$node/copy" "$node" "$work/out/snap"
ln -s "$node/Windows" "$work/way-in"
expect 3 'never changed' backup "$node" "$work/way-in/backup"
expect 3 'inside a snapshot' backup "$node" "$snapshot/inner"
expect 5 '267' backup --copy-to "$work/out/new/copy" "$node" "$work/out/new"
expect 5 '267' backup --copy-to "$work/out/a" --copy-to "$work/out/a/b" "$node" "$work/out/new"
expect 3 'inside' backup --copy-to "$work/out" "$node" "$work/out/new"
expect 3 'twice' backup --copy-to "$work/out/./new/" "$node" "$work/out/new"
[ ! -e "$work/out/new" ] || wrong "destinations in one another: something was written"
bytes "$work/disks" | cmp -s - "$work/bytes" || wrong "something was written"
result "promise 1: nothing is written over a source, into a snapshot or onto a source's disk"

# --- 4 ---

if strace -o /dev/null true 2>/dev/null; then
	mkdir "$work/durable"
	strace -y -o "$work/trace" -e trace=openat,mkdirat,write,fsync,close,renameat,renameat2 \
		"$clusnap" backup --quorum "$quorum" "$sample3" "$work/durable/snap" >/dev/null 2>&1 ||
		wrong "no backup"
	inode=.snap.clusnap-new
	(cd "$work/durable/snap" && find . -mindepth 1 | sed "s|^\.|$work/durable/$inode|") >"$work/made"
	echo "$work/durable/$inode" >>"$work/made"
	into_place=$(grep -n 'renameat.*"\.snap\.clusnap-new".* = 0' "$work/trace" | cut -d: -f1)
	[ -n "$into_place" ] || wrong "no rename into place"
	while read -r path; do
		at=$(grep -nF "fsync(" "$work/trace" | grep -F "<$path>)" | grep ' = 0$' | cut -d: -f1 | tail -n 1)
		[ -n "$at" ] && [ "$at" -lt "${into_place:-0}" ] || wrong "$path: not fsynced before the rename"
		last=$(grep -nF "write(" "$work/trace" | grep -F "<$path>," | cut -d: -f1 | tail -n 1)
		[ "${at:-0}" -gt "${last:-0}" ] || wrong "$path: written after its fsync"
	done <"$work/made"
	tail -n "+${into_place:-1}" "$work/trace" | grep -F "<$work/durable>)" | grep -q '^fsync.* = 0$' ||
		wrong "the parent was not fsynced after the rename"
	result "promise 4: exit 0 means durable: every file, every directory, and the parent"
	strace -o "$work/trace" -e trace=close -e inject=close:error=EIO:when=1+ \
		"$clusnap" backup "$node" "$work/durable/lost" >/dev/null 2>&1 && wrong "exit 0"
	[ ! -e "$work/durable/lost" ] || wrong "it is there"
	result "promise 4: a close that fails is a failure"
else
	skip "promise 4: exit 0 means durable" "strace cannot trace here"
fi

# --- 5 ---

for file in "$snapshot"/chk0001.tmp "$snapshot"/**/*.CPT; do
	run check --json "$file"
	[ "$(jq -r '.condition' <<<"$out")" = clean ] || wrong "$file: $out"
	[ "$(jq '.problems | length' <<<"$out")" = 0 ] || wrong "$file: $out"
	hivexml "$file" >/dev/null 2>"$work/said" || wrong "$file: $(<"$work/said")"
done
for file in "$snapshot"/**/*.CPT; do
	run verify --json "$snapshot"
	from=$(jq -r --arg path "${file#"$snapshot/"}" \
		'.files[] | select(.path == $path) | .source_hive + "|" + .source_key' <<<"$out")
	[ -f "$sample3/${from%%|*}" ] || continue # from the quorum disk
	expect 0 '' diff --exact --key "${from#*|}" --key '' "$sample3/${from%%|*}" "$file"
done
expect 0 '' diff --exact "$sample3/WINNT/Cluster/CLUSDB" "$snapshot"
result "promise 5: images pass check and hivex and are equal to their sources, times and order too"

# A hivex that loses the last subkey, or value, of a key of more than two: what it does not find
# again is not published.
cat >"$work/blind.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
size_t *BLIND(void *hive, size_t node)
{
	size_t *(*real)(void *, size_t) = (size_t *(*)(void *, size_t))dlsym(RTLD_NEXT, NAME);
	size_t *list = real(hive, node), count = 0;

	while (list && list[count])
		count++;
	if (count > 2)
		list[count - 1] = 0;
	return list;
}
END
if [ -n "${WRAPPER-}" ] || nm -D "$clusnap" 2>/dev/null | grep -q __asan_init; then
	skip "promise 5: what hivex reads otherwise is not published" "under another tool"
else
	for blind in hivex_node_children hivex_node_values; do
		cc -shared -fPIC -DBLIND=$blind -DNAME="\"$blind\"" -o "$work/blind.so" "$work/blind.c" -ldl ||
			wrong "no compiler"
		for command in "backup $sample3 $work/blind" "save $hive Microsoft $work/blind"; do
			# shellcheck disable=SC2086
			LD_PRELOAD=$work/blind.so "$clusnap" $command >"$work/said" 2>&1 && wrong "$blind: $command: 0"
			grep -q 'hivex finds other\|not proved to be as its source' "$work/said" || wrong "$blind: $(<"$work/said")"
			[ ! -e "$work/blind" ] || wrong "$blind: $command: published"
		done
	done
	result "promise 5: what hivex reads otherwise is not published"
	# A disk that keeps other bytes than it was given.
	cat >"$work/garble.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/types.h>
ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	static char other[1 << 24] __attribute__((aligned(4096)));

	if (size < 8192 || size > sizeof(other))
		return real(fd, data, size);
	memcpy(other, data, size);
	other[size - 1] ^= 1;
	return real(fd, other, size);
}
END
	cc -shared -fPIC -o "$work/garble.so" "$work/garble.c" -ldl || wrong "no compiler"
	"$clusnap" backup --quiet "$node" "$work/kept" || wrong "no backup"
	bytes "$work/kept" >"$work/bytes"
	for to in "$work/kept" "$work/garbled"; do
		LD_PRELOAD=$work/garble.so "$clusnap" backup "$sample3" "$to" >"$work/said" 2>&1
		[ $? = 5 ] && grep -q 'reads back damaged' "$work/said" || wrong "$to: $(<"$work/said")"
	done
	bytes "$work/kept" | cmp -s - "$work/bytes" || wrong "the old snapshot was touched"
	[ ! -e "$work/garbled" ] || wrong "it was published"
	result "promise 3: what the disk garbles is noticed before it replaces anything"
fi

# --- 10 ---

mkdir "$work/elsewhere-mounted"
cp -r "$sample3" "$work/elsewhere-mounted/other-name"
cp -r "$quorum" "$work/elsewhere-mounted/q"
sleep 0.01
"$clusnap" backup --quorum "$work/elsewhere-mounted/q/" "$work/elsewhere-mounted/other-name" \
	"$work/again" >/dev/null 2>&1 || wrong "no backup"
diff -r "$snapshot" "$work/again" >"$work/diff" || wrong "$(<"$work/diff")"
(cd "$sample3/WINNT/Cluster" && "$clusnap" backup CLUSDB "$work/file1" >/dev/null 2>&1)
"$clusnap" backup "$work/elsewhere-mounted/other-name/WINNT/Cluster/CLUSDB" "$work/file2" >/dev/null 2>&1
diff -r "$work/file1" "$work/file2" >"$work/diff" || wrong "$(<"$work/diff")"
(cd "$work/elsewhere-mounted" && TZ=Asia/Tokyo LC_ALL=C "$clusnap" backup --quorum q other-name here \
	>/dev/null 2>&1)
diff -r "$snapshot" "$work/elsewhere-mounted/here" >"$work/diff" || wrong "$(<"$work/diff")"
expect 0 '' backup --copy-to "$work/c1" --copy-to "$work/c2/" "$node" "$work/c0"
diff -r "$work/c0" "$work/c1" && diff -r "$work/c0" "$work/c2" || wrong "copies differ"
result "promise 10: same input, same bytes, wherever and whenever"

# --- 11 ---

mkdir "$work/secret"
"$build/tests/tools/make_small_node" "$work/secret" secret
for mask in 000 077 777; do
	rm -rf "$work/s"
	(umask $mask && "$clusnap" backup --copy-to "$work/s2" "$work/secret" "$work/s" >/dev/null 2>&1)
	for path in "$work/s" "$work/s2" "$work/s"/**/* "$work/s2"/**/*; do
		case $(stat -c '%F %a %n' "$path") in
		"directory 700 "* | *"file 600 "* | "regular empty file 400 "*/Clusbackup.dat) ;;
		*) wrong "umask $mask: $(stat -c '%A %n' "$path")" ;;
		esac
	done
done
(umask 0 && "$clusnap" extract "$work/s" "$work/extracted" && "$clusnap" save "$work/extracted" '' \
	"$work/saved" && "$clusnap" export --output "$work/reg" "$work/saved") >/dev/null 2>&1 ||
	wrong "extract, save, export"
for path in "$work/extracted" "$work/saved" "$work/reg"; do
	[ "$(stat -c %a "$path")" = 600 ] || wrong "$(stat -c '%A %n' "$path")"
done
result "promise 11: directories are 0700 and files 0600, whatever the umask"

grep -qaP 'P\0L\0A\0N\0T\0E\0D' "$work/secret/Windows/Cluster/CLUSDB" || wrong "no secret was planted"
plain=$(printf PLANTED | od -An -tx1 | tr -d ' \n')
wide=$(printf PLANTED | iconv -t UTF-16LE | od -An -tx1 | tr -d ' \n')
database=$work/secret/Windows/Cluster/CLUSDB
for json in '' --json; do
	for command in "status $work/secret" "show $work/secret" "show $work/s" "show $database" \
		"verify $work/s" "checkpoint list $work/secret" "check $database" \
		"diff $node/Windows/Cluster/CLUSDB $database" "diff $database $node/Windows/Cluster/CLUSDB" \
		"diff $work/c0 $work/s" "backup $work/secret $work/s"; do
		# shellcheck disable=SC2086
		run $command $json
		[ -n "$out" ] || wrong "$command $json: no output: $err"
		grep -qiE "PLANTED|$plain|$wide" <<<"$out$err" && wrong "$command $json shows it"
	done
done
run export --json "$database"
grep -qiE "PLANTED|$plain|$wide" <<<"$out$err" && wrong "export --json shows it"
run show "$work/secret"
grep -q Password <<<"$out" || wrong "the name of the value is not there"
result "promise 11: secrets are never printed, plain or in hexadecimal"

# --- 12 ---

expect 0 'a .CPR can only be made by Windows' backup "$sample19" "$work/s19"
expect 0 'the key container is on the node' backup "$sample19" "$work/s19"
[ -z "$(find "$work/s19" -name '*.CPR')" ] || wrong "a .CPR was made up"
expect 0 'checkpoint-path-prefixed' backup "$sample19" "$work/s19"
expect 0 'checkpoint-key-missing' backup "$sample19" "$work/s19"
expect 0 'Whether a node is running cannot be told' status --help
mkdir "$work/gap"
"$build/tests/tools/make_small_node" "$work/gap" gap
expect 0 'log-gap' status "$work/gap"
expect 0 'log-gap' backup "$work/gap" "$work/gap-snapshot"
expect 0 'log-gap' status "$work/gap/Windows/Cluster/CLUSDB"
run status --json "$work/gap"
[ "$(jq -r '.systems[0].clusdb.condition' <<<"$out")" = recovered ] || wrong "not recovered: $out"
result "promise 12: what cannot be known or done is said"

# --- destinations ---

snap=$work/d/snap
mkdir "$work/d"
echo x >"$work/d/file"
expect 5 'ERROR_DIRECTORY (267)' backup "$node" "$work/d/file"
expect 5 'ERROR_DIRECTORY (267)' backup "$node" "$work/d/file/snap"
expect 5 'ERROR_DIRECTORY (267)' backup "$node" "$work/d/none/snap"
mkdir "$work/d/full"
echo x >"$work/d/full/file"
expect 3 'no snapshot' backup "$node" "$work/d/full"
[ "$(ls -A "$work/d/full")" = file ] || wrong "changed: $(ls -A "$work/d/full")"
expect 0 '' backup "$node" "$snap///"
is_whole "$snap" || wrong "trailing slashes"
mkdir "$work/d/real"
ln -s real "$work/d/link"
expect 0 '' backup "$node" "$work/d/link"
[ -L "$work/d/link" ] && is_whole "$work/d/real" || wrong "a link to a directory"
expect 0 '' backup "$node" "$work/d/link/"
ln -s nowhere "$work/d/dangling"
expect 5 '' backup "$node" "$work/d/dangling"
(cd "$snap" && "$clusnap" backup "$node" . >/dev/null 2>&1) || wrong "to ."
is_whole "$snap" || wrong "to .: not whole"
cp -r "$quorum/MSCS" "$work/d/windows" # what BackupClusterDatabase of Windows leaves
: >"$work/d/windows/Clusbackup.dat"
bytes "$work/d/windows" >"$work/bytes"
expect 3 '' backup "$node" "$work/d/windows"
cp "$snap/chk0001.tmp" "$work/windows-chk"
rm -rf "$work/d/windows"
cp -r "$snap" "$work/d/windows"
head -c 8192 "$quorum/MSCS/quolog.log" >"$work/d/windows/quolog.log"
bytes "$work/d/windows" >"$work/bytes"
expect 3 'a backup that Windows made is not overwritten' backup "$node" "$work/d/windows"
bytes "$work/d/windows" | cmp -s - "$work/bytes" || wrong "a backup of Windows was changed"
expect 1 '' verify "$work/d/windows"
expect 3 'no snapshot' backup --copy-to "$work/d/full" "$node" "$work/d/second"
[ -z "$(echo "$work"/d/.*clusnap*)" ] || wrong "left: $(echo "$work"/d/.*)"
result "destinations: ERROR_DIRECTORY, slashes, links, what is not ours"

# --- several systems ---

for variant in older other; do
	mkdir "$work/$variant"
	"$build/tests/tools/make_small_node" "$work/$variant" $variant
done
for order in "$work/older $node" "$node $work/older"; do
	# shellcheck disable=SC2086
	expect 0 "$node has the newest copy of the database" backup $order "$work/several"
	# shellcheck disable=SC2086
	run status --json $order
	[ "$(jq -r .newest <<<"$out")" = "$node" ] || wrong "newest of $order: $out"
	jq -e '.newest_by_cluster[0].why | length > 0' <<<"$out" >/dev/null || wrong "no reason"
	jq -e '[.systems[].problems[].code] | index("stale")' <<<"$out" >/dev/null || wrong "not stale"
	diff <("$clusnap" show "$node" 2>&1 | tail -n +2) <("$clusnap" show "$work/several" 2>&1 | tail -n +2) ||
		wrong "another database: $order"
done
rm -rf "$work/several"
expect 3 '5893' backup "$node" "$work/other" "$work/several"
expect 3 '5893' backup "$work/other" "$work/older" "$node" "$work/several"
[ ! -e "$work/several" ] || wrong "something was written"
cp -r "$work/older" "$work/torn"
truncate -s 6000 "$work/torn/Windows/Cluster/CLUSDB"
expect 0 'clusdb-damaged' backup "$work/torn" "$node" "$work/several"
is_whole "$work/several" || wrong "one damaged among good ones"
result "several systems: the newest and why, different clusters refused, a damaged one is a warning"

# --- bad news ---

rm -rf "$work/several"
bad() { # NAME STATUS TEXT: after the disk $work/bad was made
	expect "$2" "$3" backup "$work/bad" "$work/several"
	[ ! -e "$work/several" ] || wrong "$1: something was written"
	expect 1 '' status "$work/bad"
	rm -rf "$work/bad"
	cp -r "$node" "$work/bad"
}
cp -r "$node" "$work/bad"
: >"$work/bad/Windows/Cluster/CLUSDB"
bad empty 4 'the file is empty'
truncate -s 6000 "$work/bad/Windows/Cluster/CLUSDB"
bad torn 4 ''
rm "$work/bad/Windows/Cluster/CLUSDB"
bad missing 4 'there is no'
rm -r "$work/bad"
mkdir "$work/bad"
"$build/tests/tools/make_small_node" "$work/bad" plain
rm -r "$work/bad/Windows/Cluster"
bad plain 1 '5932'
rm -r "$work/bad"
mkdir "$work/bad"
"$build/tests/tools/make_small_node" "$work/bad" evicted
rm "$work/bad/Windows/Cluster/CLUSDB"
bad evicted 1 '5932'
result "bad news: ClusDb empty, torn or missing; no cluster node; evicted"
# --- salvage ---

mkdir "$work/damaged"
"$build/tests/tools/make_small_node" "$work/damaged" damaged
expect 4 'is damaged at offset' backup "$work/damaged" "$work/salvaged"
[ ! -e "$work/salvaged" ] || wrong "something was written"
run backup --salvage "$work/damaged" "$work/salvaged"
[ $status -eq 1 ] || wrong "exit $status: $err"
[[ $out == *'left out: '*'Cluster/CLUSDB: \Groups\'*': a value'* ]] || wrong "ClusDb: $out"
[[ $out == *'left out: '*'config/SOFTWARE: \App: a value'* ]] || wrong "SOFTWARE: $out"
expect 0 '' verify "$work/salvaged"
expect 1 'delete-value' diff "$node/Windows/Cluster/CLUSDB" "$work/salvaged"
[ "$(wc -l <<<"$out")" -eq 1 ] || wrong "more than one value is lost: $out"
for file in "$work/salvaged/chk0001.tmp" "$work/salvaged"/*/00000001.CPT; do
	expect 0 '' check "$file"
	[ -z "${CLUSNAP_SHARED-}" ] ||
		"$CLUSNAP_SHARED/tools/regf_oracle.py" image "$file" >"$work/said" || wrong "$(<"$work/said")"
done
run backup --salvage --json "$work/damaged" "$work/salvaged"
[ "$(jq '.left_out | length' <<<"$out")" = 2 ] || wrong "JSON: $out"
expect 0 '' backup --salvage "$node" "$work/salvaged"
expect 0 '' backup "$node" "$work/sound"
diff -r "$work/salvaged" "$work/sound" >/dev/null || wrong "a sound disk comes out otherwise"
cp "$work/damaged/Windows/Cluster/CLUSDB" "$work/SOFTWARE"
expect 4 '' save "$work/SOFTWARE" '' "$work/saved2"
expect 1 '\Groups\' save --salvage "$work/SOFTWARE" '' "$work/saved2"
expect 0 '' check "$work/saved2"
result "salvage: what is sound is saved, what is not is listed by its path, exit 1"
echo "1..$number"
