/** A dockerd of its own, outside or inside the VM. All its runtimes, BuildKit's too, are the runtime under test. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { isInVm, type Result, type Running, requires, runtimeName, waitFor } from '../harness/index.ts';
import { type EnginePlace, engineRuntime } from './engine-place.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';
import { EngineVm } from './engine-vm.ts';
import { rootfsArchive } from './image.ts';
import { installShim, shimType } from './resident-shim.ts';

const isUserModeLinux = readFileSync('/proc/cpuinfo', 'utf8').includes('User Mode Linux');

/** dockerd sets io.weight even if not asked to, and crun fails without its controller. */
const controllers = runtimeName === 'crun' ? ['io'] : [];

/** For `skip`: false, or why dockerd cannot run here. */
export function dockerd(): string | false {
  return isInVm ? false : engineTrees() || requires({ controllers });
}

/** The same for tests of networks. */
export function dockerdNetworks(): string | false {
  return isUserModeLinux ? 'needs NAT, which the kernel of this VM has not' : dockerd();
}

/** daemon.json. Only the VM has systemd. */
const config = {
  runtimes: { 'under-test': { path: engineRuntime } },
  'default-runtime': 'under-test',
  'storage-driver': 'overlay2',
  'exec-opts': [`native.cgroupdriver=${isInVm ? 'systemd' : 'cgroupfs'}`],
  ip6tables: false,
  ...(isUserModeLinux ? { iptables: false, bridge: 'none' } : {}),
};

const imageName = 'busybox';

export class Docker {
  readonly place: EnginePlace;
  readonly #path: string;
  readonly #archive: string;
  #daemon: Running | undefined;

  private constructor(place: EnginePlace) {
    this.place = place;
    this.#path = join(place.sandbox.directory, 'bin');
    this.#archive = rootfsArchive(place.sandbox.directory);
  }

  /**
   * Starts a daemon that has the image `busybox`. At the end of the test its containers are removed.
   * @param settings of daemon.json
   * @param options `shim`: runs containers with the resident shim
   */
  static async start(t: Test, settings: object = {}, { shim = false } = {}): Promise<Docker> {
    const place = isInVm
      ? EngineVm.enter(t)
      : await EngineTree.enter(t, { suite: 'forky', parents: ['/docker/buildkit', '/docker'] });
    const docker = new Docker(place);
    docker.#installAsRunc();
    if (shim) installShim(place);
    const runtimes = shim ? { runtimes: { 'under-test': { runtimeType: shimType } } } : {};
    place.writeFile('/etc/docker/daemon.json', JSON.stringify({ ...config, ...runtimes, ...settings }));
    // dockerd starts a containerd of its own unless this file exists. One that was killed in this VM leaves it behind.
    await place.outputOf(['rm', '-f', '/run/containerd/containerd.sock']);
    await docker.startDaemon();
    t.teardown(() => docker.#remove());
    await docker.outputOf('import', docker.#archive, imageName);
    return docker;
  }

  /** dockerd's BuildKit does not know runtimes: it runs the `runc` in its PATH. */
  #installAsRunc(): void {
    mkdirSync(this.#path);
    symlinkSync(engineRuntime, join(this.#path, 'runc'));
  }

  async startDaemon(): Promise<void> {
    const env = { PATH: `${this.#path}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin` };
    const daemon = this.place.startDaemon(['dockerd'], { env });
    this.#daemon = daemon;
    await waitFor('dockerd to answer', async () => {
      if (daemon.child.exitCode !== null)
        throw new Error(`dockerd: ${daemon.output.stderr.split('\n').slice(-3).join('\n')}`);
      return (await this.docker('version')).code === 0 ? true : undefined;
    });
  }

  /** @param signal the signal for dockerd; with live-restore its containers stay */
  async stopDaemon(signal: 'TERM' | 'KILL'): Promise<void> {
    await this.place.outputOf(['sh', '-c', `kill -${signal} $(cat /run/docker.pid)`]);
    await this.#daemon?.done;
  }

  docker(...args: string[]): Promise<Result> {
    return this.place.run(['docker', ...args]);
  }

  dockerOnTerminal(...args: string[]): Promise<Result> {
    return this.place.run(['docker', ...args], { terminal: true });
  }

  /** Runs docker, which must succeed; returns its stdout. */
  outputOf(...args: string[]): Promise<string> {
    return this.place.outputOf(['docker', ...args]);
  }

  /** `docker run --rm`, without a network. */
  run(flags: string[], ...args: string[]): Promise<Result> {
    return this.docker(...this.runArguments(['--rm', ...flags], ...args));
  }

  runArguments(flags: string[], ...args: string[]): string[] {
    const network = flags.some((flag) => flag === '--network') ? [] : ['--network', 'none'];
    return ['run', ...network, ...flags, imageName, ...args];
  }

  /** Starts a container that stays until the test removes it or ends. */
  async detach(flags: string[], name: string, ...args: string[]): Promise<void> {
    await this.outputOf(...this.runArguments(['--detach', '--name', name, ...flags], ...args));
  }

  /** @param template such as `.State.Status` */
  async inspect(name: string, template: string): Promise<string> {
    return (await this.outputOf('inspect', '--format', `{{${template}}}`, name)).trim();
  }

  /** Builds a Dockerfile with BuildKit, without a network. */
  build(dockerfile: string, flags: string[] = []): Promise<Result> {
    const fixed = ['build', '--network', 'none', '--progress', 'plain', ...flags, '-'];
    return this.place.run(['docker', ...fixed], { input: dockerfile });
  }

  async #remove(): Promise<void> {
    const names = (await this.outputOf('ps', '--all', '--quiet')).split('\n').filter((name) => name !== '');
    if (names.length > 0) await this.outputOf('rm', '--force', ...names);
    await this.stopDaemon('TERM');
  }
}
