/** Runs a program in a container of its own, as child_process runs one on the host. */
import { isAbsolute, resolve } from 'node:path';
import { capabilityNames } from '../linux/capabilities.ts';
import { didYouMean } from '../suggest.ts';
import type { SandboxChoices } from '../template/sandbox.ts';
import { checkArgument, checkOptions, invalidArgument, may, oneOf, type Shape } from './arguments.ts';
import type { SpawnJob } from './jobs.ts';
import { type Abortable, milliseconds, newId, type RootOption, rootOf, rootShape } from './options.ts';
import { runJob } from './pool.ts';
import { ContainerProcess, type ProcessExit } from './process.ts';
import { openStdio, type StdioOptions } from './stdio.ts';

/** A directory or file of the host that the container sees. */
export interface MountOption {
  /** Path on the host; a relative one starts at the working directory. */
  readonly source: string;
  /** Path in the container. */
  readonly destination: string;
  /** Default: true. */
  readonly readonly?: boolean | undefined;
}

export interface SpawnOptions extends RootOption, Abortable {
  /** The root filesystem: a directory, which is not changed. */
  readonly rootfs: string;
  /** Bytes, or a number with K, M or G (powers of 1024); `max`: no limit. Default: 512M, if the host can limit it. */
  readonly memory?: number | string | undefined;
  /** CPUs' worth of time, such as 0.5. Default: no limit. */
  readonly cpus?: number | undefined;
  /**
   * Processes and threads; `max`: no limit. Default: 256 with a pids controller, else no limit. Without the controller, a
   * limit that is asked for holds for each user of the container (RLIMIT_NPROC), if it has a user namespace.
   */
  readonly pids?: number | 'max' | undefined;
  readonly mounts?: readonly MountOption[] | undefined;
  /** Environment, besides PATH and root's HOME. This process's own is not passed on. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: / */
  readonly cwd?: string | undefined;
  /** A uid, or `uid:gid`, in the container (default: 0, which is root only in its user namespace). */
  readonly user?: number | string | undefined;
  /** `none` (default): only a loopback device; `host`; or the path of a network namespace. */
  readonly network?: 'none' | 'host' | (string & {}) | undefined;
  /** `default`: a profile that allows what programs need; `unconfined`: no profile. */
  readonly seccomp?: 'default' | 'unconfined' | undefined;
  /** Whether the root filesystem is read-only; /tmp is writable even then. Default: true. */
  readonly readonly?: boolean | undefined;
  /** Capabilities that the program has, whoever its user is, such as `NET_BIND_SERVICE` (default: none). */
  readonly capabilities?: readonly string[] | undefined;
  readonly hostname?: string | undefined;
  /** Milliseconds after which the program is killed. */
  readonly timeout?: number | undefined;
  /** Lets the program outlive this process, whose exit kills it otherwise. Its state then stays for `tsrun delete`. */
  readonly detached?: boolean | undefined;
  /** Default: pipe. */
  readonly stdio?: StdioOptions | undefined;
  /** The container's name (default: a new one). */
  readonly id?: string | undefined;
  /** cgroupsPath of the config (default: beside this process's own cgroup). */
  readonly cgroup?: string | undefined;
}

export interface RunOptions extends Omit<SpawnOptions, 'stdio'> {
  /** What the program reads on stdin. Default: nothing. */
  readonly input?: string | Uint8Array | undefined;
  /** How many bytes of each stream are kept; a program that writes more is killed. Default: 1 MiB. */
  readonly maxBuffer?: number | undefined;
}

/** How a program has ended, and what it has written. */
export interface RunResult extends ProcessExit {
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it was killed because it wrote more than maxBuffer. */
  readonly truncated: boolean;
}

/**
 * Starts a program in a container of its own, which is gone when the program has ended. The container has a user
 * namespace where the host supports them, no new privileges, no capabilities, a seccomp profile, masked paths, a
 * read-only root filesystem, no network, and limits where the host supports them.
 *
 * @throws TsrunError `EINVALIDARG` for invalid options; a later failure is an event, as with child_process
 */
export function spawn(command: string, args: readonly string[], given: SpawnOptions): ContainerProcess {
  checkArgument('command', command, may.text);
  checkArgument('args', args, may.texts);
  const options = checkOptions(given, spawnShape);
  const place = { root: rootOf(options), id: options.id ?? newId() };
  const choices = choicesOf([command, ...args], place.id, options);
  const timeout = milliseconds('timeout', options.timeout ?? 0);
  const stdio = openStdio(options.stdio ?? 'pipe', 'pipe');
  const { detached = false } = options;
  const job: SpawnJob = { ...place, choices, descriptors: stdio.descriptors, detached };
  return new ContainerProcess({
    stdio,
    signal: options.signal,
    timeout,
    launch: (signal) => runJob('spawn', job, signal),
    finish: ({ pidfd }) => runJob('finish', { ...place, pidfd, keep: false }),
    ...(!detached && {
      atExit: ({ pidfd }) => ({ name: 'finish', args: { ...place, pidfd, keep: false } }),
    }),
  });
}

