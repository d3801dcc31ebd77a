/**
 * A place for one test: a temporary directory, a --root for the runtime, and a cgroup of its own. At the end of the
 * test everything is removed, and the test fails if the runtime has left something behind.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Test } from 'tap';
import { Bundle } from './bundle.ts';
import { cgroup2Mount } from './host.ts';
import { removeLeaks } from './leaks.ts';
import { type Result, type Running, type RunOptions, readOutputFiles, run, start, waitFor } from './process.ts';
import { adaptToRuntime, cgroupDriver, runtimePath } from './runtime.ts';
import type { Spec } from './spec.ts';

/** What all runtimes print for `state`. */
export interface State {
  ociVersion: string;
  id: string;
  pid: number;
  status: string;
  bundle: string;
  annotations?: Record<string, string>;
}

export class Sandbox {
  /** The temporary directory, which is removed with all that a test puts there. */
  readonly directory = mkdtempSync(join(tmpdir(), 'tsrun-test-'));
  /** The runtime's --root. */
  readonly root = join(this.directory, 'state');
  /**
   * The directory's name: no other sandbox has it, not even one that an earlier run has left, or one in another pid
   * namespace.
   */
  readonly #name = basename(this.directory);
  /** The parent of the containers' cgroups, relative to the cgroup2 mount. */
  readonly cgroup = `/${this.#name}`;
  #containers = 0;
  readonly #started: Running[] = [];
  /** Global options before every command. */
  private readonly globals = ['--root', this.root, ...(cgroupDriver === 'systemd' ? ['--systemd-cgroup'] : [])];

