#!/bin/bash
# nsenter by root of the host, with all capabilities, into the ipc and the network namespace of an ordinary user's container, to
# write a parameter of each. One guesses that both work, or neither: the network's is written, the ipc's is EACCES, which no
# capability changes (CAP_DAC_OVERRIDE is there). The kernel compares the effective user with the root of the user namespace, so that
# user can write it, without any capability. Seen with Linux 6.18. Needs root.
set -euo pipefail

dir=$(mktemp -d)
container=
trap '[[ -z $container ]] || kill "$container"; rm -rf "$dir"' EXIT

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

debian 'u/util-linux/util-linux_2.38.1-5+deb12u3_amd64.deb' \
  8eb241ff24b2e1ee9c0373f4fc9bc728b85bf5966c1496154df7da01c0e42f34
debian 'libc/libcap-ng/libcap-ng0_0.8.3-1+b3_amd64.deb' \
  b4b54769c77e4a71c8b33aee4d600ba28a9994a1c6f60d55d4ebe7fc44882e07

export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
chmod a+rx "$dir"
bin=$dir/usr/bin
user=("$bin/setpriv" --reuid 12345 --regid 12345 --clear-groups)
"$bin/nsenter" --version
uname -r

mkfifo "$dir/ready"
"${user[@]}" "$bin/unshare" --user --map-root-user --ipc --net sh -c 'echo; exec sleep 1000' >"$dir/ready" &
container=$!
read -r <"$dir/ready"

# write NAMESPACE PARAMETER VALUE [PREFIX…]: what the parameter then is in that namespace.
write() {
  local namespace=$1 file=/proc/sys/$2 value=$3
  shift 3
  "$bin/nsenter" --target "$container" "--$namespace" "$@" sh -c "echo $value 2>&1 >$file; cat $file" 2>&1 | sed 's/.*: //' | paste -sd ,
}

seen 'net.ipv4.ip_default_ttl by root' 7 "$(write net net/ipv4/ip_default_ttl 7)"
seen 'kernel.msgmax by root' 'Permission denied,8192' "$(write ipc kernel/msgmax 4096)"
seen 'kernel.msgmax by the user' 4096 "$(write ipc kernel/msgmax 4096 "${user[@]}")"
