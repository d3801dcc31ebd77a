#!/bin/bash
# setup.sh GROUP...: makes this machine ready. Installs the Debian packages of the groups (lib/debian-packages.txt) and
# the npm packages that are missing, and says which. Takes a few milliseconds if nothing is missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

min_node=20

main() {
  require_linux
  require_node
  install_debian_packages "$@"
  install_npm_packages
  # The cross compiler links this archive; scripts/lib/aarch64.mjs knows the place.
  [[ " $* " != *' aarch64 '* ]] || scripts/lib/unpack-foreign.sh arm64 build/aarch64/packages libseccomp-dev
  if [[ -t 1 ]]; then say 'everything is there'; fi
}

require_linux() {
  [[ $(uname -s) == Linux ]] || die "tsrun runs on Linux only; this is $(uname -s)"
}

require_node() {
  command -v node >/dev/null || die "node is not installed; tsrun needs node $min_node or newer"
  local version
  version=$(node --version)
  local major=${version#v}
  major=${major%%.*}
  ((major >= min_node)) || die "node $version is too old; tsrun needs node $min_node or newer (Debian has one since 13; older releases take it from elsewhere)"
}

install_debian_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  command -v apt-get >/dev/null || die "apt-get is not here; install the equivalents of: ${missing[*]}"
  ((EUID == 0)) || die "not root, and these Debian packages are missing: ${missing[*]}. Run: sudo $0 $*"

  say "installing Debian packages: ${missing[*]}"
  # Another setup.sh may be at work (.ci/run), and apt-get update does not wait for another's lists.
  exec 8>/run/lock/tsrun-setup.lock
  flock 8
  # Old package lists are mostly good enough, and updating them takes a while.
  apt_get install "${missing[@]}" || {
    apt_get update || true
    apt_get install "${missing[@]}" || explain_apt "${missing[@]}"
  }
  exec 8>&-
}

missing_packages() {
  local wanted installed
  wanted=$(awk -v groups=" $* " '!/^#/ && index(groups, " " $1 " ") { print $2 }' scripts/lib/debian-packages.txt | sort -u)
  [[ -n $wanted ]] || return 0
  # shellcheck disable=SC2086 # one word a package
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' $wanted 2>/dev/null | awk '$2 == "ii" { print $1 }' || true)
  comm -23 <(echo "$wanted") <(echo "$installed" | sort -u)
}

apt_log=''

apt_get() {
  apt_log=${apt_log:-$(mktemp)}
  local install=()
  [[ $1 != install ]] || install=(--no-install-recommends)
  # Another apt-get may be at work: the tests install what builds the VM's image meanwhile.
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=5 -o DPkg::Lock::Timeout=600 "$1" "${install[@]}" "${@:2}" \
    >"$apt_log" 2>&1 </dev/null 8>&-
}

explain_apt() {
  cat "$apt_log" >&2
  if grep -qE 'Temporary failure resolving|Could not connect|Could not resolve|Network is unreachable' "$apt_log"; then
    die "no network: apt cannot reach its mirrors. Missing: $*"
  fi
  die "apt could not install: $*"
}

install_npm_packages() {
  ! npm_packages_current || return 0
  # npm ci would empty the directory that the link leads to, which belongs to another checkout.
  [[ ! -L node_modules ]] || die "node_modules is a link and older than package-lock.json; run npm ci where it leads"
  say 'installing npm packages'
  local log
  log=$(mktemp)
  # With npm's own pauses between tries, a missing network would take minutes. --ignore-scripts: the native build is a
  # step of its own (npm would run binding.gyp through node-gyp, which wants Node's headers and downloads them where
  # they are missing).
  npm ci --ignore-scripts --no-progress --loglevel=warn \
    --fetch-retries=5 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 \
    >"$log" 2>&1 </dev/null || explain_npm "$log"
  rm -f "$log"
}

# npm ci writes node_modules/.package-lock.json last, so its time says when the installation was complete.
npm_packages_current() {
  local installed=node_modules/.package-lock.json
  [[ -f $installed ]] || return 1
  [[ package-lock.json -nt $installed ]] || return 0
  node scripts/lib/npm-packages-current.mjs || return 1
  touch "$installed"
}

explain_npm() {
  cat "$1" >&2
  if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH' "$1"; then
    die 'no network: npm cannot reach its registry'
  fi
  die 'npm ci failed; its output is above'
}

say() { echo "setup: $*"; }

die() {
  echo "setup: $*" >&2
  exit 1
}

trap 'rm -f "$apt_log"' EXIT
main "$@"
