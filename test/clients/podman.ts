/** podman and conmon, with the runtime under test in their containers.conf. */
import t, { type Test } from 'tap';
import type { Result } from '../harness/index.ts';
import { type EnginePlace, engineRuntime } from './engine-place.ts';
import { EngineTree, engineTrees, type Suite, suites } from './engine-tree.ts';
import { rootfsArchive } from './image.ts';

/** Without systemd, a journal, a network and the pids controller; ulimits that need no CAP_SYS_RESOURCE. */
const containersConf = `
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime_supports_json = ["under-test"]
runtime_supports_nocgroup = ["under-test"]
[engine.runtimes]
under-test = ["${engineRuntime}"]
[containers]
log_driver = "k8s-file"
netns = "none"
pids_limit = 0
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
`;

/** podman makes these for its containers and monitors, and never removes them. */
export const parents = ['/pods/conmon', '/pods', '/libpod_parent/conmon', '/libpod_parent'];

export class Podman {
  readonly place: EnginePlace;
  /** podman and its global flags. */
  readonly command = ['podman', '--storage-driver', 'vfs', '--runtime', 'under-test'];

  private constructor(place: EnginePlace) {
    this.place = place;
  }

  /** Makes a podman with a store of its own that has the image `busybox`. */
  static async create(t: Test, suite: Suite): Promise<Podman> {
    return Podman.createIn(t, await EngineTree.enter(t, { suite, parents }));
  }

  static async createIn(t: Test, place: EnginePlace): Promise<Podman> {
    const configuration = '/etc/containers/containers.conf';
    place.writeFile(configuration, containersConf);
    const podman = new Podman(place);
    t.teardown(async () => {
      await podman.podman('rm', '--force', '--all', '--time', '0');
      // The VM is used by others, too.
      await place.run(['rm', configuration]);
    });
    const { code, stderr } = await podman.podman('import', rootfsArchive(place.sandbox.directory), 'busybox');
    if (code !== 0) throw new Error(`podman import: ${stderr}`);
    return podman;
  }

  podman(...args: string[]): Promise<Result> {
    return this.place.run([...this.command, ...args]);
  }

  /** The same for commands that must succeed; returns their stdout. */
  async outputOf(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.podman(...args);
    if (code === 0) return stdout;
    throw new Error(`podman ${args.join(' ')} ended with ${code}: ${stderr}`);
  }

  /** `podman run --rm`. */
  run(flags: string[], ...args: string[]): Promise<Result> {
    return this.podman(...this.runArguments(['--rm', ...flags], ...args));
  }

  runOnTerminal(flags: string[], ...args: string[]): Promise<Result> {
    const command = [...this.command, ...this.runArguments(['--rm', '--tty', ...flags], ...args)];
    return this.place.run(command, { terminal: true });
  }

  runArguments(flags: string[], ...args: string[]): string[] {
    return ['run', '--network', 'none', '--cgroup-parent', '/pods', ...flags, 'busybox', ...args];
  }
}

/** Tests each suite's podman. `skip` says why there can be none here. */
export function podmanTest(
  name: string,
  work: (t: Test, podman: Podman) => Promise<void>,
  skip: string | false = engineTrees(),
): void {
  for (const suite of suites) {
    t.test(`${name}, in ${suite}`, { skip }, async (t) => work(t, await Podman.create(t, suite)));
  }
}
