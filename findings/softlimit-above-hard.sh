#!/bin/bash
# chpst (runit) and s6-softlimit with a limit above the hard one. One guesses an error, as from ulimit and prlimit: the
# limit becomes the hard one without a word, so that a service runs with fewer descriptors than its run script says.
# s6-softlimit -h, which sets hard limits, is an error where one guesses that it lowers the soft limit, too.
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

debian 'r/runit/runit_2.1.2-54_amd64.deb' \
  2c9a52e80d104c99d68124ea0145056fe2d8a0a2f78deca9312b50075e228e65
debian 's/skalibs/libskarnet2.13_2.13.1.1-1_amd64.deb' \
  30d292d91933d8bb4413ca2ca3bd4b6ffbf82854e1de7483b69c91a18dfe90b1
debian 's/s6/s6_2.11.3.2-1_amd64.deb' \
  80f48e657e09bd0d7f4a3440957dd3171084e005a90ced037d8426a2e5cf0f8f

export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
ulimit -Sn 100
ulimit -Hn 200
limits() { "$@" bash -c 'ulimit -Sn; ulimit -Hn' 2>&1 | paste -sd ' ' | sed "s|$dir||"; }

echo 'runit 2.1.2, s6 2.11.3.2; soft limit 100, hard limit 200 descriptors'
seen 'chpst -o 300' '200 200' "$(limits "$dir/usr/bin/chpst" -o 300)"
seen 's6-softlimit -o 300' '200 200' "$(limits "$dir/usr/bin/s6-softlimit" -o 300)"
seen 's6-softlimit -h -o 150' '100 150' "$(limits "$dir/usr/bin/s6-softlimit" -h -o 150)"
seen 's6-softlimit -h -o 50' 's6-softlimit: fatal: unable to setrlimit: Invalid argument' \
  "$(limits "$dir/usr/bin/s6-softlimit" -h -o 50)"
