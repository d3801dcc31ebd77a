#!/bin/bash
# Values in a config of LXC that are no mistake to it. It refuses a key and many a value that it does not know, so one guesses
# the same for the rest: a user name in lxc.init.uid is 0 (root), a limit of a name that there is none of is kept, and buffer
# sizes become powers of two of at least a page. What it does refuse is refused without the line or the key: "Failed to load config".
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

debian 'libs/libseccomp/libseccomp2_2.5.4-1+deb12u1_amd64.deb' \
  108fe67957ca7cf9ba51d801118a1b37d404bea7b6e365025cd00779e9eca38d
debian 'l/lxc/liblxc1_5.0.2-1+deb12u4_amd64.deb' \
  67ae4c1f1e8206fc28372ab2b3a78a8086670f04f2b5ed8015e6ef3ffef09cf6
debian 'l/lxc/lxc_5.0.2-1+deb12u4_amd64.deb' \
  bd3fac9dd32aa84dc6cd801b54e3d2cfff2fd79b72e0d8c87c28ea5f4cb19387

LD_LIBRARY_PATH=$(find "$dir" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
export LD_LIBRARY_PATH
mkdir -p "$dir/lxc/c"
# kept KEY VALUE: what LXC has for the key, or the first line of its error.
kept() {
  echo "$1 = $2" >"$dir/lxc/c/config"
  "$dir/usr/bin/lxc-info" -P "$dir/lxc" -n c -c "$1" 2>&1 | sed -n '1s/^lxc[^=]*= //;1p'
}
"$dir/usr/bin/lxc-info" --version
seen 'lxc.init.uid = daemon' 0 "$(kept lxc.init.uid daemon)"
seen 'lxc.init.uid = -1' 'Failed to load config for c' "$(kept lxc.init.uid -1)"
seen 'lxc.prlimit.nosuch = 5' 5 "$(kept lxc.prlimit.nosuch 5)"
seen 'lxc.console.buffer.size = 5KB' 8192 "$(kept lxc.console.buffer.size 5KB)"
seen 'lxc.signal.halt = SIGTERM' 15 "$(kept lxc.signal.halt SIGTERM)"
seen 'lxc.signal.halt = TERM' 'Failed to load config for c' "$(kept lxc.signal.halt TERM)"
seen 'lxc.cap.keep = CAP_KILL' kill "$(kept lxc.cap.keep kill)"
