/**
 * The standalone executable without a dynamic linker, as on a distribution with another libc. Here a mount covers it.
 */
import { join } from 'node:path';
import t from 'tap';
import { type Result, repoRoot, requires, run, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const standalone = join(repoRoot, 'build/standalone/tsrun');
const linker = process.arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2';
const skip = requires({ root: true, runtime: 'tsrun', files: [standalone, linker] });

function runWithoutLinker(box: Sandbox, ...args: string[]): Promise<Result> {
  const script = 'mount --bind /dev/null "$0" && exec "$@"';
  const command = [standalone, '--root', box.root, ...args];
  return run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, linker, ...command]);
}

async function runContainer(box: Sandbox, edit?: (spec: Spec) => void): Promise<Result> {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['echo', 'here'];
    edit?.(spec);
  });
  return runWithoutLinker(box, 'run', '--bundle', bundle.directory, box.newId());
}

t.test('a container runs', { skip }, async (t) => {
  const { code, stdout, stderr } = await runContainer(sandbox(t));
  t.strictSame({ code, stdout, stderr }, { code: 0, stdout: 'here\n', stderr: '' });
});

t.test('a profile is compiled', { skip }, async (t) => {
  const { code, stderr } = await runContainer(sandbox(t), (spec) => {
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['dup'], action: 'SCMP_ACT_LOG' }] };
  });
  t.strictSame({ code, stderr }, { code: 0, stderr: '' });
});
