#!/bin/bash
# plain-tree.sh SUITE OUT: unpacks to the directory OUT the parts of a Debian system of SUITE that matter to a static
# program: its C library, its libsystemd, and busybox as its commands. SUITE `none` has no C library at all; SUITE-node
# also has Debian's nodejs.
#
# plain-tree.ts calls it. One process at a time builds; OUT gets its name once it is complete.
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
  # A mirror may be frozen at an old date, with an expired Release file; its signature is still checked.
  packages=base-files,libc6,libsystemd0,busybox-static
  only=(--dpkgopt='path-exclude=/usr/share/*')
  # Debian's node loads parts of itself from there.
  [[ $suite != *-node ]] || { packages+=,nodejs && only+=(--dpkgopt='path-include=/usr/share/nodejs/*'); }
  mmdebstrap --mode=root --quiet --variant=extract --include="$packages" \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --aptopt='Acquire::Retries "3"' \
    --aptopt='Acquire::Check-Valid-Until "false"' "${only[@]}" \
    "${suite%-node}" "$tree" "deb http://deb.debian.org/debian ${suite%-node} main"
fi
# Merged into /usr or not, as in the suite's packages.
for directory in bin lib lib64 sbin; do
  [[ -e $tree/$directory || ! -d $tree/usr/$directory ]] || ln -s "usr/$directory" "$tree/$directory"
done
mkdir -p "$tree"/{bin,usr/bin,proc,sys,dev,run,tmp,mnt,root,etc}
for command in sh mount umount mkdir cat ls; do
  [[ -e $tree/bin/$command ]] || ln -s /bin/busybox "$tree/bin/$command"
done
mv "$tree" "$out"
