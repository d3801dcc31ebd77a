#!/bin/bash
# limited-container.sh RUNTIME [GLOBAL_FLAG...]: runs a busybox container with a memory limit of 64 MiB that prints the
# limit as it sees it from inside.
set -euo pipefail

bundle=$(mktemp -d)
mkdir -p "$bundle/rootfs/bin"
cp /bin/busybox "$bundle/rootfs/bin/busybox"
runc spec --bundle "$bundle"

python3 - "$bundle/config.json" <<'EOF'
import json
import sys

path = sys.argv[1]
spec = json.load(open(path))
spec["process"]["terminal"] = False
spec["process"]["args"] = ["/bin/busybox", "cat", "/sys/fs/cgroup/memory.max"]
spec["linux"]["resources"]["memory"] = {"limit": 64 << 20}
json.dump(spec, open(path, "w"))
EOF

exec "$@" run --bundle "$bundle" "limited-$$" </dev/null
