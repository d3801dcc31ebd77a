/** The runtimes of a benchmark: both forms of ours, and crun and runc of Debian forky. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { loadVmLibrary } from '../../scripts/lib/vm.mjs';

/** Command lines by name. TSRUN_BENCH_PATH, a directory with crun and runc, takes the place of Debian's. */
export async function baselines(work) {
  const others = process.env.TSRUN_BENCH_PATH ?? (await fromForky(work));
  return {
    tsrun: [inRoot('build/standalone/tsrun')],
    'tsrun-on-node': [inRoot('build/Release/tsrun')],
    crun: [path.join(others, 'crun')],
    runc: [path.join(others, 'runc')],
  };
}

/** First line of `--version`. */
export function versionOf([command]) {
  return execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n')[0];
}

/**
 * Copies that start as fast as installed ones: they are linked to the libraries of the tree they come from, which this
 * machine's may be too old for.
 */
async function fromForky(work) {
  const { ensureTree } = await loadVmLibrary();
  const tree = await ensureTree('forky', 'engines');
  const libraries = path.join(tree, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
  const loader = path.join(
    tree,
    process.arch === 'arm64' ? 'usr/lib/ld-linux-aarch64.so.1' : 'usr/lib64/ld-linux-x86-64.so.2',
  );
  for (const name of ['crun', 'runc']) {
    const source = ['usr/bin', 'usr/sbin'].map((directory) => path.join(tree, directory, name)).find(existsSync);
    copyFileSync(source, path.join(work, name));
    execFileSync('patchelf', ['--set-interpreter', loader, '--set-rpath', libraries, path.join(work, name)]);
  }
  return work;
}
