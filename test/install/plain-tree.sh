#!/bin/bash
# plain-tree.sh SUITE OUT: unpacks to the directory OUT what makes a Debian system of SUITE the one it is for a static
# program: its C library, its libsystemd, and busybox as its commands. SUITE `none` has no C library at all, SUITE-node
# has Debian's nodejs, too.
#
# plain-tree.ts calls it. One process at a time builds; OUT gets its name when it is complete.
set -euo pipefail

suite=$1
out=$2
mkdir -p "$(dirname "$out")"
exec 9>"$(dirname "$out")/plain.lock"
flock 9
[[ ! -d $out ]] || exit 0
tree=$out.partial
rm -rf "$tree"

if [[ $suite == none ]]; then
  mkdir -p "$tree/bin"
  cp /bin/busybox "$tree/bin/busybox"
else
  # A mirror may be frozen at a date long past, whose Release file has run out; its signature is checked all the same.
  packages=base-files,libc6,libsystemd0,busybox-static
  only=(--dpkgopt='path-exclude=/usr/share/*')
  # Debian's node reads parts of itself from there.
  [[ $suite != *-node ]] || { packages+=,nodejs && only+=(--dpkgopt='path-include=/usr/share/nodejs/*'); }
  mmdebstrap --mode=root --quiet --variant=extract --include="$packages" \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --aptopt='Acquire::Retries "3"' \
    --aptopt='Acquire::Check-Valid-Until "false"' "${only[@]}" \
    "${suite%-node}" "$tree" "deb http://deb.debian.org/debian ${suite%-node} main"
fi
# Merged or not, as the suite's packages have it.
for directory in bin lib lib64 sbin; do
  [[ -e $tree/$directory || ! -d $tree/usr/$directory ]] || ln -s "usr/$directory" "$tree/$directory"
done
mkdir -p "$tree"/{bin,usr/bin,proc,sys,dev,run,tmp,mnt,root,etc}
for command in sh mount umount mkdir cat ls; do
  [[ -e $tree/bin/$command ]] || ln -s /bin/busybox "$tree/bin/$command"
done
mv "$tree" "$out"
