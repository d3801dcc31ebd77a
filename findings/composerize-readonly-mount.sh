#!/bin/bash
# What composerize makes of `docker run --mount …,readonly`. One guesses "read_only: true", as the compose specification
# has it, or that readonly is listed among the ignored options, as --cpuset-cpus is: it is gone without a word, and the
# service can write to the host's files. A keyword without a value is lost; readonly=true becomes a key that compose
# does not have.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error composerize@1.7.6 composeverter@1.7.5 >/dev/null

cat >"$dir/of.mjs" <<'END'
import composerize from 'composerize';
console.log(composerize(process.argv[2]));
END
# volumes MOUNT: the lines of the compose file for a container with this mount, without the spaces.
volumes() { node "$dir/of.mjs" "docker run --mount $1 image" | sed -n '/volumes:/,/image:/{s/^ *//;p}' | paste -sd ' '; }
ignored() { node "$dir/of.mjs" "docker run $1 image" | sed -n 's/^# //p' | paste -sd ' '; }

echo 'composerize 1.7.6'
seen '--mount …,readonly' 'volumes: - type: bind source: /a target: /b image: image' \
  "$(volumes type=bind,source=/a,target=/b,readonly)"
seen '--mount …,readonly=true' 'volumes: - type: bind source: /a target: /b readonly: "true" image: image' \
  "$(volumes type=bind,source=/a,target=/b,readonly=true)"
seen 'ignored, with readonly' '' "$(ignored '--mount type=bind,source=/a,target=/b,readonly')"
seen 'ignored, with --cpuset-cpus' "ignored options for 'image' --cpuset-cpus=0" "$(ignored '--cpuset-cpus 0')"
