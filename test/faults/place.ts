/**
 * The place where the cases of a scenario run one after another. It looks for itself at what there is, and does not ask
 * the runtime.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from '../harness/bundle.ts';
import { parseMountInfo } from '../harness/host.ts';
import { belongs, isAlive, removeCgroup } from '../harness/leaks.ts';
import { type Result, sleep } from '../harness/process.ts';
import type { Sandbox, State } from '../harness/sandbox.ts';

/** Tries, 20 ms each, until nothing is left of what was killed or has ended. */
const triesToSettle = 250;

export class Place {
  readonly box: Sandbox;
  readonly bundle: Bundle;
  readonly id: string;
  readonly #cgroup: string;
  #before = new Set<string>();

  constructor(box: Sandbox, bundle: Bundle) {
    this.box = box;
    this.bundle = bundle;
    this.id = box.newId();
    this.#cgroup = box.cgroupOf(bundle);
  }

  runtime(args: string[]): Promise<Result> {
    // Files, because processes that stay running have its output.
    return this.box.runtime(args, { outputFiles: join(this.box.directory, 'uninjected') });
  }

  async ok(...args: string[]): Promise<void> {
    const { code, stderr } = await this.runtime(args);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
  }

  /** The result of `state`, or its error. */
  async state(): Promise<State | string> {
    const { code, stdout, stderr } = await this.runtime(['state', this.id]);
    if (code !== 0) return stderr.trim();
    try {
      return JSON.parse(stdout);
    } catch {
      return `no JSON: ${stdout}`;
    }
  }

  /** The text of a file in the container's cgroup; empty if there is none. */
  cgroupFile(name: string): string {
    try {
      return readFileSync(join(this.#cgroup, name), 'utf8').trim();
    } catch {
      return '';
    }
  }

  hasRecord(): boolean {
    return existsSync(join(this.box.root, this.id));
  }

  /** Live processes in the container's cgroup. */
  processes(): number[] {
    return this.cgroupFile('cgroup.procs')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0 && isAlive(pid));
  }

  /** Remembers the processes that do not belong to the next case. */
  look(): void {
    this.#before = new Set(readdirSync('/proc'));
  }

  /** Everything that there is of the container, except its record. */
  remains(): string[] {
    const { directory, cgroup } = this.box;
    const inCgroup = this.processes().map((pid) => `process ${pid} ${commandLine(pid)}`);
    const others = readdirSync('/proc')
      .map(Number)
      .filter((pid) => this.#isNew(pid) && belongs(pid, directory, cgroup));
    const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
      .filter(({ mountPoint }) => mountPoint.startsWith(`${directory}/`))
      .map(({ mountPoint }) => `mount ${mountPoint}`);
    return [
      ...(existsSync(this.#cgroup) ? ['cgroup'] : []),
      ...inCgroup,
      ...others.filter(isAlive).map((pid) => `process ${pid} ${commandLine(pid)}`),
      ...mounts,
    ];
  }

  #isNew(pid: number): boolean {
    return pid > 0 && pid !== process.pid && !this.#before.has(String(pid));
  }

  /** The same, once nothing more goes away by itself. */
  async settledRemains(): Promise<string[]> {
    const all = () => [...(this.hasRecord() ? ['record'] : []), ...this.remains()];
    for (let tries = 0; tries < triesToSettle && all().length > 0; tries++) await sleep(20);
    return all();
  }

  async settles(isSo: () => boolean): Promise<boolean> {
    for (let tries = 0; tries < triesToSettle && !isSo(); tries++) await sleep(20);
    return isSo();
  }

  /** Cleans the place up, whatever the runtime has left. */
  async clear(): Promise<void> {
    if (existsSync(this.#cgroup)) {
      writeFileSync(join(this.#cgroup, 'cgroup.kill'), '1');
      writeFileSync(join(this.#cgroup, 'cgroup.freeze'), '0');
      await removeCgroup(this.#cgroup);
    }
    for (const line of this.remains()) {
      const pid = Number(/^process (\d+)/.exec(line)?.[1]);
      if (pid > 0) process.kill(pid, 'SIGKILL');
    }
    rmSync(join(this.box.root, this.id), { recursive: true, force: true });
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '(ended)';
  }
}
