# shellcheck shell=bash disable=SC2034,SC2154
# Shared by the tests of restore: sample nodes on a plain directory or on an NTFS volume. To be
# sourced behind tests/backup.sh. The trees are compared by hivexregedit's words (tree).

kiel=$work/disks/kiel emden=$work/disks/emden quorum=$work/disks/quorum
mounted=''

# Where the tests' own directory would not survive a power cut, that is overridden.
durable=()
case $(stat -f -c %T "$work") in
tmpfs | ramfs | overlay*) durable=(--force undo-not-durable) ;;
esac

# As in tests/backup.sh, but for a restore (and no other way of it) with $durable.
run() {
	if [ "$1" = restore ] && [[ " $* " != *' --resume '* && " $* " != *' --rollback '* ]]; then
		set -- restore "${durable[@]}" "${@:2}"
	fi
	out=$(timeout 300 "$clusnap" "$@" 2>"$work/err" </dev/null)
	status=$?
	err=$(<"$work/err")
}

# The sample's disks, fresh, at $kiel, $emden and $quorum.
fresh_disks() {
	rm -rf "$kiel" "$emden" "$quorum"
	mkdir -p "$work/disks"
	cp -r "$testdata/node-2003" "$kiel"
	cp -r "$testdata/node-2019" "$emden"
	cp -r "$testdata/quorum-2003" "$quorum"
}

# The same on one NTFS volume.
ntfs_disks() {
	unmount
	truncate -s 0 "$work/ntfs.img"
	truncate -s 16M "$work/ntfs.img"
	mkntfs -F -q "$work/ntfs.img" >/dev/null 2>&1 &&
		ntfs-3g -o rw,nodev,nosuid,noexec,windows_names "$work/ntfs.img" "$mount" || return 1
	rm -rf "$work/disks"
	ln -sfn "$mount" "$work/disks"
	fresh_disks
}

have_ntfs() { [ -c /dev/fuse ] && [ "$(id -u)" -eq 0 ] && command -v mkntfs ntfs-3g >/dev/null; }

# A hive in hivexregedit's words, which know nothing of times and security.
tree() { hivexregedit --export --prefix X "$1" '\\' 2>/dev/null; }

same_tree() { # A B WHAT
	cmp -s <(tree "$1") <(tree "$2") || wrong "$3: not the same tree"
	"$clusnap" diff --exact "$1" "$2" >"$work/diff" 2>&1 || wrong "$3: $(head -n 3 "$work/diff")"
}

damage() { # HOW FILE
	case $1 in
	zeroed) head -c "$(stat -c %s "$2")" /dev/zero >"$2.x" && cat "$2.x" >"$2" && rm "$2.x" ;;
	truncated) truncate -s 9000 "$2" ;;
	bytes) printf 'ZZZZ' | dd of="$2" bs=1 seek=4132 conv=notrunc status=none ;;
	deleted) rm "$2" ;;
	changed) # sound, but another state
		printf 'Windows Registry Editor Version 5.00\n\n[\\Nodes]\n"Added"=dword:00000001\n' >"$work/a.reg"
		hivexregedit --merge "$2" "$work/a.reg"
		;;
	esac
}

unchanged() { # STATUS TEXT ARGUMENT...: as expect, and nothing on the disks is another
	local before
	before=$(bytes "$work/disks")
	expect "$@"
	[ "$before" = "$(bytes "$work/disks")" ] || wrong "${*:3}: changed something"
}

# --- undo directories ---

# The only one in a directory, or nothing.
undo_of() { # PARENT
	local found=("$1"/[0-9]*Z-*)
	[ ${#found[@]} -eq 1 ] && echo "${found[0]}"
}

undos() { # PARENT: how many
	local found=("$1"/[0-9]*Z-*)
	echo ${#found[@]}
}

# Everything about an undo directory that is done or undone: whole, private, with that state.
sound_undo() { # UNDO STATE
	(cd "$1" && sha256sum --quiet --strict -c SHA256SUMS) >/dev/null 2>&1 || wrong "$1: sums"
	[ -z "$(find "$1" -type d ! -perm 700 -o -type f ! -perm 600)" ] || wrong "$1: modes"
	[ "$(cut -d' ' -f1 "$1/state" 2>/dev/null)" = "$2" ] || wrong "$1: state is not $2"
	run verify "$1"
	[ $status -eq 0 ] && [[ $out == *whole* ]] || wrong "verify $1: $status: $err"
	jq -e '.format == "clusnap undo" and .version == 1' "$1/plan.json" >/dev/null || wrong "$1: plan"
}

# A restore that is killed before its N-th CALL that is about PATH (without links in it).
kill_at() { # CALL N PATH ARGUMENT...
	local call=$1 n=$2 path=$3
	shift 3
	{
		ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/trace" -P "$path" -e trace="$call" \
			-e inject="$call:signal=KILL:when=$n" "$clusnap" restore --quiet "${durable[@]}" "$@" >"$work/out" 2>&1
	} 2>/dev/null # that it was killed is no news
	grep -q 'killed by SIGKILL' "$work/trace" || wrong "was not killed: $(<"$work/out")"
}

have_strace() { strace -qq -o /dev/null true 2>/dev/null; }
