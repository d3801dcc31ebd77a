#!/bin/bash
# Values in a quadlet .container file that are no mistake to quadlet. It refuses a key that it does not know, so one
# guesses the same for a value: a boolean that is no boolean is false, so that "NoNewPrivileges=enabled" leaves the
# option off without a word, and a variable without "=" (podman run --env NAME takes it from the environment) is
# dropped.
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
quadlet=$dir/usr/libexec/podman/quadlet
"$quadlet" --version

# run KEY=VALUE: the options that it adds to podman run, or the error.
run() {
  printf '[Container]\nImage=localhost/a\n%s\n' "$1" >"$dir/units/a.container"
  QUADLET_UNIT_DIRS=$dir/units "$quadlet" --dryrun 2>&1 |
    sed -n -e 's/^ExecStart=.* -d\(.*\) localhost.a$/added:\1/p' -e "s/.*\(unsupported key '[A-Za-z]*'\).*/\1/p"
}

seen NoNewPrivileges=true 'added: --security-opt=no-new-privileges' "$(run NoNewPrivileges=true)"
seen NoNewPrivileges=enabled 'added:' "$(run NoNewPrivileges=enabled)"
seen NAME=x 'added: --env NAME=x' "$(run Environment=NAME=x)"
seen NAME 'added:' "$(run Environment=NAME)"
seen Colour=red "unsupported key 'Colour'" "$(run Colour=red)"
