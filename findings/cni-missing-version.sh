#!/bin/bash
# A network configuration without cniVersion. The plugins are of CNI 1.0, so one guesses a result in that form, or an error: it is
# one of 0.1.0, where ip4 and ip6 stand in place of ips and there are no interfaces, and what that form has no place for, as a
# second address of a family, is an error only then. Needs root, for a network namespace.
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

cd "$dir"
unshare --net sleep 60 &
pid=$!
trap 'kill "$pid"; wait; rm -rf "$dir"' EXIT
while [[ $(readlink "/proc/$pid/ns/net") == "$(readlink /proc/self/ns/net)" ]]; do sleep 0.1; done

# added PLUGIN CONFIGURATION: the names in its result, or its error.
added() {
  CNI_COMMAND=ADD CNI_CONTAINERID=demo CNI_NETNS=/proc/$pid/ns/net CNI_IFNAME=lo CNI_PATH=usr/lib/cni \
    "usr/lib/cni/$1" <<<"$2" >result 2>said || true
  python3 - <<'END'
import json
result = json.load(open('result'))
print(result.get('msg') or ' '.join([result['cniVersion'], *sorted(result.keys() - {'cniVersion'})]))
END
}
echo 'containernetworking-plugins 1.1.1+ds1-3+b5'
seen 'without cniVersion' '0.1.0 dns ip4 ip6' "$(added loopback '{"name": "demo", "type": "loopback"}')"
seen 'with 1.0.0' '1.0.0 dns interfaces ips' "$(added loopback '{"cniVersion": "1.0.0", "name": "demo", "type": "loopback"}')"
two='"name": "demo", "type": "demo",
  "ipam": {"type": "static", "addresses": [{"address": "10.1.2.3/24"}, {"address": "10.1.2.4/24"}]}'
seen 'two addresses without cniVersion' 'CNI version  does not support more than 1 address per family' \
  "$(added static "{$two}")"
seen 'two addresses with 1.0.0' '1.0.0 dns ips' \
  "$(added static "{\"cniVersion\": \"1.0.0\", $two}")"
