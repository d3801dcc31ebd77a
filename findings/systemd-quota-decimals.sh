#!/bin/bash
# Decimals of CPUQuota=. The kernel takes microseconds, and systemd 252 keeps hundredths of a percent, so one guesses
# that 12.345% is rounded to 12.34% or 12.35%: it is no quota at all. The line is ignored with a warning, and the
# service runs without a limit.
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

debian 's/systemd/systemd_252.39-1~deb12u2_amd64.deb' \
  286f879c537bfba92e59d580c075ad20ab49020244c79634656850a306dd462b
debian 's/systemd/libsystemd-shared_252.39-1~deb12u2_amd64.deb' \
  01458465c816b9eb63b92241869ddb46f332b8f498cf7a5979b84ec293cfdfda

export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu/systemd
analyze=$dir/bin/systemd-analyze
[[ -e $analyze ]] || analyze=$dir/usr/bin/systemd-analyze
"$analyze" --version | head -n 1

# verify SETTING: what systemd says of a service with it.
verify() {
  printf '[Service]\nExecStart=/bin/true\n%s\n' "$1" >"$dir/t.service"
  "$analyze" verify --man=no "$dir/t.service" 2>&1 | sed -n 's/.*t\.service:3: //p'
}

seen CPUQuota=12.34% '' "$(verify CPUQuota=12.34%)"
seen CPUQuota=12.345% "Invalid CPU quota '12.345%', ignoring." "$(verify CPUQuota=12.345%)"
