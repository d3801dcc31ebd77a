#!/bin/bash
# hwloc-calc makes the list for --cpuset-cpus, taskset or numactl. Asked for a core that the machine does not have, one
# guesses a non-zero exit: it is 0, with the other cores, with the empty set 0x0, or with an empty line for -I. Only stderr
# says so.
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

debian 'h/hwloc/libhwloc15_2.9.0-1_amd64.deb' \
  4e7194b5d9adbb1a7d11a9501a4be4a4fa22876b69c73b7998056f552962c0e4
debian 'h/hwloc/hwloc_2.9.0-1_amd64.deb' \
  616a06eec904fe48c119e794237e47a4353d87fc8e2df2d2ae3dd81ef3534dfc

export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
# calc LOCATION…: exit code and output.
calc() {
  local code=0 said
  said=$("$dir/usr/bin/hwloc-calc" --input 'node:2 core:4 pu:2' "$@" 2>/dev/null) || code=$?
  echo "$code '$said'"
}
"$dir/usr/bin/hwloc-calc" --version
echo 'two nodes of four cores with two threads each: cores 0 to 7'
seen core:7 "0 '0x0000c000'" "$(calc core:7)"
seen 'core:7 core:8' "0 '0x0000c000'" "$(calc core:7 core:8)"
seen core:8 "0 '0x0'" "$(calc core:8)"
seen '-I pu core:8' "0 ''" "$(calc -I pu core:8)"
seen core:2-1 "0 '0x0'" "$(calc core:2-1)"
