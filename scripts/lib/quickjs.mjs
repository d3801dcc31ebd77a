/** The sources of QuickJS (bellard.org/quickjs, MIT), the engine of the standalone executable, from Debian's archive. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fail, inRoot } from './paths.mjs';

const version = '2025.04.26';
const sha256 = 'ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe';
const archive = `quickjs_${version}.orig.tar.xz`;
const url = `http://deb.debian.org/debian/pool/main/q/quickjs/${archive}`;

/** Downloads and unpacks them once; gives their directory. apt's own helper goes through the machine's proxy settings. */
export function quickjsSources() {
  const directory = inRoot('build/quickjs', `quickjs-${version}`);
  if (existsSync(directory)) return directory;
  const cache = inRoot('build/quickjs');
  const partial = path.join(cache, 'partial');
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  run('/usr/lib/apt/apt-helper', ['download-file', url, path.join(partial, archive), `SHA256:${sha256}`]);
  check(path.join(partial, archive));
  run('tar', ['-xJf', path.join(partial, archive), '-C', partial]);
  renameSync(path.join(partial, `quickjs-${version}`), directory);
  rmSync(partial, { recursive: true });
  return directory;
}

/** apt-helper has compared it already; that it did is worth a line. */
function check(file) {
  const found = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (found !== sha256) fail(`${url} is not what it was: SHA-256 ${found}`);
}

function run(program, args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return;
  fail(
    `the sources of QuickJS cannot be had: ${program} ${args.join(' ')}:\n${error?.message ?? `${stdout}${stderr}`}`,
  );
}