const spawnShape: Shape<SpawnOptions> = {
  ...{ ...rootShape, rootfs: may.path, id: may.text, cgroup: may.text, hostname: may.text, cwd: may.text },
  ...{ memory: may.textOrNumber, cpus: may.number, pids: may.textOrNumber, timeout: may.number },
  ...{ mounts: may.list, env: may.variables, user: may.textOrNumber, capabilities: may.texts },
  ...{ network: may.path, seccomp: oneOf('default', 'unconfined'), readonly: may.flag, detached: may.flag },
  stdio: may.stdio,
};

/** As from a program that nobody has checked. */
type WithStdio = RunOptions & { readonly stdio?: unknown };

const runShape: Shape<WithStdio> = { ...spawnShape, input: may.bytes, maxBuffer: may.number };

const mountShape: Shape<MountOption> = { source: may.path, destination: may.path, readonly: may.flag };

/**
 * Runs a program as spawn does, and returns its output.
 *
 * @throws TsrunError when it could not be started, or was aborted; not for the way it ends
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { input, maxBuffer = 1024 * 1024, stdio, ...rest } = checkOptions<WithStdio>(options, runShape);
  if (!(maxBuffer >= 0)) throw invalidArgument(`maxBuffer: expected a number of bytes, found ${maxBuffer}`);
  if (stdio !== undefined) throw invalidArgument('stdio: run keeps the output itself', 'use spawn');
  const child = spawn(command, args, {
    ...rest,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  let truncated = false;
  const tooMuch = () => {
    truncated = true;
    child.kill('SIGKILL');
  };
  const texts = Promise.all([collect(child.stdout, maxBuffer, tooMuch), collect(child.stderr, maxBuffer, tooMuch)]);
  const exit = await child.wait();
  const [stdout, stderr] = await texts;
  return { ...exit, stdout, stderr, truncated };
}

function collect(stream: ContainerProcess['stdout'], most: number, tooMuch: () => void): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let size = 0;
    stream?.on('data', (part: Buffer) => {
      const room = most - size;
      if (room > 0) parts.push(part.subarray(0, room));
      size += part.length;
      if (size > most) tooMuch();
    });
    stream?.once('close', () => resolve(Buffer.concat(parts).toString()));
  });
}

function choicesOf(command: readonly string[], id: string, options: SpawnOptions): SandboxChoices {
  const { rootfs, env = {}, network = 'none', seccomp = 'default', pids, capabilities = [] } = options;
  if (rootfs === undefined) throw invalidArgument('rootfs: expected the path of a root filesystem');
  const mounts = (options.mounts ?? []).map((mount, index) => checkMount(mount, `mounts[${index}]`));
  const [uid, gid] = userOf(options.user ?? 0);
  return {
    ...{ id, command, uid, gid },
    rootfs: resolve(rootfs),
    readonly: options.readonly ?? true,
    hostname: options.hostname,
    env: Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
    cwd: options.cwd ?? '/',
    capabilities: capabilities.map(capabilityOf),
    mounts: mounts.map(({ source, destination, readonly = true }) => {
      return { source: resolve(source), destination, readonly };
    }),
    network: network === 'none' || network === 'host' ? network : resolve(network),
    seccomp: seccomp === 'default',
    memory: options.memory === undefined ? undefined : bytesOf(options.memory),
    cpus: options.cpus === undefined ? undefined : positive('cpus', options.cpus),
    pids: pids === 'max' ? null : pids === undefined ? undefined : count('pids', pids),
    cgroup: options.cgroup,
  };
}

function checkMount(given: MountOption, name: string): MountOption {
  const mount = checkOptions(given, mountShape, name);
  const { source, destination } = mount;
  if (source === undefined) throw invalidArgument(`${name}.source: expected a path of the host`);
  if (destination === undefined || !isAbsolute(destination)) {
    throw invalidArgument(`${name}.destination: expected an absolute path in the container`);
  }
  return mount;
}

/** The name with the prefix CAP_. */
function capabilityOf(given: string): string {
  const name = `CAP_${given.toUpperCase().replace(/^CAP_/, '')}`;
  if ((capabilityNames as readonly string[]).includes(name)) return name;
  const hint = didYouMean(name, capabilityNames) ?? 'capabilities(7) lists all';
  throw invalidArgument(`capabilities: there is no capability ${JSON.stringify(given)}`, hint);
}

function userOf(user: number | string): [uid: number, gid: number] {
  const [uid = 0, gid = uid, ...rest] = String(user)
    .split(':')
    .map((part) => wholeNumber(part, 'user'));
  if (rest.length > 0) throw invalidArgument(`user: expected uid or uid:gid, found ${JSON.stringify(user)}`);
  return [uid, gid];
}

/** Parses `64M`; null: no limit. */
function bytesOf(size: number | string): number | null {
  if (size === 'max') return null;
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)i?B?$/i.exec(String(size)) ?? [];
  if (digits === undefined) throw invalidArgument(`memory: expected bytes, or a number with K, M or G, found ${size}`);
  return positive('memory', Math.round(Number(digits) * 1024 ** ' KMGT'.indexOf(unit.toUpperCase() || ' ')));
}

function wholeNumber(text: string, what: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw invalidArgument(`${what}: expected a number, found ${JSON.stringify(text)}`);
}

function positive(name: string, value: number): number {
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw invalidArgument(`${name}: expected a number above 0, found ${value}`);
}

function count(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw invalidArgument(`${name}: expected a whole number above 0, or max, found ${value}`);
}
