#!/bin/bash
# Reading an image when each of its system calls fails: the whole file, or an error with a
# name, and the file is never touched. Before that: the harness itself can count and complain.
set -u
. tests/fault.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
file=testdata/node-2019/Windows/Cluster/CLUSDB
sum=$(sha256sum <"$file")
read_image=${BUILD:-build}/tests/tools/read_image

if ! fault_have; then
	echo "1..0 # SKIP strace cannot trace here"
	exit 0
fi

nothing() { :; }
always() { return 0; }
never() { return 1; }
report() # NUMBER GOOD NAME
{
	[ "$2" -eq 1 ] && echo "ok $1 - $3" || echo "not ok $1 - $3"
}

# A program whose calls are known: cp of a shell opens and writes; here: two unlinks.
fault_sweep nothing always "unlinkat:EIO" rm -f "$dir"/absent1 "$dir"/absent2
report 1 $((fault_points == 2)) "the harness finds both calls of a program that makes two"
fault_sweep nothing never "unlinkat" rm -f "$dir"/absent1
report 2 $((fault_points == 3 && $(grep -c 'unlinkat KILL 1: status 137' <<<"$fault_bad") == 1)) \
	"a kill is a fault too, and what the judge does not like is told"

fault_points=0 fault_bad=''
whole_or_named()
{
	fault_orderly || return 1
	[ "$(sha256sum <"$file")" = "$sum" ] || return 1
	# "70: out of memory" and "4: cannot read" are named; nothing else may end it
	[ $fault_status -ne 0 ] || [ "$(sha256sum <"$fault_out")" = "$sum" ]
}
fault_sweep nothing whole_or_named "pread64:EIO,EINTR pwrite64:ENOSPC,EINTR memfd_create:EMFILE \
	ftruncate:ENOMEM fcntl:EPERM openat:EACCES,EIO newfstatat,fstat:EIO munmap:EINVAL" \
	"$read_image" "$file"
report 3 $((fault_points >= 10)) "$fault_points calls failed"
[ -z "$fault_bad" ]
report 4 $((1 - $?)) "each time the whole file or an error with a name"
sed '/^$/d; s/^/# /' <<<"$fault_bad"
# A large hive is read by a thread, whose errors reach whoever waits for it.
clusnap=${BUILD:-build}/clusnap
"${BUILD:-build}/tests/tools/make_bench" dirty 9000 1 "$dir/hive"
right=$("$clusnap" recover "$dir/hive" "$dir/right" 2>/dev/null)
checked=$("$clusnap" check "$dir/hive")
fault_points=0 fault_bad=''
remove_out() { rm -f "$dir/out"; }
named() { [ $fault_status -eq 127 ] || grep -qE "$dir/hive|memory" "$fault_err"; }
recovered_or_named()
{
	[ $fault_status -ne 0 ] || { cmp -s "$dir/out" "$dir/right" && return; }
	[ ! -e "$dir/out" ] && fault_orderly && named
}
checked_or_named()
{
	[ $fault_status -ne 1 ] || { [ "$(<"$fault_out")" = "$checked" ] && return; }
	[ ! -s "$fault_out" ] && fault_orderly && named
}
fault_sweep remove_out recovered_or_named "pread64:EIO mprotect:ENOMEM" "$clusnap" recover "$dir/hive" "$dir/out"
fault_sweep nothing checked_or_named "pread64:EIO mprotect:ENOMEM" "$clusnap" check "$dir/hive"
report 5 $((${#right} > 0 && ${#checked} > 0 && fault_points >= 16)) "$fault_points calls failed while a hive was read by a thread"
[ -z "$fault_bad" ]
report 6 $((1 - $?)) "each time the whole hive or an error with its name"
sed '/^$/d; s/^/# /' <<<"$fault_bad"
"$clusnap" check "$dir/right" >/dev/null
report 7 $((1 - $?)) "and the whole hive is sound"
echo "1..7"
