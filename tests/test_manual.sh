#!/bin/bash
# What is written about the program is true: the manual's examples and README's session work on
# the sample, and manual, README and --help name the same commands, options and exit statuses.
. tests/cli.sh

mkdir "$dir/mnt" "$dir/backup" "$dir/bin"
cp -r testdata/node-2003 "$dir/mnt/kiel"
cp -r testdata/node-2019 "$dir/mnt/emden"
cp -r testdata/quorum-2003 "$dir/mnt/quorum"
ln -s "$clusnap" "$dir/bin/clusnap"
export PATH=$dir/bin:$PATH

# --- the examples: all literal lines of EXAMPLES that begin with "$ ", with their next lines ---

sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' docs/clusnap.1 |
	sed -n '/^\.Bd/,/^\.Ed/p' | grep -v '^\.' | sed 's/\\e/\\/g' >"$dir/examples"
[ "$(grep -c '^\$ ' "$dir/examples")" -ge 8 ]
ok "the manual has examples"
awk '/^\$ / { if (n) print ""; n++; printf "%s", substr($0, 3); next } { printf " %s", $0 } END { print "" }' \
	"$dir/examples" | sed "s|/mnt/|$dir/mnt/|g; s|/backup/|$dir/backup/|g" >"$dir/lines"
# in one shell, because an example may set a variable
while IFS= read -r line; do
	eval "$line" >"$dir/out" 2>"$dir/why"
	ok "example: ${line//"$dir"/}"
done <"$dir/lines"
[ -s "$dir/backup/CLUSDB.xml" ] && [ -s "$dir/backup/Microsoft.reg" ]
ok "the examples have written what they say"

# --- commands ---

# --help, as "name" lines
clusnap --help | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' | sort >"$dir/commands"
sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/s/^\.Cm //p' docs/clusnap.1 | sort >"$dir/named"
diff "$dir/commands" "$dir/named" >"$dir/why"
ok "the manual's synopsis has the commands of --help"
sed -n '/^\.Ss Commands/,/^\.Ss Options/s/^\.It Cm //p' docs/clusnap.1 | sort >"$dir/named"
diff "$dir/commands" "$dir/named" >"$dir/why"
ok "the manual describes the commands of --help"
sed -n 's/^| `clusnap \([a-z]\+\( list\| add\| remove\)\?\)[ `].*/\1/p' README.md | sort >"$dir/named"
diff "$dir/commands" "$dir/named" >"$dir/why"
ok "README's table has the commands of --help"

# --- options: of each command those that are its own, in its part of the manual ---

sed -n '/^\.Ss Options of all/,/^\.Ss Mounting/p' docs/clusnap.1 | grep -o 'Fl -[a-z-]*' |
	sed 's/Fl -/--/' | sort -u >"$dir/common"
while IFS= read -r command; do
	read -ra words <<<"$command"
	clusnap "${words[@]}" --help </dev/null | sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p' | sort -u |
		grep -vxFf "$dir/common" >"$dir/own"
	sed -n "/^\.Ss Commands/,/^\.Ss Options/p" docs/clusnap.1 |
		awk -v it=".It Cm $command" '/^\.It Cm / { on = ($0 == it) } on' |
		grep '^\.It Fl' | grep -o 'Fl -[a-z0-9-]*' | sed 's/Fl -/--/' | sort -u >"$dir/named"
	diff "$dir/own" "$dir/named" >"$dir/why"
	ok "the manual has the options of $command"
done <"$dir/commands"

while IFS= read -r command; do
	read -ra words <<<"$command"
	clusnap "${words[@]}" --help </dev/null | sed -n 's/^  --\([a-z0-9-]*\).*/\1/p' | sort -u | sed 's/^/--/' |
		grep -vxFf "$dir/common" >"$dir/own"
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' docs/clusnap.1 | awk -v it=".Cm $command" '/^\.Cm / { on = ($0 == it) } on' |
		grep -o 'Fl -[a-z0-9-]*' | sed 's/Fl -/--/' | sort -u >"$dir/named"
	diff "$dir/own" "$dir/named" >"$dir/why"
	ok "the synopsis has the options of $command"
done <"$dir/commands"

# --- codes of problems: those in the source, and those that the contract knows ---

grep -rhoE '"[a-z]+(-[a-z]+)+"' checkpoint snapshot --include=*.c | tr -d '"' | sort -u >"$dir/words"
sed -n '/^\.Sh PROBLEMS/,/^\.Sh ENV/s/^\.It Li //p' docs/clusnap.1 | tr ',' '\n' | tr -d ' ' | sort -u >"$dir/named"
# (words of the source that are options are none)
{ grep -vxE 'copy-to|data-first|dry-run|max-log' "$dir/words" | grep -vxFf "$dir/named"
	# gone since: nothing prints them any more
	grep -xE 'restore-interrupted|restore-unknown|changing|chkdsk-needed|other-source' "$dir/named"; } >"$dir/why"
[ ! -s "$dir/why" ] && [ "$(wc -l <"$dir/named")" -gt 25 ]
ok "the manual has the codes of all problems"

# --- names for --force ---

clusnap restore --force nonsense a b 2>&1 | sed 's/.*it takes //; s/; usage.*//' | tr ' ' '\n' |
	grep . | sort >"$dir/forces"
sed -n '/^\.Ss Refusals/,/^\.El/s/^\.It Li //p' docs/clusnap.1 | tr ',' '\n' | tr -d ' ' | sort >"$dir/named"
[ "$(wc -l <"$dir/forces")" -gt 10 ] && diff "$dir/forces" "$dir/named" >"$dir/why"
ok "the manual has the names of --force"

# --- statuses ---

clusnap check --help | tr '\n' ' ' | grep -o '[0-6] [a-z]' | cut -c1 | sort -u >"$dir/statuses"
sed -n '/^\.Sh EXIT/,/^\.Sh EX/s/^\.It \([0-9]\)$/\1/p' docs/clusnap.1 | sort -u >"$dir/named"
diff "$dir/statuses" "$dir/named" >"$dir/why"
ok "manual and --help have the same exit statuses"

# --- README: each session is what comes out ---

sed 's/^```$/```end/' README.md | awk '/^```console$/ { on = 1; next } /^```end$/ { on = 0 } on' >"$dir/session"
grep -q '^\$ clusnap' "$dir/session"
ok "README has a session"
: >"$dir/played"
while IFS= read -r line; do
	case "$line" in
	'$ '*)
		printf '%s\n' "$line" >>"$dir/played"
		(cd "$dir" && eval "${line#??}") >>"$dir/played" 2>&1 </dev/null
		;;
	esac
done < <(sed 's|/mnt/|mnt/|g; s|/backup/|backup/readme-|g' "$dir/session")
sed -i 's|mnt/|/mnt/|g; s|backup/readme-|/backup/|g' "$dir/played"
# The id changes with every change to the format of the log, and the README need not.
sed -i 's/^id [0-9a-f]\{64\}$/id .../' "$dir/session" "$dir/played"
# A line of dots stands for lines that are left out.
awk 'NR == FNR { want[++n] = $0; next } { got[++m] = $0 }
	END {
		j = 1
		for (i = 1; i <= n; i++) {
			if (want[i] == "[...]") {
				while (j <= m && got[j] != want[i + 1]) j++
				if (i == n) j = m + 1
			} else if (got[j++] != want[i]) {
				print "wanted: " want[i]; print "got:    " got[j - 1]; exit 1
			}
		}
		if (j <= m) { print "more: " got[j]; exit 1 }
	}' "$dir/session" "$dir/played" >"$dir/why"
ok "README's session is what comes out"

finish
