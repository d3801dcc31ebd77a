#!/bin/bash
# Quantities in the JavaScript client of Kubernetes, which topNodes and topPods add up. One guesses a number for each that
# the API server takes: one with a suffix from k or Ki on is a BigInt and must be whole, so that 1.5Gi, a common limit, is a
# SyntaxError, while 1e3 and 100m are numbers.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error @kubernetes/client-node@1.3.0 >/dev/null

value() {
  (cd "$dir" && node --input-type=module -e "
import { quantityToScalar } from '$dir/node_modules/@kubernetes/client-node/dist/util.js';
try {
  const value = quantityToScalar('$1');
  console.log(typeof value, String(value));
} catch (error) {
  console.log(error.name);
}")
}
echo '@kubernetes/client-node 1.3.0'
seen 1Gi 'bigint 1073741824' "$(value 1Gi)"
seen 1.5Gi SyntaxError "$(value 1.5Gi)"
seen 0.5k SyntaxError "$(value 0.5k)"
seen 1e3 'number 1000' "$(value 1e3)"
seen 100m 'number 0.1' "$(value 100m)"
