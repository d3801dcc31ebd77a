#!/bin/bash
# The CNI plugin static without an address, as when the runtime was to give one and did not. One guesses an error: it
# succeeds with a result that has no ips. A gateway that no address of the configuration reaches is fine, too; an address
# without a prefix is not.
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

# added IPAM: the addresses and gateways of the result, or its error.
added() {
  CNI_COMMAND=ADD CNI_CONTAINERID=demo CNI_NETNS=/proc/self/ns/net CNI_IFNAME=eth0 CNI_PATH=$dir/usr/lib/cni \
    "$dir/usr/lib/cni/static" >"$dir/result" \
    <<<"{\"cniVersion\": \"1.0.0\", \"name\": \"demo\", \"type\": \"demo\", \"ipam\": {\"type\": \"static\"$1}}" || true
  python3 - "$dir/result" <<'END'
import json, sys
result = json.load(open(sys.argv[1]))
print(result.get('msg') or [list(ip.values()) for ip in result.get('ips', [])])
END
}
echo 'containernetworking-plugins 1.1.1+ds1-3+b5'
seen 'no address' '[]' "$(added '')"
seen 'an empty list' '[]' "$(added ', "addresses": []')"
seen 'a gateway elsewhere' "[['10.1.2.3/24', '10.9.9.9']]" \
  "$(added ', "addresses": [{"address": "10.1.2.3/24", "gateway": "10.9.9.9"}]')"
seen 'no prefix' "the 'address' field is expected to be in CIDR notation, got: '10.1.2.3'" \
  "$(added ', "addresses": [{"address": "10.1.2.3"}]')"
