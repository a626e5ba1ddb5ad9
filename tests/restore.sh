# shellcheck shell=bash disable=SC2034,SC2154
# Shared by the tests of restore: sample nodes on a plain directory or on an NTFS volume. To be
# sourced behind tests/backup.sh. The trees are compared by hivexregedit's words (tree).

kiel=$work/disks/kiel emden=$work/disks/emden quorum=$work/disks/quorum
mounted=''

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

# The one set-aside directory of a Cluster directory, or nothing.
aside() {
	local found=("$1"/clusnap-*)
	[ ${#found[@]} -eq 1 ] && echo "${found[0]}"
}

asides() {
	local found=("$1"/clusnap-*)
	echo ${#found[@]}
}
