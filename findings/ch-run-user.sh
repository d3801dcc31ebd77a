#!/bin/bash
# ch-run (Charliecloud) in an environment without $USER, as a systemd unit with DynamicUser=, cron or env -i gives it. One
# guesses that it asks getpwuid(3): it ends with an error before it does anything, even --version.
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
debian 'f/fuse3/libfuse3-3_3.14.0-4_amd64.deb' \
  bf535cec5e965823fd03199b4029f9e9f3952111eb12824b5d2b96c8cca1a918
debian 'l/lzo2/liblzo2-2_2.10-2_amd64.deb' \
  4f08e092c76e425295a498cd547dc9b8f6a595473f3020ab8c96309b29872636
debian 's/squashfuse/libsquashfuse0_0.1.105-1_amd64.deb' \
  336196fd543f90d18abd160500a7dec499954f92fb5e3631bded19ecc4a84538
debian 'c/charliecloud/charliecloud-runtime_0.31-1_amd64.deb' \
  d4b6801c4568c6d9e8c084cb79ccf62436e6522b065e873ad6136a77f908b3a8

LD_LIBRARY_PATH=$(find "$dir" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
told() { env -u USER "$@" LD_LIBRARY_PATH="$LD_LIBRARY_PATH" "$dir/usr/bin/ch-run" --version 2>&1 | sed 's/^[^:]*: //'; }

echo 'ch-run --version'
# shellcheck disable=SC2016 # its words
seen 'without USER' 'error: $USER not set (ch-run.c:122)' "$(told HOME=/)"
seen 'with any' 0.31 "$(told USER=nobody-of-that-name)"
