#!/bin/bash
# Replays the fuzz corpus, and the sample's files, through each harness without libFuzzer.
set -u
plan=0 failed=0
empty=$(mktemp)
trap 'rm -f "$empty" "$empty.out"' EXIT
for source in tests/fuzz/fuzz_*.c; do
	[ -e "$source" ] || continue
	name=${source##*/fuzz_}
	name=${name%.c}
	plan=$((plan + 1))
	files=("$empty")
	for file in tests/fuzz/corpus/"$name"/* testdata/node-2019/Windows/Cluster/CLUSDB \
		testdata/quorum-2003/MSCS/*; do
		[ -f "$file" ] && files+=("$file")
	done
	# shellcheck disable=SC2086
	if timeout 300 ${WRAPPER-} "${BUILD:-build}/tests/fuzz/fuzz_$name" "${files[@]}" \
		>"$empty.out" 2>&1; then
		echo "ok $plan - $name: ${#files[@]} files"
	else
		echo "not ok $plan - $name"
		tail -n 20 "$empty.out" | sed 's/^/# /'
		failed=1
	fi
done
echo "1..$plan"
exit $failed
