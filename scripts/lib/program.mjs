/** Runs programs in test/ that are not tests: bundles them, and gives crun and runc a cgroup2 mount of their own. */
import { spawnSync } from 'node:child_process';
import { bundleProgram } from './bundle.mjs';
import { inRoot, root } from './paths.mjs';

/** Ends with its exit code. @param {string} file of test/, which gets the arguments of this command */
export async function runProgram(file) {
  await bundleProgram(file);
  const built = inRoot('build', file.replace(/\.ts$/, '.mjs'));
  const command = [process.execPath, '--enable-source-maps', built, ...process.argv.slice(2)];
  const [program = '', ...args] = isTsrun() ? command : [inRoot('scripts/with-cgroup2.sh'), ...command];
  // It costs every start of node 60 ms, and nothing here uses the network.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  process.exit(spawnSync(program, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1);
}

/** tsrun needs no such mount: it knows the v1 hierarchies of a hybrid host. */
function isTsrun() {
  return ['', 'tsrun', inRoot('build/Release/tsrun')].includes(process.env.RUNTIME ?? '');
}
