#!/bin/bash
# dockerd --validate and the runtimes of daemon.json. One guesses that it finds a default runtime that is not
# declared, the reserved name runc, a runtime without path and type, or path and options together, each of which the
# daemon refuses when it starts: all are "configuration OK". Yet default-shm-size as a number, which docker run
# --shm-size takes, is invalid: it wants a string.
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

debian 'd/docker.io/docker.io_26.1.5+dfsg1-9+deb13u1+b1_amd64.deb' \
  53ae1a99f15113f0a0d2226808ec0d24ee31b3b87b87ab8ec35be09a1a2ee13b

export PATH=$dir/usr/sbin:$dir/usr/bin:$PATH
dockerd --version

validate() {
  printf '%s' "$1" >"$dir/daemon.json"
  dockerd --validate --config-file "$dir/daemon.json" 2>&1 | tail -n 1 | sed "s|$dir/||"
}

ok='configuration OK'
for config in \
  '{"default-runtime": "missing"}' \
  '{"runtimes": {"runc": {"path": "/usr/bin/true"}}}' \
  '{"runtimes": {"mine": {}}}' \
  '{"runtimes": {"mine": {"path": "/usr/bin/true", "options": {"SystemdCgroup": true}}}}' \
  '{"default-shm-size": "64M"}'; do
  seen "$config" "$ok" "$(validate "$config")"
done
config='{"default-shm-size": 67108864}'
seen "$config" 'unable to configure the Docker daemon with file daemon.json: invalid size: "67108864"' "$(validate "$config")"
