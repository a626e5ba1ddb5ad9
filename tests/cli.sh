# shellcheck shell=bash disable=SC2034
# Shared by the tests of the command line. To be sourced; makes $dir, which goes away at exit.
#
#	run STATUS ARGUMENT...	# true if the program ends so; it wrote $dir/out and $dir/err
#	ok NAME			# one test: the status of the command before decides
#	finish			# the plan, and the exit status of the whole
#
# When a test fails, the beginnings of $dir/why, out and err are shown.
set -u
export LC_ALL=C.UTF-8
unset NO_COLOR
clusnap=$(realpath "${BUILD:-build}/clusnap")
tools=$(realpath "${BUILD:-build}/tests/tools")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
plan=0 failed=0 status=0
touch "$dir/why" "$dir/out" "$dir/err"

ok()
{
	local good=$?
	plan=$((plan + 1))
	[ $good -eq 0 ] && echo "ok $plan - $1" && return
	echo "not ok $plan - $1"
	failed=1
	head -c 3000 "$dir/why" "$dir/out" "$dir/err" | cat -v | sed 's/^/# /'
}

run()
{
	local wanted=$1
	shift
	status=0
	timeout 300 "$clusnap" "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	echo "exit status $status, wanted $wanted: clusnap $*" >"$dir/why"
	[ $status -eq "$wanted" ]
}

finish()
{
	echo "1..$plan"
	exit $failed
}
