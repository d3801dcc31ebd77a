#!/bin/bash
# lxc.net.N.ipv4.address without a prefix length. One guesses /32, /24, an error, or the class of the address as before 1993,
# which is what LXC means to take: it reads the address backwards, so its last byte decides. 10.0.3.5 gets /8, 10.0.3.130
# /16 and 10.0.3.200 /24, whatever it begins with.
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
# kept ADDRESS: what LXC has for it.
kept() {
  echo "lxc.net.0.ipv4.address = $1" >"$dir/lxc/c/config"
  "$dir/usr/bin/lxc-info" -P "$dir/lxc" -n c -c lxc.net.0.ipv4.address | sed 's/.*= //'
}
echo "LXC $("$dir/usr/bin/lxc-info" --version)"
for begin in 10.0.3 172.17.3 192.168.3; do
  seen "$begin.5" "$begin.5/8" "$(kept "$begin.5")"
  seen "$begin.130" "$begin.130/16" "$(kept "$begin.130")"
  seen "$begin.200" "$begin.200/24" "$(kept "$begin.200")"
done
seen 10.0.3.5/24 10.0.3.5/24 "$(kept 10.0.3.5/24)"
