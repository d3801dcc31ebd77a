/** A place for a real engine: namespaces of its own, in which the host's engines, state and sockets are out of sight. */
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { type Result, repoRoot, run, type Sandbox, waitFor } from '../harness/index.ts';

/**
 * Its pid namespace ends whatever an engine has started, also what made itself a daemon. /run and /dev/shm are empty:
 * engines keep sockets, locks and FIFOs at fixed places there. pid 1 is a shell as it reaps what is orphaned.
 */
const script = `
set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
touch "$1"
sleep infinity & wait
`;

export class EngineNamespace {
  readonly #pid1: string;

  private constructor(pid1: string) {
    this.#pid1 = pid1;
  }

  /** Makes the namespaces; they end, with all that runs there, before the sandbox looks for what was left behind. */
  static async create(t: Test, sandbox: Sandbox): Promise<EngineNamespace> {
    const ready = `${sandbox.directory}/ready`;
    const unshare = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const inside = [`${repoRoot}/scripts/with-cgroup2.sh`, 'bash', '-c', script, 'engine-namespace', ready];
    const holder = sandbox.startProgram('unshare', [...unshare, ...inside]);
    t.teardown(async () => {
      holder.child.kill('SIGKILL');
      await holder.done;
    });
    await waitFor('the namespaces of the engine', () => readIfThere(ready));
    const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8');
    return new EngineNamespace(children.trim());
  }

  /**
   * Runs a program there to its end. A hang is cut after 60 s, with the exit code 137.
   * @param terminal gives it a pseudo-terminal; stdout then has what is written to it
   */
  run(command: string[], options: { terminal?: boolean } = {}): Promise<Result> {
    const program = options.terminal ? ['script', '-qec', command.map(quote).join(' '), '/dev/null'] : command;
    return run('timeout', ['-s', 'KILL', '60', ...this.#enter(), ...program]);
  }

  /** Starts a daemon there. It ends with the namespaces. */
  startDaemon(sandbox: Sandbox, command: string[]): void {
    const [name = '', ...args] = this.#enter();
    sandbox.startProgram(name, [...args, ...command]);
  }

  #enter(): string[] {
    return ['nsenter', '--target', this.#pid1, '--mount', '--pid', '--'];
  }
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
