#!/bin/bash
# gosu and a number that /etc/passwd does not have, as entrypoints are told to use (`gosu "$PUID" program`). One guesses the
# group of the same number, or that the group must be given: it is group 0, root's. Needs root.
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

debian 'g/gosu/gosu_1.14-1+b10_amd64.deb' \
  c40cf280a915661337881a8665209285e9c557e21b35e3c8ab588f12f9860c42

ids() { "$dir/usr/sbin/gosu" "$1" id | sed 's/([^)]*)//g'; }
"$dir/usr/sbin/gosu" --version
seen 'gosu 54321' 'uid=54321 gid=0 groups=0' "$(ids 54321)"
seen 'gosu 54321:54321' 'uid=54321 gid=54321 groups=54321' "$(ids 54321:54321)"
