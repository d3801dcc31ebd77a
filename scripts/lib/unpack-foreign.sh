#!/bin/bash
# unpack-foreign.sh ARCHITECTURE OUT PACKAGE...: unpacks Debian packages of another architecture to the directory OUT,
# once. apt works with package lists of its own, from this machine's mirrors: the machine itself keeps its one
# architecture.
set -euo pipefail

architecture=$1
out=$2
shift 2
[[ ! -d $out ]] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,archives}/partial "$work"/{debs,tree}
options=(
  -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture"
  -o "Dir::State::lists=$work/lists" -o Dir::State::status=/dev/null -o "Dir::Cache=$work"
  -o Acquire::Languages=none -o Acquire::Retries=5 -o APT::Sandbox::User=root
)
echo "setup: unpacking Debian packages for $architecture: $*"
apt-get -qq "${options[@]}" update >&2
(cd "$work/debs" && apt-get -qq "${options[@]}" download "$@" >&2)
for package in "$work"/debs/*.deb; do dpkg-deb --extract "$package" "$work/tree"; done
mkdir -p "$(dirname "$out")"
# Renamed at the end, so that an existing directory is complete.
cp -r "$work/tree" "$out.partial"
mv "$out.partial" "$out"
