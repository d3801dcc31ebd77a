#!/bin/bash
# getsubids, and so libsubid, for a user who is given by number. /etc/subuid may name a user either way, and newuidmap goes
# by both, so one guesses that getsubids does. A name finds lines with the number, too; a number finds only lines with the
# number, and is an error where the line has the name. Needs root, for a private /etc/subuid.
set -euo pipefail

if [[ ${1:-} != inside ]]; then exec unshare --mount --propagation private bash "$0" inside; fi
dir=$(mktemp -d)
trap 'umount /etc/subuid 2>/dev/null || true; rm -rf "$dir"' EXIT

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

debian 's/shadow/uidmap_4.13+dfsg1-1+deb12u2_amd64.deb' \
  45c7dc6f2cc457bd37dff087ddf77b50e2c801d32ba65af574eb43834d33ac46
debian 's/shadow/libsubid4_4.13+dfsg1-1+deb12u2_amd64.deb' \
  5c1c214484e57bcfaff4136e6cdbe4e8108776c7159ce7c9087218896a5eb12d

library=$(find "$dir" -name 'libsubid.so.4' -printf '%h')
touch /etc/subuid "$dir/subuid"
mount --bind "$dir/subuid" /etc/subuid

# asked LINE USER: what getsubids says of USER where /etc/subuid is LINE.
asked() {
  echo "$1" >"$dir/subuid"
  LD_LIBRARY_PATH=$library "$dir/usr/bin/getsubids" "$2" 2>&1 || true
}

echo 'getsubids of shadow 4.13; nobody is 65534'
seen 'a name, the line has the name' '0: nobody 100000 1000' "$(asked nobody:100000:1000 nobody)"
seen 'a name, the line has the number' '0: nobody 100000 1000' "$(asked 65534:100000:1000 nobody)"
seen 'a number, the line has the number' '0: 65534 100000 1000' "$(asked 65534:100000:1000 65534)"
seen 'a number, the line has the name' 'Error fetching ranges' "$(asked nobody:100000:1000 65534)"
