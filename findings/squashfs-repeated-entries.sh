#!/bin/bash
# A tar archive with two entries for one path, as `tar -r` makes it when a file has changed. tar takes the last one, so one
# guesses that those which make a squashfs of an archive do: sqfstar keeps the first, says so on stderr and exits with 0;
# tar2sqfs refuses the archive.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# debian FILE SHA256: unpacks a package of Debian's pool (amd64) into $dir.
debian() {
  curl -fsS --retry 3 -o "$dir/package" "http://deb.debian.org/debian/pool/main/$1"
  sha256sum --quiet -c - <<<"$2  $dir/package"
  dpkg-deb -x "$dir/package" "$dir"
}

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

debian 's/squashfs-tools/squashfs-tools_4.5.1-1_amd64.deb' \
  3f96b16c9b985ea03cf70f90a05f4dc5c15039e845326f8f4293a3280fd0b2f4
debian 's/squashfs-tools-ng/squashfs-tools-ng_1.2.0-1_amd64.deb' \
  4edcbc605bcede24b2c113048692f303dd127c7a3e9cf4da3533a1d5ce8353d1
debian 's/squashfs-tools-ng/libsquashfs1_1.2.0-1_amd64.deb' \
  7bf3ef5208bc88f2b6f380c5d8b631496e4da4037ddc6d2867ad81b4a7e2fa9d
debian 'l/lzo2/liblzo2-2_2.10-2_amd64.deb' \
  4f08e092c76e425295a498cd547dc9b8f6a595473f3020ab8c96309b29872636

LD_LIBRARY_PATH=$(find "$dir" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
export LD_LIBRARY_PATH
cd "$dir"
mkdir layer by-tar
echo old >layer/file
tar -C layer -cf layer.tar file
echo new >layer/file
tar -C layer -rf layer.tar file

# code COMMAND…: its exit code; what it says is in said.
code() { local code=0; "$@" <layer.tar >said 2>&1 || code=$?; echo "$code"; }
usr/bin/mksquashfs -version | sed -n 1p
usr/bin/tar2sqfs --version | sed -n 1p
tar -C by-tar -xf layer.tar
seen 'by tar' new "$(cat by-tar/file)"
seen 'exit code of sqfstar' 0 "$(code usr/bin/sqfstar -no-progress -quiet image.sqfs)"
seen 'what it says' 'file already exists in the tar file, ignoring' "$(grep file said)"
timeout 20 usr/bin/unsquashfs -no-progress -d by-sqfstar image.sqfs >/dev/null
seen 'by sqfstar' old "$(cat by-sqfstar/file)"
seen 'exit code of tar2sqfs' 1 "$(code usr/bin/tar2sqfs -q -f other.sqfs)"
seen 'what it says' 'file: File exists' "$(cat said)"
