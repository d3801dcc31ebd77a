#!/usr/bin/env bash
# `npm run bench`: installs the runtimes to compare with, builds both forms of the command, and measures in a mount
# namespace of its own with cgroup2 at /sys/fs/cgroup, as all of them expect it.
set -euo pipefail
cd "$(dirname "$0")/.."
unset NODE_EXTRA_CA_CERTS
bash scripts/setup.sh build demo bench >&2
node scripts/build.mjs >&2
exec bash scripts/with-cgroup2.sh node test/bench/bench.mjs "$@"
