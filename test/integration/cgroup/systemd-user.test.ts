/** --systemd-cgroup of an ordinary user: the user's own systemd makes the scope, over the user's bus. */
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Result, requires, run, runtimePath, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({
  root: true,
  runtime: 'tsrun',
  // The ordinary user that the VM's image has.
  files: ['/run/systemd/system', '/home/user'],
  controllers: ['memory', 'pids'],
});

const uid = 1000;
const dropIn = '/run/systemd/system/user@.service.d/tsrun-test.conf';

/** The user, with a systemd of its own that has the controllers, and a bundle. */
class BusUser {
  readonly bundle: string;
  private readonly box: Sandbox;
  private commands = 0;

  private constructor(box: Sandbox) {
    this.box = box;
    this.bundle = box.bundle().directory;
  }

  static async start(t: Test): Promise<BusUser> {
    mkdirSync(join(dropIn, '..'), { recursive: true });
    writeFileSync(dropIn, '[Service]\nDelegate=cpu io memory pids\n');
    for (const args of [['daemon-reload'], ['start', `user@${uid}.service`]]) {
      const { code, stderr } = await run('systemctl', args);
      if (code !== 0) throw new Error(`systemctl ${args.join(' ')}: ${stderr}`);
    }
    const box = sandbox(t);
    const user = new BusUser(box);
    await run('chmod', ['711', box.directory]);
    await run('chown', ['-R', `${uid}:${uid}`, user.bundle]);
    chownSync(box.root, uid, uid);
    return user;
  }

  async configure(edit: (spec: Spec) => void): Promise<void> {
    await run('rm', ['-f', join(this.bundle, 'config.json')]);
    await this.ok([runtimePath, 'spec', '--rootless', '--bundle', this.bundle]);
    const path = join(this.bundle, 'config.json');
    const spec: Spec = JSON.parse(readFileSync(path, 'utf8'));
    spec.process.terminal = false;
    spec.process.args = ['sleep', '1000'];
    edit(spec);
    writeFileSync(path, JSON.stringify(spec));
  }

  /** Adds `variables` to an environment that names the user's bus, as after a login. */
  as(command: string[], variables: Record<string, string> = {}): Promise<Result> {
    const session = { HOME: '/home/user', USER: 'user', XDG_RUNTIME_DIR: `/run/user/${uid}`, ...variables };
    const assignments = Object.entries(session).map(([name, value]) => `${name}=${value}`);
    const identity = ['--reuid', String(uid), '--regid', String(uid), '--init-groups'];
    // `create` passes its output on to the container.
    const outputFiles = join(this.box.directory, `output-${++this.commands}`);
    return run('setpriv', [...identity, 'env', ...assignments, ...command], { outputFiles });
  }

  async ok(command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.as(command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr}`);
    return stdout.trim();
  }

  tsrun(...args: string[]): Promise<string> {
    return this.ok([runtimePath, '--root', this.box.root, '--systemd-cgroup', ...args]);
  }

  refused(args: string[], variables: Record<string, string>): Promise<Result> {
    return this.as([runtimePath, '--root', this.box.root, '--systemd-cgroup', ...args], variables);
  }
}

/** The cgroup that the init process is in. */
function cgroupOf(state: string): string {
  const { pid } = JSON.parse(state) as { pid: number };
  return `/sys/fs/cgroup${readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().replace('0::', '')}`;
}

t.test('a scope of the user’s systemd holds the container, with its limits', { skip }, async (t) => {
  const user = await BusUser.start(t);
  await user.configure((spec) => {
    spec.linux.resources = { memory: { limit: 67_108_864 }, pids: { limit: 33 } };
  });
  await user.tsrun('run', '--detach', '--bundle', user.bundle, 'box');
  const cgroup = cgroupOf(await user.tsrun('state', 'box'));
  t.match(cgroup, new RegExp(`/user@${uid}\\.service/user\\.slice/tsrun-box\\.scope$`));
  const file = (name: string) => readFileSync(join(cgroup, name), 'utf8').trim();
  const property = (name: string) =>
    user.ok(['systemctl', '--user', 'show', '--value', '--property', name, 'tsrun-box.scope']);
  t.strictSame([file('memory.max'), file('pids.max')], ['67108864', '33']);
  t.strictSame([await property('MemoryMax'), await property('TasksMax')], ['67108864', '33']);

  await user.tsrun('update', '--memory', '32M', 'box');
  t.strictSame([file('memory.max'), await property('MemoryMax')], ['33554432', '33554432']);
  await user.tsrun('pause', 'box');
  t.match(await user.tsrun('state', 'box'), '"status": "paused"');
  await user.tsrun('resume', 'box');

  await user.tsrun('delete', '--force', 'box');
  t.notOk(existsSync(cgroup));
  t.equal(await property('LoadState'), 'not-found', 'no unit is left, not even a failed one');
});

t.test('without a bus the error says which one is missing', { skip }, async (t) => {
  const user = await BusUser.start(t);
  await user.configure(() => {});
  const { code, stderr } = await user.refused(['run', '--bundle', user.bundle, 'box'], {
    XDG_RUNTIME_DIR: '/run/no-such-directory',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/no-such-bus',
  });
  t.equal(code, 1);
  t.match(stderr, /systemd: .*bus/i);
});
