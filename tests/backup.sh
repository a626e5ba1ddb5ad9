# shellcheck shell=bash disable=SC2034
# Shared by the tests of whole backups. To be sourced; makes $work, which goes away at exit, with
# the disk $work/node in it.
set -u
shopt -s globstar dotglob nullglob
export LC_ALL=C.UTF-8
build=$(realpath "${BUILD:-build}")
clusnap=$build/clusnap
testdata=$(realpath testdata)
work=$(mktemp -d)
mount=$work/mount
number=0 status=0 wrong=''
trap 'cd /; clean_up' EXIT
mkdir "$work/node" "$mount"
"$build/tests/tools/make_small_node" "$work/node"

unmount() {
	while mountpoint -q "$mount"; do
		umount "$mount" 2>/dev/null || sleep 0.1
	done
}

clean_up() {
	unmount
	chattr -R -i "$work" 2>/dev/null
	rm -rf "$work"
}

wrong() { wrong+="$*"$'\n'; }

result() { # NAME: ok if nothing was wrong since the last one
	number=$((number + 1))
	if [ -n "$wrong" ]; then
		echo "not ok $number - $1"
		head -n 20 <<<"${wrong%$'\n'}" | sed 's/^/# /'
	else
		echo "ok $number - $1"
	fi
	wrong=''
}

skip() { # NAME, WHY
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# Runs the program; $out, $err and $status are what it gave. No command may take long.
run() {
	out=$(timeout 300 "$clusnap" "$@" 2>"$work/err" </dev/null)
	status=$?
	err=$(<"$work/err")
}

# expect STATUS TEXT ARGUMENT...: the exit status, and a text that the message must have
expect() {
	local want=$1 text=$2
	shift 2
	run "$@"
	[ $status -eq "$want" ] || wrong "$*: exit $status, not $want: $err"
	[[ $err$out == *"$text"* ]] || wrong "$*: no '$text' in: $err"
	[ $status -eq 0 ] || [[ $err == "clusnap: "* ]] || { [[ $status == [16] ]] && [ -n "$out" ]; } ||
		wrong "$*: exit $status without a word"
}

is_whole() { "$clusnap" verify --quiet "$1" >/dev/null 2>&1; }

bytes() { (cd "$1" && find . -type f -exec sha256sum {} + | sort); }
