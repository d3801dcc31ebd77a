#!/bin/bash
# The capabilities that umoci writes into config.json for an image whose user is not root. One guesses what docker and
# podman do: none are effective for such a user. umoci writes the same list for every user and ambient as well, so that the
# program of uid 1000 runs with CAP_KILL, CAP_NET_BIND_SERVICE and CAP_AUDIT_WRITE effective. noNewPrivileges is set, too.
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

debian 'u/umoci/umoci_0.4.7+ds-3+b7_amd64.deb' \
  8adce0c435368b8514425bfa31647ff1629241c97331ba4cd3da838a61a58e5a

umoci() { "$dir/usr/bin/umoci" "$@"; }
# value EXPRESSION: of the config that umoci makes, c.
value() { python3 -c 'import json, sys; c = json.load(open(sys.argv[1]))["process"]; print(eval(sys.argv[2]))' "$dir/config.json" "$1"; }

umoci --version
umoci init --layout "$dir/image"
umoci new --image "$dir/image:a"
umoci config --image "$dir/image:a" --config.user 1000:1000
umoci raw runtime-config --image "$dir/image:a" "$dir/config.json"
seen 'the user' 1000 "$(value 'c["user"]["uid"]')"
seen 'ambient' 'CAP_AUDIT_WRITE CAP_KILL CAP_NET_BIND_SERVICE' "$(value '" ".join(sorted(c["capabilities"]["ambient"]))')"
seen 'noNewPrivileges' True "$(value 'c["noNewPrivileges"]')"
