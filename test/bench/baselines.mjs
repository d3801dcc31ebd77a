/** The runtimes of a benchmark: both forms of tsrun, and Debian forky's crun and runc. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, realpathSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { loadVmLibrary } from '../../scripts/lib/vm.mjs';

/**
 * Command lines by name. TSRUN_BENCH_PATH, a directory with crun and runc, replaces Debian's.
 *
 * @param against another build of tsrun: an executable or a commit; undefined for none
 */
export async function baselines(work, against) {
  const others = process.env.TSRUN_BENCH_PATH ?? (await fromForky(work));
  return {
    tsrun: [inRoot('build/standalone/tsrun')],
    ...(against !== undefined && { 'tsrun-before': [buildOf(work, against)] }),
    'tsrun-on-node': [inRoot('build/Release/tsrun')],
    crun: [path.join(others, 'crun')],
    runc: [path.join(others, 'runc')],
  };
}

/** An executable as it is; for a commit the one that is built in a worktree. */
function buildOf(work, against) {
  if (existsSync(against)) return path.resolve(against);
  const tree = path.join(work, 'against');
  const git = (...args) => execFileSync('git', args, { cwd: inRoot('.'), stdio: ['ignore', 'ignore', 'inherit'] });
  git('worktree', 'add', '--detach', tree, against);
  try {
    symlinkSync(realpathSync(inRoot('node_modules')), path.join(tree, 'node_modules'));
    execFileSync('node', ['scripts/build.mjs', 'standalone'], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] });
    const built = path.join(work, 'tsrun-against');
    copyFileSync(path.join(tree, 'build/standalone/tsrun'), built);
    return built;
  } finally {
    git('worktree', 'remove', '--force', tree);
  }
}

/** First line of `--version`. */
export function versionOf([command]) {
  return execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n')[0];
}

/**
 * Makes copies that start as fast as installed ones. They are linked to the libraries of their own tree, because this
 * machine's may be too old.
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
