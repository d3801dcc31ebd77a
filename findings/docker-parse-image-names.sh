#!/bin/bash
# docker-parse-image and names that every registry has. One guesses the parts as the reference grammar of distribution has
# them: a repository of more than two parts is null, a digest becomes a tag with a colon before it, localhost without a port is a
# namespace of Docker Hub, and other registries get "library" in their full names, too.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error docker-parse-image@3.0.1 >/dev/null

cat >"$dir/of.cjs" <<'END'
const image = require('docker-parse-image')(process.argv[3]);
console.log(image && image[process.argv[2]]);
END
of() { node "$dir/of.cjs" "$@"; }
digest=sha256:$(printf '0%.0s' {1..64})
echo 'docker-parse-image 3.0.1'
seen 'repository of quay.io/org/team/app' null "$(of repository quay.io/org/team/app)"
seen 'name of app@sha256:0…' "app:$digest" "$(of name "app@$digest")"
seen 'registry of localhost/app' null "$(of registry localhost/app)"
seen 'full name of quay.io/app' quay.io/library/app:latest "$(of fullname quay.io/app)"
seen 'full name of app' library/app:latest "$(of fullname app)"
