#!/bin/bash
# The CNI plugin host-local gives addresses in turn, from the one after the last. A container may ask for one (CNI_ARGS
# IP=…). One guesses that this stands beside the turn: the next container that asks for none gets the address after the one
# asked for, and the range in between is left until the turn has come round.
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

debian 'g/golang-github-containernetworking-plugins/containernetworking-plugins_1.1.1+ds1-3+b5_amd64.deb' \
  4cac8143474d1249b19f7b0e80b8d0daaa6dfdaa8bd514bc468d38d4a108099f

# given ID [IP=ADDRESS]: the address that the container gets.
given() {
  CNI_COMMAND=ADD CNI_CONTAINERID=$1 CNI_ARGS=${2:-} CNI_NETNS=/proc/self/ns/net CNI_IFNAME=eth0 CNI_PATH=$dir \
    "$dir/usr/lib/cni/host-local" <<END | python3 -c 'import json, sys; print(json.load(sys.stdin)["ips"][0]["address"])'
{"cniVersion": "1.0.0", "name": "net", "type": "bridge",
 "ipam": {"type": "host-local", "subnet": "10.1.2.0/24", "dataDir": "$dir/leases"}}
END
}

CNI_COMMAND=VERSION "$dir/usr/lib/cni/host-local" </dev/null 2>&1 | head -1
echo 'host-local of CNI plugins 1.1.1'
seen 'the first' 10.1.2.2/24 "$(given a)"
seen 'the second' 10.1.2.3/24 "$(given b)"
seen 'one that asks for .77' 10.1.2.77/24 "$(given c IP=10.1.2.77)"
seen 'the next' 10.1.2.78/24 "$(given d)"
