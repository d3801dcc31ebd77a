/**
 * The runc runtime of Hadoop YARN. Debian has no Hadoop; this does what its container-executor does according to its
 * sources (hadoop-yarn-server-nodemanager, native/container-executor/impl/runc/{runc,runc_write_config}.c): the
 * config.json of runc_write_config.c, `R run --pid-file P -b B ID` with an empty environment as a child, its exit code
 * as the container's, and signals to the process of the pid file.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { busyboxRootfs, requires, waitFor } from '../harness/index.ts';
import { Docker, dockerd } from './dockerd.ts';
import { engineRuntime } from './engine-place.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';

// crun insists on ociVersion, which YARN does not write.
const skip = engineTrees() || requires({ runtime: ['tsrun', 'runc'] });

const quiet = ['nosuid', 'noexec', 'nodev'];
const standardMounts = [
  { source: 'proc', destination: '/proc', type: 'proc' },
  {
    source: 'tmpfs',
    destination: '/dev',
    type: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    source: 'devpts',
    destination: '/dev/pts',
    type: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { source: 'shm', destination: '/dev/shm', type: 'tmpfs', options: [...quiet, 'mode=1777', 'size=8g'] },
  { source: 'mqueue', destination: '/dev/mqueue', type: 'mqueue', options: quiet },
  { source: 'sysfs', destination: '/sys', type: 'sysfs', options: [...quiet, 'ro'] },
  { source: 'cgroup', destination: '/sys/fs/cgroup', type: 'cgroup', options: [...quiet, 'relatime', 'ro'] },
];

class NodeManager {
  readonly place: EngineTree;
  readonly #bundle: string;
  readonly #id = 'container_e01_1700000000000_0001_01_000002';

  constructor(place: EngineTree) {
    this.place = place;
    this.#bundle = join(place.sandbox.directory, 'nmPrivate');
    mkdirSync(join(this.#bundle, 'work'), { recursive: true });
    // container-executor mounts an overlay of the image's layers elsewhere.
    busyboxRootfs(join(place.sandbox.directory, 'rootfs'));
  }

  /** Writes config.json and starts the container as a child. */
  launch(script: string) {
    writeFileSync(join(this.#bundle, 'config.json'), JSON.stringify(this.#config(script)));
    const run = ['run', '--pid-file', this.pidFile, '-b', this.#bundle, this.#id];
    return this.place.startDaemon(['env', '-i', engineRuntime, ...run]);
  }

  get pidFile(): string {
    return join(this.#bundle, 'container.pid');
  }

  #config(script: string) {
    const work = join(this.#bundle, 'work');
    const bind = { source: work, destination: work, type: 'bind', options: ['rw', 'rbind', 'rprivate'] };
    return {
      runcVersion: '1.0.0',
      hostname: 'node7',
      root: { path: join(this.place.sandbox.directory, 'rootfs'), readonly: true },
      process: {
        args: ['/bin/sh', '-c', script],
        cwd: work,
        env: ['PATH=/bin', 'USER=user'],
        noNewPrivileges: true,
        user: { uid: 1000, gid: 1000, additionalGids: [5] },
      },
      mounts: [...standardMounts, bind],
      linux: {
        cgroupsPath: '/hadoop-yarn',
        resources: { devices: [{ access: 'rwm', allow: false }] },
        namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
        maskedPaths: ['/proc/kcore', '/proc/latency_stats', '/proc/timer_list', '/proc/scsi', '/sys/firmware'],
        readonlyPaths: ['/proc/asound', '/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
      },
    };
  }
}

async function nodeManager(t: Test): Promise<NodeManager> {
  return new NodeManager(await EngineTree.enter(t, { suite: 'forky' }));
}

t.test('a container of YARN runs as its user, and its exit code comes back', { skip }, async (t) => {
  const manager = await nodeManager(t);
  const script = 'pwd; id; hostname; touch /x; head -c 1 /dev/zero >/dev/full; ls /sys/class/net; exit 11';
  const { code, stdout, stderr } = await manager.launch(script).done;
  t.equal(code, 11);
  t.match(stdout, /\/nmPrivate\/work\nuid=1000\(user\) gid=1000\(user\) groups=5\(tty\)\nnode7\nlo\n$/);
  t.match(stderr, /\/x: Read-only file system\n.*No space left on device/s);
  t.match(manager.place.readFile(manager.pidFile), /^\d+$/);
});

t.test('YARN ends a container by signals to the process of the pid file', { skip }, async (t) => {
  const manager = await nodeManager(t);
  const running = manager.launch('trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done');
  await waitFor('the script', () => (running.output.stdout === 'ready\n' ? true : undefined));
  await manager.place.outputOf(['kill', '-TERM', manager.place.readFile(manager.pidFile)]);
  t.match(await running.done, { code: 3, stderr: '' });

  const stubborn = manager.launch('echo ready; sleep 1000');
  await waitFor('the script', () => (stubborn.output.stdout === 'ready\n' ? true : undefined));
  await manager.place.outputOf(['kill', '-KILL', manager.place.readFile(manager.pidFile)]);
  t.match(await stubborn.done, { code: 137, stderr: '' }, 'and the same id can be used again');
});

/** docker-util.c, get_docker_run_command: the words of `docker run` in the same order. */
t.test('the docker runtime of YARN', { skip: engineTrees() || dockerd() }, async (t) => {
  const docker = await Docker.start(t);
  const work = '/tmp/usercache';
  await docker.place.outputOf(['install', '-d', '-o', '1000', '-g', '1000', work]);
  docker.place.writeFile(
    `${work}/launch_container.sh`,
    'id; pwd; echo $A; touch done; grep CapBnd /proc/self/status\n',
  );
  const name = 'container_e01_1700000000000_0001_01_000003';
  const capabilities = ['CHOWN', 'SETGID', 'KILL'].map((capability) => `--cap-add=${capability}`);
  const mounts = ['-v', '/etc/passwd:/etc/passwd:ro', '-v', `${work}:${work}:rw`];
  const words = [
    ...[`--name=${name}`, '--user=1000:1000', '--security-opt=no-new-privileges', '-d', `--workdir=${work}`],
    ...['--net=host', ...mounts, `--cgroup-parent=/hadoop-yarn`, '--cap-drop=ALL', ...capabilities],
    ...['--group-add', '1000', '--group-add', '5', '--env', 'A=b', 'busybox', 'sh', `${work}/launch_container.sh`],
  ];
  await docker.outputOf('run', '--runtime', 'under-test', ...words);
  t.equal(await docker.outputOf('wait', name), '0\n');
  const log = await docker.outputOf('logs', name);
  t.match(
    log,
    /^uid=1000\(user\) gid=1000\(user\) groups=5\(tty\),1000\(user\).*\n\/tmp\/usercache\nb\nCapBnd:\t0{14}61\n$/,
  );
  t.equal(await docker.place.outputOf(['stat', '-c', '%u', `${work}/done`]), '1000\n');
  t.equal(await docker.outputOf('inspect', '--format={{.State.Status}}', name), 'exited\n');
  await docker.outputOf('rm', name);
  await docker.place.outputOf(['rmdir', '/sys/fs/cgroup/hadoop-yarn']);
});
