/**
 * A place for real engines on a machine that has none: the root tree of a Debian suite, entered as a small machine of
 * its own (enter-tree.sh).
 */
import { copyFileSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import {
  cgroup2Mount,
  cHelper,
  isInVm,
  type Running,
  repoRoot,
  requires,
  type Sandbox,
  sandbox,
  waitFor,
} from '../harness/index.ts';
import { ensureTree, type Suite } from '../vm/image.ts';
import { EnginePlace } from './engine-place.ts';

export { type Suite, suites } from '../vm/image.ts';

/** Milliseconds: the first test builds the tree, or waits for others that build it. */
const buildTime = 50 * 60 * 1000;

/** For `skip`: false, or why there can be no engine tree here. */
export function engineTrees(): string | false {
  if (isInVm) return 'runs on the machine itself';
  if (process.arch !== 'x64') return 'the trees are made for x86-64';
  return requires({ root: true, cgroup2: true, commands: ['apt-get'] });
}

export class EngineTree extends EnginePlace {
  /** The pid on the host. */
  readonly #pid1: number;

  /**
   * script(1) stops itself if its child is stopped; this program comes from the host, through the sandbox's directory.
   */
  protected override inTerminal(command: string[]): string[] {
    const program = join(this.sandbox.directory, 'terminal');
    copyFileSync(cHelper('terminal'), program);
    return [program, ...command];
  }

  private constructor(box: Sandbox, pid1: number) {
    super(box);
    this.#pid1 = pid1;
  }

  /**
   * Makes the place. It ends with the test and all that runs in it, before the sandbox looks for leaks: a test removes
   * its containers in a teardown of its own.
   * @param options `parents`: cgroups that the engine makes for its containers or itself and never removes, the
   *   deepest first, such as `/pods`; what is below them still is a leak
   */
  static async enter(t: Test, options: { suite: Suite; parents?: string[] }): Promise<EngineTree> {
    const { suite, parents = [] } = options;
    const tree = await withoutTimeout(t, () => ensureTree(suite, 'engines'));
    const box = sandbox(t);
    const script = join(repoRoot, 'test/clients/enter-tree.sh');
    const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--net', '--propagation', 'private'];
    const place = [tree, box.directory, cgroupOf(box), repoRoot];
    const holder = box.startProgram('unshare', [...namespaces, '--fork', '--kill-child', script, ...place]);
    const pid1 = () => Number(readIfThere(`/proc/${holder.pid}/task/${holder.pid}/children`));
    const cgroups = ['/engine', ...parents].map((path) => cgroupOf(box) + path);
    t.teardown(() => end(holder, pid1(), cgroups));
    let failure: string | undefined;
    holder.done.then(({ stderr }) => {
      failure = stderr;
    });
    await waitFor(`the tree of ${suite}`, () => {
      if (failure !== undefined) throw new Error(`enter-tree.sh: ${failure}`);
      return readIfThere(`${box.directory}/ready`);
    });
    return new EngineTree(box, pid1());
  }

  pathOutside(path: string): string {
    return `/proc/${this.#pid1}/root${path}`;
  }

  protected enter(command: string[]): string[] {
    const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--net', '--cgroup'];
    const join = `echo 0 >${cgroupOf(this.sandbox)}/engine/cgroup.procs; exec "$@"`;
    return ['bash', '-c', join, 'enter', 'nsenter', '--target', String(this.#pid1), ...namespaces, '--', ...command];
  }
}

/** With pid 1 its whole namespace ends; the end is complete once that is gone. */
async function end(holder: Running, pid1: number, cgroups: string[]): Promise<void> {
  if (pid1 > 0) process.kill(pid1, 'SIGKILL');
  else holder.child.kill('SIGKILL');
  await holder.done;
  // The nsenter processes outside end once they see that their children have ended.
  for (const cgroup of cgroups) await waitFor(`${cgroup} to be empty`, () => isRemoved(cgroup));
}

/** The sandbox reports what is below it. */
function isRemoved(cgroup: string): true | undefined {
  const { populated } = readIfThere(`${cgroup}/cgroup.events`)?.match(/populated (?<populated>.)/)?.groups ?? {};
  if (populated === '1') return undefined;
  try {
    rmdirSync(cgroup);
  } catch (error) {
    if (!['ENOENT', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return true;
}

function cgroupOf(box: Sandbox): string {
  return `${cgroup2Mount()}${box.cgroup}`;
}

async function withoutTimeout<T>(t: Test, work: () => Promise<T>): Promise<T> {
  const usual = t.options.timeout;
  t.setTimeout(buildTime);
  const result = await work();
  if (usual !== undefined) t.setTimeout(usual);
  return result;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
