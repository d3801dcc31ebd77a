#!/bin/bash
# What ip netns exec changes besides the network namespace. Its page says that it mounts a new /sys, for the network's devices, so
# one guesses that the rest of /sys is as before: the new sysfs has an empty /sys/fs/cgroup, and what needs cgroups fails.
# nsenter --net leaves /sys as it is. Needs root.
set -euo pipefail

if [[ ${1:-} != inside ]]; then exec unshare --mount --propagation private bash "$0" inside; fi
dir=$(mktemp -d)
trap 'ip netns delete finding 2>/dev/null || true; rm -rf "$dir"' EXIT

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

debian 'libb/libbsd/libbsd0_0.11.7-2_amd64.deb' \
  bb31cc8b40f962a85b2cec970f7f79cc704a1ae4bad24257a822055404b2c60b
debian 'libm/libmd/libmd0_1.0.4-2_amd64.deb' \
  03539fd30c509e27101d13a56e52eda9062bdf1aefe337c07ab56def25a13eab
debian 'libb/libbpf/libbpf1_1.1.2-0+deb12u1_amd64.deb' \
  5e7505ef77ebc84ad0203411e4afdeb8a98f40fb7f78f013aa4dd8710e49f8ed
debian 'e/elfutils/libelf1_0.188-2.1_amd64.deb' \
  619add379c606b3ac6c1a175853b918e6939598a83d8ebadf3bdfd50d10b3c8c
debian 'libm/libmnl/libmnl0_1.0.4-3_amd64.deb' \
  4581f42e3373cb72f9ea4e88163b17873afca614a6c6f54637e95aa75983ea7c
debian 'i/iproute2/iproute2_6.1.0-3_amd64.deb' \
  1204b29e916e836267096d0b9d778106752f821ebde0d281539008b4386d9070
debian 'libs/libseccomp/libseccomp2_2.5.4-1+deb12u1_amd64.deb' \
  108fe67957ca7cf9ba51d801118a1b37d404bea7b6e365025cd00779e9eca38d
debian 'libc/libcap2/libcap2_2.66-4+deb12u3+b1_amd64.deb' \
  8d684c673e7483802a5c447834b0df6fce006eb3a7109e1be412f5ad425bb24f
debian 'y/yajl/libyajl2_2.1.0-3+deb12u2_amd64.deb' \
  b512a6efbe735e7c731185a1b3ea477ff306f0c3f6aa2970e85b12f01fe8063b
debian 'c/crun/crun_1.8.1-1+deb12u1_amd64.deb' \
  34bdcf1a097ec34da2e7b77b65fa351134702af775174af22555b16421709c51

LD_LIBRARY_PATH=$(find "$dir" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
export LD_LIBRARY_PATH
ip() { "$dir/bin/ip" "$@"; }
# A host with cgroup v2, whatever this one has.
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "$dir/bundle/rootfs" "$dir/root"
(cd "$dir/bundle" && "$dir/usr/bin/crun" spec && sed -i 's/"terminal": true/"terminal": false/' config.json)
# last COMMAND…: the last line that it prints.
last() { "$@" 2>&1 | tail -1; }
crun=("$dir/usr/bin/crun" --root "$dir/root" run --bundle "$dir/bundle" finding)

ip -V
"$dir/usr/bin/crun" --version | sed -n 1p
ip netns add finding
files='ls /sys/fs/cgroup | grep -c ^cgroup.procs$'
seen 'cgroup.procs below ip netns exec' 0 "$(last ip netns exec finding sh -c "$files")"
seen 'cgroup.procs below nsenter --net' 1 "$(last nsenter --net=/run/netns/finding sh -c "$files")"
seen 'crun below ip netns exec' "invalid file system type on '/sys/fs/cgroup'" "$(last ip netns exec finding "${crun[@]}")"
ip netns delete finding
