/**
 * A place for real engines on a machine that has none: the root tree of a Debian suite, entered as a small machine of
 * its own. enter-tree.sh makes it.
 */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import {
  cgroup2Mount,
  type Result,
  type Running,
  repoRoot,
  requires,
  run,
  runtimePath,
  type Sandbox,
  sandbox,
  waitFor,
} from '../harness/index.ts';
import { ensureTree, type Suite } from '../vm/image.ts';

export type { Suite } from '../vm/image.ts';

/** Milliseconds: the first test builds the tree, or waits for others that build. */
const buildTime = 30 * 60 * 1000;

const runtimesOfTree: Record<string, string> = { crun: '/usr/bin/crun', runc: '/usr/sbin/runc' };

/** The runtime under test as an absolute path, which most engines want: RUNTIME=crun and runc are those of the tree. */
export const engineRuntime = runtimesOfTree[runtimePath] ?? runtimePath;

export interface ProgramOptions {
  /** On top of PATH, HOME=/root and LC_ALL=C.UTF-8, which are all that the host hands in. */
  env?: Record<string, string>;
  /** Written to stdin, which is /dev/null when this is left out. */
  input?: string;
}

/** For `skip`: false, or why there can be no engine tree here. */
export function engineTrees(): string | false {
  if (process.arch !== 'x64') return 'the trees are made for x86-64';
  return requires({ root: true, cgroup2: true, commands: ['apt-get'] });
}

export class EngineTree {
  /** Its directory is there at its own path, and its cgroup is `/` there. */
  readonly sandbox: Sandbox;
  /** As seen from the host. */
  readonly #pid1: number;

  private constructor(box: Sandbox, pid1: number) {
    this.sandbox = box;
    this.#pid1 = pid1;
  }

  /**
   * Makes the place. It ends with the test, with all that runs there, before the sandbox looks for what was left
   * behind: a test removes its containers in a teardown of its own.
   * @param options `parents`: cgroups that the engine makes for its containers' or its own and never removes, the
   *   deepest first, such as `/pods`; what is below them is a leak all the same
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
    t.teardown(() =>
      end(
        holder,
        pid1(),
        ['/engine', ...parents].map((path) => cgroupOf(box) + path),
      ),
    );
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

  /**
   * Runs a program there to its end.
   * @param options `terminal` gives it a pseudo-terminal; stdout then has what is written to it. A hang is cut after
   *   `seconds` (60), with the exit code 137.
   */
  run(command: string[], options: ProgramOptions & { terminal?: boolean; seconds?: number } = {}): Promise<Result> {
    const program = options.terminal ? ['script', '-qec', command.map(quote).join(' '), '/dev/null'] : command;
    const limit = ['timeout', '-s', 'KILL', String(options.seconds ?? 60)];
    const [name = '', ...args] = this.#enter([...limit, ...program]);
    return run(name, args, this.#options(options));
  }

  /** The same for programs that must succeed; gives what they wrote to stdout. */
  async outputOf(command: string[], options: ProgramOptions & { seconds?: number } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, options);
    if (code === 0) return stdout;
    throw new Error(`${command.join(' ')} ended with ${code}: ${stderr || stdout}`);
  }

  /** Starts a daemon there. It ends with the place at the latest. */
  startDaemon(command: string[], options: ProgramOptions = {}): Running {
    const [name = '', ...args] = this.#enter(command);
    return this.sandbox.startProgram(name, args, this.#options(options));
  }

  /** @param path absolute, and without symbolic links: these would be followed on the host */
  readFile(path: string): string {
    return readFileSync(this.#outside(path), 'utf8');
  }

  /** Makes the directories above, too. */
  writeFile(path: string, text: string): void {
    mkdirSync(dirname(this.#outside(path)), { recursive: true });
    writeFileSync(this.#outside(path), text);
  }

  #outside(path: string): string {
    return `/proc/${this.#pid1}/root${path}`;
  }

  #options({ env, input }: ProgramOptions) {
    const fixed = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };
    return { env: { ...fixed, ...env }, ...(input === undefined ? {} : { input }) };
  }

  #enter(command: string[]): string[] {
    const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--net', '--cgroup'];
    const join = `echo 0 >${cgroupOf(this.sandbox)}/engine/cgroup.procs; exec "$@"`;
    return ['bash', '-c', join, 'enter', 'nsenter', '--target', String(this.#pid1), ...namespaces, '--', ...command];
  }
}

/** The end of pid 1 takes all its namespace along, and is over when that is gone. */
async function end(holder: Running, pid1: number, cgroups: string[]): Promise<void> {
  if (pid1 > 0) process.kill(pid1, 'SIGKILL');
  else holder.child.kill('SIGKILL');
  await holder.done;
  for (const cgroup of cgroups) tryToRemove(cgroup);
}

/** One that is in use is for the sandbox to report. */
function tryToRemove(cgroup: string): void {
  try {
    rmdirSync(cgroup);
  } catch (error) {
    if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
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

/** For a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
