#!/bin/bash
# kubernetes-resource-parser and quantities that Kubernetes takes. One guesses 512 MiB for 0.5Gi and 1000 for 1e3, or an error:
# whatever follows the whole number is cut off with the unit, so that half a gibibyte is 0 bytes and 1.5Gi is one byte; the
# exponent is left out, and the k of 2k CPUs. 129m, which is allowed for memory, too, is NaN.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error kubernetes-resource-parser@0.1.0 >/dev/null

parsed() { (cd "$dir" && node -p "require('kubernetes-resource-parser').$1('$2')"); }
echo 'kubernetes-resource-parser 0.1.0'
seen '0.5Gi of memory' 0 "$(parsed memoryParser 0.5Gi)"
seen '1.5Gi of memory' 1 "$(parsed memoryParser 1.5Gi)"
seen '1e3 of memory' 1 "$(parsed memoryParser 1e3)"
seen '129m of memory' NaN "$(parsed memoryParser 129m)"
seen '1e3 of cpu' 1000 "$(parsed cpuParser 1e3)"
seen '2k of cpu' 2 "$(parsed cpuParser 2k)"
