/** The runtimes of a benchmark: ours, and those of others that are installed. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const top = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Command lines by name. TSRUN_BENCH_PATH holds directories to look for crun and runc in before PATH. */
export function baselines() {
  const found = { node: [path.join(top, 'build/Release/tsrun')] };
  const standalone = path.join(top, 'build/standalone/tsrun');
  if (existsSync(standalone)) found.tsrun = [standalone];
  for (const name of ['crun', 'runc']) {
    const place = which(name);
    if (place !== undefined) found[name] = [place];
  }
  return found;
}

/** First line of `--version`. */
export function versionOf([command]) {
  return execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n')[0];
}

function which(name) {
  const directories = [...(process.env.TSRUN_BENCH_PATH ?? '').split(':'), ...(process.env.PATH ?? '').split(':')];
  return directories
    .filter(Boolean)
    .map((directory) => path.join(directory, name))
    .find((file) => existsSync(file));
}
