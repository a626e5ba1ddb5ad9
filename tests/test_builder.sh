#!/bin/bash
# The hives that tests are made from, before the judges: hivex, libregf and reglookup, and,
# where there is one, the oracle. A test built on a wrong hive would prove nothing.
set -u
export LC_ALL=C.UTF-8
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
plan=0

check() # NAME COMMAND...: all files in $dir/hives, one at a time
{
	local name=$1 file bad=
	shift
	for file in "$dir"/hives/*; do
		"$@" "$file" >"$dir/out" 2>"$dir/err" ||
			bad+="# ${file##*/}: $(head -n 1 "$dir/err" "$dir/out" | tr '\n' ' ')"$'\n'
	done
	plan=$((plan + 1))
	[ -z "$bad" ] && echo "ok $plan - $name" || { echo "not ok $plan - $name"; printf %s "$bad"; }
}

make_hives() # FROM TO FLAGS
{
	rm -rf "$dir/hives"
	mkdir "$dir/hives"
	"${BUILD:-build}/tests/tools/make_tree" "$1" "$2" "$3" "$dir/hives" || {
		echo "Bail out! make_tree failed"
		exit 1
	}
}

oracle=${CLUSNAP_SHARED:+$CLUSNAP_SHARED/tools/regf_oracle.py}

make_hives 0 12 4
check "hivex reads small trees" hivexml
check "libregf reads small trees" regfexport
check "reglookup reads small trees" reglookup
[ -n "$oracle" ] && check "the oracle finds small trees right in all details" "$oracle" image
make_hives 103 104 8
check "hivex reads a large tree" hivexml
[ -n "$oracle" ] && check "the oracle finds a large tree right in all details" "$oracle" image
make_hives 200 208 6
check "hivex reads other layouts" hivexml
check "libregf reads other layouts" regfexport
make_hives 300 305 7
[ -n "$oracle" ] && check "the oracle reads odd names" "$oracle" hash
cp -r "$dir/hives" "$dir/first"
make_hives 300 305 7
plan=$((plan + 1))
diff -r "$dir/first" "$dir/hives" >/dev/null && echo "ok $plan - a seed is a tree" ||
	echo "not ok $plan - a seed is a tree"
echo "1..$plan"
