#!/bin/bash
# docker-file-parser and a Dockerfile with a here-document, which docker build has taken since 2021. One guesses one RUN, or an
# error: each line of the script is an instruction of its own, named after its first word, and none has an error, not even
# those that are no instruction. Quotes stay in the values of ENV.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error docker-file-parser@1.0.7 >/dev/null

parsed() { (cd "$dir" && node -p "JSON.stringify(require('docker-file-parser').parse($1).map(({ name, args, error }) => [name, args, error]))"); }
echo 'docker-file-parser 1.0.7'
seen 'RUN <<END' '[["RUN","<<END",null],["ECHO","hi",null],["END","",null]]' "$(parsed "'RUN <<END\necho hi\nEND\n'")"
seen 'NOSUCH x' '[["NOSUCH","x",null]]' "$(parsed "'NOSUCH x'")"
seen 'ENV A="b c"' '[["ENV",{"A":"\"b c\""},null]]' "$(parsed "'ENV A=\"b c\"'")"
