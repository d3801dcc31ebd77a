#!/bin/bash
# Relative paths in a quadlet .container file. EnvironmentFile=./env and Volume=./data:/data are taken from the
# directory of the unit; one guesses that SeccompProfile=./profile.json is, too. It is passed on as it stands, and
# podman resolves it against the working directory of the service, which is / .
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

debian 'p/podman/podman_5.4.2+ds1-2+b2_amd64.deb' \
  e3987a9d1e6d46cbd4ee11bd067927a5f7f886e41c7a2dbe5b89a436905d44a0

mkdir "$dir/units"
printf '[Container]\nImage=localhost/a\nEnvironmentFile=./env\nVolume=./data:/data\nSeccompProfile=./profile.json\n' >"$dir/units/a.container"
quadlet=$dir/usr/libexec/podman/quadlet
"$quadlet" --version
exec_start=$(QUADLET_UNIT_DIRS=$dir/units "$quadlet" --dryrun 2>/dev/null | sed -n 's/^ExecStart=//p')

# word PATTERN: the argument that matches.
word() {
  grep -oE -- "$1" <<<"$exec_start" | sed "s|$dir|DIR|"
}

seen EnvironmentFile '--env-file DIR/units/env' "$(word '--env-file [^ ]+')"
seen Volume '-v DIR/units/data:/data' "$(word '-v [^ ]+')"
seen SeccompProfile 'seccomp=./profile.json' "$(word 'seccomp=[^ ]+')"
