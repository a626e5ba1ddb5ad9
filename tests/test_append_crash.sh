#!/bin/bash
# Appending to a log (backup --append, edit, checkpoint add) is killed, and made to fail, at each
# system call from the first on that writes. Afterwards the snapshot is the old one or the new
# one, whole; and the same command, given again, heals what is left and comes to the new one.
#
# (Not brk: what an error of it looks like to libc, strace cannot make. Not futex, which a run makes or
# not as threads meet: libc ends the program at an error that no kernel gives.)
# A kill between two calls that change nothing leaves what the next one leaves: kills are at
# those that do. CLUSNAP_FAULTS=every has all of both; else one failure in so many has to do.
. tests/backup.sh
. tests/fault.sh
if ! fault_have; then
	echo "1..0 # SKIP strace cannot trace here"
	exit 0
fi
place=$work/place snap=$work/place/snap
changing='mkdirat openat fchmod fchmodat write fsync renameat renameat2 unlinkat'
step=11
[ "${CLUSNAP_FAULTS-}" != every ] || step=1
mkdir "$work/older"
"$build/tests/tools/make_small_node" "$work/older" older
"$clusnap" backup --quiet "$work/older" "$work/old" 2>/dev/null
printf '%s\n' 'Windows Registry Editor Version 5.00' '' \
	'[HKEY_LOCAL_MACHINE\Cluster\New]' '"a"="b"' >"$work/new.reg"
old=$(sha256sum <"$work/old/quolog.log")

prepare()
{
	rm -rf "$place"
	mkdir "$place"
	cp -a "$work/old" "$snap"
}

# The old one; or the new: as times of an edit are those of the clock,
# one that has as many transactions as the new and begins with the old log.
is_old() { diff -r "$work/old" "$1" >/dev/null 2>&1; }
is_new()
{
	[ "$(sequence "$1")" = "$last" ] && [ ! -e "$1/chk0003.tmp" ] &&
		cmp -s -n "$(stat -c %s "$work/old/quolog.log")" "$work/old/quolog.log" "$1/quolog.log"
}
sequence() { "$clusnap" verify --json "$1" 2>/dev/null | jq -r 'select(.complete).sequence'; }

judge()
{
	fault_orderly || wrong "$fault_at: exit $fault_status: $(<"$fault_err")"
	if is_old "$snap"; then
		[ $fault_status -gt 1 ] || wrong "$fault_at: exit $fault_status, and the old one"
	elif is_new "$snap"; then
		[ "$(ls -A "$place")" != snap ] || return 0
	else
		wrong "$fault_at: neither old nor new, exit $fault_status"
		return 0
	fi
	# What failed in good order has nothing to heal; one in three that was killed has to do.
	[ $fault_status -eq 137 ] && [ $((fault_points % 3)) -eq 0 ] || return 0
	is_old "$snap" || prepare_again
	"$clusnap" "${command[@]}" >/dev/null 2>"$work/err" || wrong "$fault_at: again: $(<"$work/err")"
	is_new "$snap" || wrong "$fault_at: the next run does not come to the new one"
	[ "$(ls -A "$place")" = snap ] || wrong "$fault_at: the next run leaves $(ls -A "$place")"
}

# The new one is in place, something is left beside it: the next run shall have the same to do.
prepare_again()
{
	rm -rf "$snap"
	cp -a "$work/old" "$snap"
}

# sweep NAME COMMAND...
sweep()
{
	local name=$1 call n first total action runs=0
	shift
	command=("$@")
	fault_out=$work/fault.out fault_err=$work/fault.err fault_points=0
	prepare
	strace -f -qq -o "$work/calls" "$clusnap" "${command[@]}" >/dev/null 2>&1
	last=$(sequence "$snap")
	[ "$last" = 3 ] || wrong "$name: the snapshot has $last transactions"
	sed -i 's/^[0-9]* *//; s/(.*//' "$work/calls"
	for call in $(awk '/^mkdirat/ { on = 1 } on' "$work/calls" | sort -u | grep -v '^[+-]\|^brk$\|futex'); do
		first=$(awk -v call="$call" '$0 == call { n++ } /^mkdirat/ { print n + 0; exit }' "$work/calls")
		[ "$call" = mkdirat ] || first=$((first + 1))
		total=$(grep -cx "$call" "$work/calls")
		for action in signal=KILL error=EIO; do
			for ((n = first; n <= total; n++)); do
				case $action in
				signal=*) [[ $step = 1 || " $changing " == *" $call "* ]] || continue ;;
				*) [[ $call != exit_group ]] && (((n + runs) % step == 0)) || { runs=$((runs + 1)) && continue; } ;;
				esac
				prepare
				fault_at="$call ${action#*=} $n"
				fault_once "$work/fault.log" "$call" "$action" "$n" "$clusnap" "${command[@]}" \
					>"$fault_out" 2>"$fault_err" || continue
				fault_points=$((fault_points + 1)) runs=$((runs + 1))
				judge
			done
		done
	done
	echo "# $fault_points faults"
	[ $fault_points -gt 60 ] || wrong "only $fault_points faults"
	result "$name"
}

sweep "backup --append, killed or failing" backup --append "$work/node" "$snap"
sweep "edit, killed or failing" edit "$snap" "$work/new.reg"
[ $step -gt 1 ] || # it is an edit
	sweep "checkpoint add, killed or failing" checkpoint add "$snap" Service 'Software\New'

# Nothing has changed: nothing may change, but for what a kill leaves beside it, and 0 means durable.
judge_same()
{
	rm -rf "$place/.snap.clusnap-new"
	fault_orderly && [ $fault_status -ne 0 ] && is_old "$snap" && [ "$(ls -A "$place")" = snap ]
}
fault_points=0
fault_sweep prepare judge_same 'fsync:EIO fsync mkdirat:EACCES mkdirat' \
	"$clusnap" backup --append "$work/older" "$snap" 2>/dev/null
[ -z "$fault_bad" ] || wrong "$fault_bad"
[ $fault_points -ge 12 ] || wrong "only $fault_points faults"
result "backup --append of what is there, killed or failing"
prepare
strace -f -y -o "$work/calls" -e trace=fsync "$clusnap" backup --append "$work/older" "$snap" >/dev/null 2>&1 ||
	wrong "backup --append of what is there"
grep 'fsync(.* = 0$' "$work/calls" >"$work/fsyncs"
for path in "$place" "$snap" "$snap"/**/*; do
	grep -qF "<$path>)" "$work/fsyncs" || wrong "$path: not fsynced"
done
is_old "$snap" || wrong "it has changed"
result "promise 4: exit 0 means durable, also if nothing has changed"
[ "$(sha256sum <"$work/old/quolog.log")" = "$old" ] || wrong "the old one has changed"
result "what the others are compared with is as it was"
echo "1..$number"