  constructor(t: Pick<Test, 'teardown'>) {
    mkdirSync(this.root, { mode: 0o700 });
    t.teardown(() => this.#remove());
  }

  /** A new bundle with the default config; its containers' cgroup is below the sandbox's. */
  bundle(edit?: (spec: Spec) => void): Bundle {
    const name = `bundle-${++this.#containers}`;
    const bundle = new Bundle(join(this.directory, name));
    return bundle.edit((spec) => {
      spec.linux.cgroupsPath = this.cgroupsPath(name);
      adaptToRuntime(spec);
      edit?.(spec);
    });
  }

  /** In the form that the driver wants: a path, or slice:prefix:name. */
  private cgroupsPath(name: string): string {
    return cgroupDriver === 'systemd' ? `machine.slice:${this.cgroup.slice(1)}:${name}` : `${this.cgroup}/${name}`;
  }

  /** The directory of the cgroup of a bundle's container, with either driver. */
  cgroupOf({ spec }: Bundle): string {
    const [slice = '', prefix, name] = (spec.linux.cgroupsPath ?? '').split(':');
    return join(cgroup2Mount() ?? '', name === undefined ? slice : `${slice}/${prefix}-${name}.scope`);
  }

  /** A container id that no other test uses at the same time. */
  newId(): string {
    return `${this.#name}-${++this.#containers}`;
  }

  /** Runs the runtime, with --root, to its end: `await sandbox.runtime(['state', id])`. */
  runtime(args: string[], options: RunOptions = {}): Promise<Result> {
    return run(runtimePath, [...this.globals, ...args], options);
  }

  /** The same; throws with its output if it does not exit with 0. */
  async runtimeOk(args: string[], options: RunOptions = {}): Promise<Result> {
    const result = await this.runtime(args, options);
    if (result.code === 0) return result;
    throw new Error(`${args.join(' ')} ended with ${result.code ?? result.signal}: ${result.stderr || result.stdout}`);
  }

  /** Starts the runtime and does not wait, for a `run` that stays. At the latest the sandbox ends it. */
  startRuntime(args: string[], options: RunOptions = {}): Running {
    const running = start(runtimePath, [...this.globals, ...args], options);
    this.#started.push(running);
    return running;
  }

  /** Starts a program of the host. At the latest the sandbox ends it. */
  startProgram(path: string, args: string[], options: RunOptions = {}): Running {
    const running = start(path, args, options);
    this.#started.push(running);
    return running;
  }

  /**
   * `run`s one program in a new container and returns its exit code and output.
   * @param args the program and its arguments, or a script for the container's shell
   */
  async runContainer(args: string[] | string, edit?: (spec: Spec) => void, options?: RunOptions): Promise<Result> {
    const bundle = this.bundle((spec) => {
      spec.process.args = typeof args === 'string' ? ['/bin/sh', '-c', args] : args;
      edit?.(spec);
    });
    return this.runtime(['run', '--bundle', bundle.directory, this.newId()], options);
  }

  /** The same for programs that must succeed; returns their stdout. */
  async outputOf(args: string[] | string, edit?: (spec: Spec) => void): Promise<string> {
    const { code, signal, stdout, stderr } = await this.runContainer(args, edit);
    if (code === 0) return stdout;
    throw new Error(`the container's program ended with ${code ?? signal}: ${stderr || stdout}`);
  }

  /** `create`s a container and returns its id; `globals` go before the command. */
  async create(bundle: Bundle, flags: string[] = [], globals: string[] = []): Promise<string> {
    const id = this.newId();
    await this.runtimeOk([...globals, 'create', ...flags, '--bundle', bundle.directory, id], {
      outputFiles: this.#outputFiles(id),
      // Not /dev/null: in a user namespace runc and crun change its owner for the whole host.
      input: '',
    });
    return id;
  }

  /** Creates and starts a container; returns its id. */
  async createAndStart(bundle: Bundle): Promise<string> {
    const id = await this.create(bundle);
    await this.runtimeOk(['start', id]);
    return id;
  }

  /** Starts a container whose program sleeps for longer than any test. */
  async idle(edit?: (spec: Spec) => void): Promise<{ id: string; bundle: Bundle }> {
    const bundle = this.bundle((spec) => {
      spec.process.args = ['/bin/sleep', '100000'];
      edit?.(spec);
    });
    return { id: await this.createAndStart(bundle), bundle };
  }

  /** The output so far of a container made by `create()`. */
  outputOfCreated(id: string): { stdout: string; stderr: string } {
    return readOutputFiles(this.#outputFiles(id));
  }

  #outputFiles(id: string): string {
    return join(this.directory, id);
  }

  /** The output of `state`. */
  async state(id: string): Promise<State> {
    const { stdout } = await this.runtimeOk(['state', id]);
    return JSON.parse(stdout);
  }

  /** Waits until the container exists and has this status. */
  async waitForState(id: string, status: string): Promise<State> {
    return waitFor(`${id} to be ${status}`, async () => {
      const { code, stdout } = await this.runtime(['state', id]);
      const state: State | undefined = code === 0 ? JSON.parse(stdout) : undefined;
      return state?.status === status ? state : undefined;
    });
  }

  /** Deletes the containers that the test did not delete; only what is left after that is a leak. */
  async #remove(): Promise<void> {
    const refused = new Map<string, string>();
    for (const id of this.#stateEntries()) {
      const { code, stderr } = await this.runtime(['delete', '--force', id]);
      if (code !== 0) refused.set(id, `, and delete --force said: ${stderr.trim()}`);
    }
    await Promise.all(this.#started.map(({ child }) => killAndWait(child)));
    const leaks = this.#stateEntries().map((name) => `state ${name}${refused.get(name) ?? ''}`);
    leaks.push(...(await removeLeaks(this.directory, this.cgroup)));
    rmSync(this.directory, { recursive: true, force: true });
    if (leaks.length > 0) throw new Error(`left behind:\n${leaks.join('\n')}`);
  }

  #stateEntries(): string[] {
    return existsSync(this.root) ? readdirSync(this.root).filter((name) => !name.startsWith('.')) : [];
  }
}

/** Does not wait until its output is closed: a process that it started may have it open, which is found as a leak. */
async function killAndWait(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** The sandbox of this test. */
export function sandbox(t: Test): Sandbox {
  return new Sandbox(t);
}
