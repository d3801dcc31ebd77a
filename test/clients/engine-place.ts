/** A place where engines run, natively or in the VM: what tests do there is the same. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Result, type Running, run, runtimePath, type Sandbox } from '../harness/index.ts';

/** Only the VM's image has it, so no engine of a real machine is ever touched. */
export const markOfTheVm = '/usr/lib/tsrun-vm/job';

const runtimesOfTree: Record<string, string> = { crun: '/usr/bin/crun', runc: '/usr/sbin/runc' };

/** The runtime under test as an absolute path, which most engines want: RUNTIME=crun and runc are those of the tree. */
export const engineRuntime = runtimesOfTree[runtimePath] ?? runtimePath;

export interface ProgramOptions {
  /** On top of PATH, HOME=/root and LC_ALL=C.UTF-8, which are all that the host hands in. */
  env?: Record<string, string>;
  /** Written to stdin, which is /dev/null when this is left out. */
  input?: string;
}

/** Seconds for one program; like the waits of tests (harness/process.ts) it only turns a hang into words. */
const patience = 240;
/** Of timeout(1), which kills itself, too. */
const killed = 137;

export abstract class EnginePlace {
  /** Its directory is there at its own path. */
  readonly sandbox: Sandbox;

  constructor(box: Sandbox) {
    this.sandbox = box;
  }

  /** A command of the host that runs this one there. */
  protected abstract enter(command: string[]): string[];

  /** A command that runs this one in a pseudo-terminal, and writes to stdout what is written to it. */
  protected inTerminal(command: string[]): string[] {
    return ['script', '-qec', command.map(quote).join(' '), '/dev/null'];
  }

  /** The path by which the host reaches this one. */
  abstract pathOutside(path: string): string;

  /**
   * Runs a program there to its end.
   * @param options `terminal` gives it a pseudo-terminal; stdout then has what is written to it. A hang is cut after
   *   `seconds`, and thrown.
   */
  async run(
    command: string[],
    options: ProgramOptions & { terminal?: boolean; seconds?: number } = {},
  ): Promise<Result> {
    const program = options.terminal ? this.inTerminal(command) : command;
    const { seconds = patience } = options;
    const [name = '', ...args] = this.enter(['timeout', '-s', 'KILL', String(seconds), ...program]);
    const started = performance.now();
    // With time for timeout(1) itself to begin.
    const result = await run(name, args, { ...this.#options(options), seconds: seconds + patience });
    // timeout(1) kills its process group, itself included. A program can end with the same code by itself.
    const isCut = result.signal === 'SIGKILL' || result.code === killed;
    if (isCut && performance.now() - started >= seconds * 1000)
      throw new Error(`${command.join(' ')} did not end within ${seconds} s: ${result.stderr || result.stdout}`);
    return result;
  }

  /** The same for programs that must succeed; gives what they wrote to stdout. */
  async outputOf(command: string[], options: ProgramOptions & { seconds?: number } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, options);
    if (code === 0) return stdout;
    throw new Error(`${command.join(' ')} ended with ${code}: ${stderr || stdout}`);
  }

  /** Starts a daemon there. It ends with the place at the latest. */
  startDaemon(command: string[], options: ProgramOptions = {}): Running {
    const [name = '', ...args] = this.enter(command);
    return this.sandbox.startProgram(name, args, this.#options(options));
  }

  /** @param path absolute, and without symbolic links: these would be followed on the host */
  readFile(path: string): string {
    return readFileSync(this.pathOutside(path), 'utf8');
  }

  /** Makes the directories above, too. @param mode as in chmod(1), for scripts */
  writeFile(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.pathOutside(path)), { recursive: true });
    writeFileSync(this.pathOutside(path), text, { mode });
  }

  #options({ env, input }: ProgramOptions) {
    const fixed = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };
    return { env: { ...fixed, ...env }, ...(input === undefined ? {} : { input }) };
  }
}

/** For a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
