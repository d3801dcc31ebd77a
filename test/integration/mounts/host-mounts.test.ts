/**
 * Which of the host's mounts are left behind the root in a container's mount namespace, for each way into it. If there
 * is a whole procfs or sysfs, visible or not, anybody in the container who makes a user namespace can mount another
 * one, writable and without masks (mount_too_revealing() of the kernel).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  inUserNamespace,
  type RunOptions,
  requires,
  run,
  type Sandbox,
  type Spec,
  sandbox,
  waitFor,
} from '../../harness/index.ts';
import { reachableRuntime } from '../../harness/reachable.ts';

const needs = { root: true, userns: true };
const skip = requires(needs);
const skipTsrun = requires({ ...needs, runtime: 'tsrun' });
const skipChroot = requires({ ...needs, runtime: 'tsrun', cgroupDriver: 'cgroupfs', commands: ['unshare', 'chroot'] });

/** Prints for procfs and sysfs whether a user namespace made in the container may mount one. */
const script = [
  'mkdir -p /tmp/m',
  'unshare -Urmpf mount -t proc proc /tmp/m 2>/tmp/why && echo procfs mounted || cat /tmp/why',
  'unshare -Urmn mount -t sysfs sysfs /tmp/m 2>/tmp/why && echo sysfs mounted || cat /tmp/why',
].join('\n');
const refused = 'mount: permission denied (are you root?)\n'.repeat(2);

function tries(edit: (spec: Spec) => void = () => {}) {
  return (spec: Spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    // Without CAP_SETFCAP root could not map any ID.
    spec.process.user = { uid: 1000, gid: 1000 };
    spec.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777'] });
    edit(spec);
  };
}

async function answer(box: Sandbox, flags: string[], edit?: (spec: Spec) => void): Promise<string> {
  const bundle = box.bundle(tries(edit));
  return (await box.runtimeOk(['run', ...flags, '--bundle', bundle.directory, box.newId()], { input: '' })).stdout;
}

for (const flags of [[], ['--no-pivot']]) {
  t.test(`a container${flags.map((flag) => ` with ${flag}`)} sees no procfs but its own`, { skip }, async (t) => {
    t.equal(await answer(sandbox(t), flags), refused);
  });

  t.test(`in a user namespace, too: ${flags}`, { skip: skipTsrun }, async (t) => {
    t.equal(await answer(sandbox(t), flags, inUserNamespace), refused);
  });
}

t.test('--no-pivot where the host’s mounts are shared leaves them alone', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const before = execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' });
  const shared = (spec: Spec) => {
    spec.linux.rootfsPropagation = 'rshared';
  };
  t.equal(await answer(box, ['--no-pivot'], shared), refused);
  t.equal(execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' }), before);
});

/** A root for chroot(2) in a mount namespace of its own, with the whole host below it, as in rescue systems. */
class Chroot {
  readonly directory: string;
  private readonly pid: number;

  private constructor(directory: string, pid: number) {
    this.directory = directory;
    this.pid = pid;
  }

  /** @param isMount whether the new root is a mount point */
  static async make(box: Sandbox, isMount: boolean): Promise<Chroot> {
    const directory = join(box.directory, 'chroot');
    mkdirSync(directory);
    const base = isMount ? [`mount --rbind / ${directory}`] : binds(directory);
    const ready = join(box.directory, 'ready');
    const made = [...base, `touch ${ready}`, 'exec sleep 1000'].join(' && ');
    const holder = box.startProgram('unshare', ['--mount', 'sh', '-c', made]);
    await waitFor('the mounts of the chroot', () => existsSync(ready) || undefined);
    return new Chroot(directory, holder.pid);
  }

  run(args: string[], options: RunOptions = {}) {
    return run('nsenter', [`--mount=/proc/${this.pid}/ns/mnt`, 'chroot', this.directory, ...args], options);
  }
}

/** What the runtime and the bundle need. */
function binds(directory: string): string[] {
  return ['/proc', '/sys', '/dev', '/usr', '/bin', '/lib', '/lib64', '/tmp', '/run', '/var'].map(
    (path) => `mkdir -p ${directory}${path} && mount --rbind ${path} ${directory}${path}`,
  );
}

for (const isMount of [true, false]) {
  for (const flags of [[], ['--no-pivot']]) {
    const name = `${flags} called in a chroot that is ${isMount ? 'a' : 'no'} mount point`;
    t.test(name, { skip: skipChroot }, async (t) => {
      const box = sandbox(t);
      const runtime = reachableRuntime(box.directory);
      const bundle = box.bundle(tries());
      const chroot = await Chroot.make(box, isMount);
      const command = [runtime, '--root', box.root];
      const { stdout, stderr } = await chroot.run([
        ...command,
        'run',
        ...flags,
        '--bundle',
        bundle.directory,
        box.newId(),
      ]);
      t.equal(stdout, refused, stderr);
      bundle.edit((spec) => {
        spec.process.args = ['/bin/sleep', '1000'];
      });
      writeFileSync(join(bundle.rootfs, 'the-container'), '');
      const id = box.newId();
      const detached = ['run', '--detach', ...flags, '--bundle', bundle.directory, id];
      await chroot.run([...command, ...detached], { outputFiles: join(box.directory, 'output') });
      await box.waitForState(id, 'running');
      // From outside the chroot and from inside: exec goes where the container is.
      t.equal((await box.runtimeOk(['exec', id, '/bin/ls', '/the-container'])).stdout, '/the-container\n');
      t.equal((await chroot.run([...command, 'exec', id, '/bin/ls', '/the-container'])).stdout, '/the-container\n');
    });
  }
}
