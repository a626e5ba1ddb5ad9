#!/bin/bash
# testdata/ holds exactly what make_sample makes, and hivex, libregf and reglookup read it.
set -u
export LC_ALL=C.UTF-8
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
plan=0 failed=0

result() # STATUS NAME
{
	plan=$((plan + 1))
	[ "$1" -eq 0 ] && echo "ok $plan - $2" || { echo "not ok $plan - $2"; failed=1; }
}

"${BUILD:-build}/tests/tools/make_sample" "$dir/made"
result $? "make_sample runs"

(cd "$dir/made" && find . -type f | sort) >"$dir/made.txt"
(cd testdata && find . -type f ! -path ./README.md | sort) >"$dir/kept.txt"
diff "$dir/made.txt" "$dir/kept.txt" >"$dir/diff.txt"
result $? "the same files are there"
sed 's/^/# /' "$dir/diff.txt"

different=0
while read -r file; do
	cmp "$dir/made/$file" "testdata/$file" | sed 's/^/# /'
	[ "${PIPESTATUS[0]}" -eq 0 ] || different=1
done <"$dir/made.txt"
result $different "they have the same bytes"

[ "$(du -sb testdata | cut -f 1)" -lt 614400 ]
result $? "they are small"

hives=$(find testdata -type f -size +0 -exec sh -c 'head -c 4 "$1" | grep -q regf' - {} \; -print)
[ "$(wc -l <<<"$hives")" -eq 19 ]
result $? "19 of them are hives"
for judge in hivexml regfexport reglookup; do
	bad=0
	while read -r hive; do
		"$judge" "$hive" >/dev/null 2>"$dir/err" || { bad=1; sed "s|^|# $hive: |" "$dir/err"; }
	done <<<"$hives"
	result $bad "$judge reads each hive"
done
if [ -n "${CLUSNAP_SHARED-}" ]; then
	bad=0
	while read -r hive; do
		"$CLUSNAP_SHARED/tools/regf_oracle.py" image "$hive" >"$dir/out" ||
			{ bad=1; sed "s|^|# $hive: |" "$dir/out"; }
	done <<<"$hives"
	result $bad "the oracle finds each hive right in all details"
fi
echo "1..$plan"
exit $failed
