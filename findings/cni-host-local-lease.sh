#!/bin/bash
# The lease files of the CNI plugin host-local, one for each address, named after it. Scripts that clean up after a
# crash read the container ID from them: one guesses the ID alone, or ID and interface on two lines of a Unix file.
# The line ends with CR LF on Linux, too, and the last one with nothing, so that "read -r id" gives an ID with a
# carriage return that matches no container.
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

export CNI_PATH=$dir/usr/lib/cni
config='{"cniVersion": "1.0.0", "name": "net", "ipam": {"type": "host-local", "subnet": "10.1.0.0/29", "dataDir": "'$dir/leases'"}}'
CNI_COMMAND=VERSION "$CNI_PATH/host-local" <<<"$config"
CNI_COMMAND=ADD CNI_CONTAINERID=abc CNI_NETNS=/proc/self/ns/net CNI_IFNAME=eth0 "$CNI_PATH/host-local" <<<"$config" >/dev/null

seen 'files' '10.1.0.2 last_reserved_ip.0 lock' "$(cd "$dir/leases/net" && LC_ALL=C printf "%s\n" * | paste -sd ' ')"
seen '10.1.0.2' '"abc\r\neth0"' "$(python3 -c 'import json, sys; print(json.dumps(open(sys.argv[1], newline="").read()))' "$dir/leases/net/10.1.0.2")"
