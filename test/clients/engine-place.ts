/** A place where engines run, outside or inside the VM: tests do the same in both. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Result, type Running, run, runtimePath, type Sandbox } from '../harness/index.ts';

const runtimesOfTree: Record<string, string> = { crun: '/usr/bin/crun', runc: '/usr/sbin/runc' };

/** The runtime under test as an absolute path, which most engines need. RUNTIME=crun and runc are those of the tree. */
export const engineRuntime = runtimesOfTree[runtimePath] ?? runtimePath;

export interface ProgramOptions {
  /** Added to PATH, HOME=/root and LC_ALL=C.UTF-8; nothing else comes from the host. */
  env?: Record<string, string>;
  /** Written to stdin, which is /dev/null if this is left out. */
  input?: string;
}

/** Seconds for one program; like the waits of tests (harness/process.ts) it only turns a hang into an error. */
const patience = 240;
/** The exit code of timeout(1) with SIGKILL, which kills itself, too. */
const killed = 137;

export abstract class EnginePlace {
  /** Its directory has the same path in the place. */
  readonly sandbox: Sandbox;

  constructor(box: Sandbox) {
    this.sandbox = box;
  }

  /** A command on the host that runs this one in the place. */
  protected abstract enter(command: string[]): string[];

  /** A command that runs this one in a pseudo-terminal, and copies its output to stdout. */
  protected inTerminal(command: string[]): string[] {
    return ['script', '-qec', command.map(quote).join(' '), '/dev/null'];
  }

  /** The path on the host of this path in the place. */
  abstract pathOutside(path: string): string;

  /**
   * Runs a program in the place to its end.
   * @param options `terminal` gives it a pseudo-terminal, whose output is in stdout. A hang is cut after
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
    // Includes time for timeout(1) itself to start.
    const result = await run(name, args, { ...this.#options(options), seconds: seconds + patience });
    // timeout(1) kills its process group, including itself. A program can end with the same code by itself.
    const isCut = result.signal === 'SIGKILL' || result.code === killed;
    if (isCut && performance.now() - started >= seconds * 1000)
      throw new Error(`${command.join(' ')} did not end within ${seconds} s: ${result.stderr || result.stdout}`);
    return result;
  }

  /** The same for programs that must succeed; returns their stdout. */
  async outputOf(command: string[], options: ProgramOptions & { seconds?: number } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, options);
    if (code === 0) return stdout;
    throw new Error(`${command.join(' ')} ended with ${code}: ${stderr || stdout}`);
  }

  /** Starts a daemon in the place. It ends with the place at the latest. */
  startDaemon(command: string[], options: ProgramOptions = {}): Running {
    const [name = '', ...args] = this.enter(command);
    return this.sandbox.startProgram(name, args, this.#options(options));
  }

  /** @param path absolute and without symbolic links, which would be followed on the host */
  readFile(path: string): string {
    return readFileSync(this.pathOutside(path), 'utf8');
  }

  /** Makes the directories above it, too. @param mode as in chmod(1), for scripts */
  writeFile(path: string, text: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.pathOutside(path)), { recursive: true });
    writeFileSync(this.pathOutside(path), text, { mode });
  }

  #options({ env, input }: ProgramOptions) {
    const fixed = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };
    return { env: { ...fixed, ...env }, ...(input === undefined ? {} : { input }) };
  }
}

/** Quotes a word for a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
