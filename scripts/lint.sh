#!/bin/bash
# npm run lint, and npm run format (--fix): format and lint of TypeScript, C++ and shell, types, and whether the
# generated files are fresh. Runs every check and fails at the end, so that one run shows everything.
set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." || exit 1

fix=${1:-}
failed=()

main() {
  bash scripts/setup.sh build lint || exit 1
  if [[ $fix == --fix ]]; then
    check biome node_modules/.bin/biome check --write --log-level=warn .
    check clang-format on_cpp_files -i
    return
  fi
  check biome node_modules/.bin/biome check --error-on-warnings --log-level=warn .
  check types node_modules/.bin/tsc
  check imports node scripts/check-imports.mjs
  check clang-format on_cpp_files --dry-run -Werror
  check shellcheck on_shell_files
  local generator
  for generator in scripts/generate-*.mjs; do
    [[ ! -e $generator ]] || check "$generator" node "$generator" --check
  done
}

check() {
  local name=$1
  shift
  "$@" || failed+=("$name")
}

on_cpp_files() {
  local files
  mapfile -t files < <(tracked '*.cc' '*.h' ':!addon/generated')
  ((${#files[@]} == 0)) || clang-format "$@" "${files[@]}"
}

on_shell_files() {
  local files
  mapfile -t files < <({ tracked '*.sh'; tracked | xargs grep -lE -m1 '^#!/bin/(ba)?sh' --; } | sort -u)
  shellcheck -x "${files[@]}"
}

# Tracked and new files alike: lint is run before the commit as well as after it.
tracked() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [[ ! -f $file ]] || echo "$file"; done; }

main
((${#failed[@]} == 0)) || {
  echo "lint: failed: ${failed[*]}" >&2
  exit 1
}
