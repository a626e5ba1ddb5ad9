#!/bin/bash
# Real hives: sound ones must come out sound, and in each broken one the fault must be named.
# Needs the shared corpus (CLUSNAP_SHARED); without it there is nothing to do.
set -u
check="${WRAPPER-} ${BUILD:-build}/tests/tools/check"
shared="${CLUSNAP_SHARED-}"

if [ -z "$shared" ] || [ ! -d "$shared/corpus" ]; then
	echo "1..0 # SKIP CLUSNAP_SHARED is not set"
	exit 0
fi

count=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

result() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' "$tmp/out" | head -20
	fi
}

sound() { # FILE NAME [KEYS VALUES]
	$check "$1" >"$tmp/out" 2>&1 && tail -n 1 "$tmp/out" | grep -q "^note clean${3+ keys=$3 values=$4\$}"
	result $? "$2 is sound"
}

# The problem must be there with this weight, code and file offset.
names() { # FILE WEIGHT CODE OFFSET
	local file="$shared/corpus/hostile/$1"
	[ -f "$file" ] || file="$shared/corpus/$1"
	$check "$file" >"$tmp/out" 2>&1
	[ $? -le 1 ] && grep -q "^$2 $3 $4 " "$tmp/out"
	result $? "$1: $3 at $4"
}

# The hint of one key in CompHive is that of another name.
names unusual/CompHive odd leaf-hint 0x1140
for file in "$shared"/corpus/{clean,unusual,saved-by-windows}/*; do
	[ "${file##*/}" = CompHive ] && continue
	sound "$file" "${file#"$shared"/corpus/}"
done
sound "$shared/corpus/clean/SYSTEM-11M" "SYSTEM-11M, counted," 33317 74454
sound "$shared/corpus/clean/UsrClass-li.dat" "UsrClass-li.dat, counted," 7505 19987
sound "$shared/corpus/clean/NTUSER-1.5.dat" "NTUSER-1.5.dat, counted," 2853 5523
sound "$shared/corpus/dirty/clean-with-log/NTUSER.DAT" "clean-with-log, counted," 1597 2310

names BadListHive heals cell-two-owners 0x12d0
names BadListHive heals key-parent 0x1470
names DuplicateSubkeysHive heals key-duplicate 0x6bde0
names EffectiveSizeHive fatal base-checksum 0x0
names EffectiveSizeHive note trailing-bin 0x2000
names EffectiveSizeHive heals cell-outside 0x1720
names GarbageHive fatal base-checksum 0x0
names GarbageHive note trailing-bytes 0x2000
names HealedHive odd security-count 0x1098
names HealedHive note cell-unreferenced 0x12c8
names BogusKeyNamesHive note key-name 0x11b0
names InvalidParentHive heals key-parent 0x75b08
names SAMBadHBinHeader fatal bin-signature 0x2000
names TruncatedHive fatal truncated 0x0
names TruncatedNameHive heals key-name 0x11b0
names WrongOrderHive heals key-order 0x1370
names WrongOrderHive heals key-order 0x15e8
names corrupted_system_hive fatal bin-signature 0x1a000
names regfio_corrupt_hbin1.dat fatal truncated 0x0
names regfio_corrupt_hbin1.dat fatal bin-size 0x1000
names regfio_corrupt_lf_subkeys.dat fatal truncated 0x0

# Nothing is wrong with these but what their names allude to: names with a NUL or half of a
# pair, remnants of keys in free cells, keys with two owners (of their files, not cells), a
# checksum that is right after all.
for name in BogusKeyNamesHive DupNameHive TruncatedPairHive TwoOwnersHive SAM-bad-checksum; do
	sound "$shared/corpus/hostile/$name" "hostile/$name"
done

# Hives of made-up nodes: all that are whole and clean. The list: files that begin with
# "regf", are no logs, and have equal sequence numbers; node-torn is cut in the middle.
whole_hives() { # DIRECTORY
	python3 -c '
import pathlib, struct, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
    if path.is_file() and "node-torn" not in path.parts:
        head = path.open("rb").read(32).ljust(32, b"\0")
        if head[:4] == b"regf" and head[4:8] == head[8:12] and head[28:] == bytes(4):
            print(path)' "$1"
}

for seed in 1 2; do
	odd=$([ $seed = 1 ] || echo "--odd-names --pad")
	# shellcheck disable=SC2086
	python3 "$shared/tools/mklab.py" --seed $seed $odd "$tmp/lab" >/dev/null
	hives=0
	bad=0
	while read -r file; do
		hives=$((hives + 1))
		$check "$file" >"$tmp/one" 2>&1 && continue
		echo "$file: $(tail -n 1 "$tmp/one")"
		bad=$((bad + 1))
	done < <(whole_hives "$tmp/lab") >"$tmp/out"
	[ $bad = 0 ] && [ $hives -gt 20 ]
	result $? "$hives hives of lab $seed are sound"
	rm -rf "$tmp/lab"
done

echo "1..$count"
