#!/bin/bash
# The command that decomposerize makes of a service whose command and entrypoint are lists. One guesses a quoted word for
# each: the words of command are put together with commas and not quoted, so that the program gets others; --entrypoint is
# repeated for each word, where docker run takes the last one only.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error decomposerize@1.4.4 composeverter@1.7.5 >/dev/null

cat >"$dir/of.mjs" <<'END'
import decomposerize from 'decomposerize';
console.log(decomposerize(`services:\n  a:\n    image: image\n    ${process.argv[2]}\n`));
END
of() { node "$dir/of.mjs" "$1"; }
echo 'decomposerize 1.4.4'
seen 'command: [sh, -c, "echo hi"]' 'docker run image sh,-c,echo hi' "$(of 'command: [sh, -c, "echo hi"]')"
seen 'command: sh -c "echo hi"' 'docker run image sh -c "echo hi"' "$(of 'command: sh -c "echo hi"')"
seen 'entrypoint: [tini, --]' 'docker run --entrypoint tini --entrypoint -- image' "$(of 'entrypoint: [tini, --]')"
