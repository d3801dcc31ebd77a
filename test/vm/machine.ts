import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { exitOf, spawnConfined } from './confine.ts';
import { buildForAarch64, ensureImage, type PackageSet } from './image.ts';
import { jobScript, makeTrailer } from './job.ts';
import { checkout } from './paths.ts';
import { type Tier, VmError } from './tier.ts';
import { TrailerFilter } from './trailer-filter.ts';

export interface VmJob {
  readonly tier: Tier;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Files and directories that are copied in at their own paths, besides the checkout. */
  readonly shares?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The checkout by default. */
  readonly cwd?: string;
  readonly packages?: PackageSet;
  /**
   * With qemu, a network of two VMs: sockets in a directory of the host, by their names. The guest has the device once it
   * looks at its PCI bus again.
   */
  readonly wire?: { readonly directory: string; readonly own: string; readonly other: string };
  /** Counted from the start of the VM, without the time to build an image. Default 600. */
  readonly timeoutSeconds?: number;
  /** How long the job may print nothing, including its start; no limit by default. */
  readonly quietSeconds?: number;
  /** Called with output as it comes. */
  readonly onStdout?: (data: Buffer) => void;
  readonly onStderr?: (data: Buffer) => void;
  /** Makes the job interactive: its stdin, and the terminal's size. */
  readonly terminal?: { readonly stdin: Readable; readonly rows: number; readonly columns: number };
}

export interface VmResult {
  /** As a shell reports it: 127 if the command does not exist, 128 + the number of the signal that killed it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Large directories of a checkout that tsrun does not need at run time, and those in which other tests write while they
 * are copied; sharing one brings it back.
 */
const hidden = ['.git', '.tap', 'node_modules', 'build/native', 'build/aarch64/native', 'build/vm'];

/**
 * Boots a VM, runs one command as root in it and throws the VM away. Builds the image first if there is none.
 *
 * Throws VmError if the job cannot be run to its end; a command that fails is a result.
 */
export async function runInVm(job: VmJob): Promise<VmResult> {
  const { tools, root, snapshot } = await ensureImage(job.packages ?? 'base', job.tier);
  const launch = ['bash', path.join(checkout, 'test/vm/launch.sh'), job.tier, tools, root, snapshot];
  const steps = diskSteps((job.shares ?? []).map((share) => path.resolve(share)));
  if (job.tier === 'aarch64') steps.push(...(await buildForAarch64()));
  if (job.terminal) steps.push('terminal:');
  if (job.wire) steps.push(`wire:${job.wire.directory}:${job.wire.own}:${job.wire.other}`);
  const vm = spawnConfined([...launch, ...steps], ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe']);
  return await follow(vm, job);
}

/** Parents before children, so that a share inside a hidden directory covers it. */
function diskSteps(shares: readonly string[]): string[] {
  for (const share of shares) {
    if (share === '/' || share.includes('\n')) throw new VmError(`cannot share ${JSON.stringify(share)}`);
  }
  const shared = new Set([checkout, ...shares]);
  const hides = hidden.map((dir) => path.join(checkout, dir)).filter((dir) => !shared.has(dir));
  const steps = [
    ...[...shared].map((dir) => ({ dir, step: `share:${dir}` })),
    ...hides.map((dir) => ({ dir, step: `hide:${dir}` })),
  ];
  return steps.sort((a, b) => (a.dir < b.dir ? -1 : 1)).map(({ step }) => step);
}

async function follow(vm: ChildProcess, job: VmJob): Promise<VmResult> {
  const trailer = makeTrailer();
  const streams = connect(vm);
  const quiet = watchQuiet(job.quietSeconds, [streams.stdout, streams.stderr]);
  const stdout = readUntil(trailer, streams.stdout, job.onStdout);
  const stderr = readUntil(trailer, streams.stderr, job.onStderr);
  const bootLog = [readAll(streams.bootOut), readAll(streams.bootErr)];
  const started = exitOf(vm);
  streams.script.end(jobScript({ env: {}, cwd: checkout, binDir: path.join(checkout, 'bin'), ...job }, trailer));
  job.terminal?.stdin.pipe(streams.stdout);

  const seconds = job.timeoutSeconds ?? 600;
  let timer: NodeJS.Timeout | undefined;
  const ending = Promise.race([
    Promise.all([stdout.exitCode, stderr.exitCode]).then(() => 'done'),
    started.then(() => 'the VM ended before its job did'),
    new Promise<string>((resolve) => {
      timer = setTimeout(resolve, seconds * 1000, `the job did not end within ${seconds} s`);
    }),
    quiet.expired,
  ]);
  const how = await ending.finally(() => {
    clearTimeout(timer);
    quiet.stop();
    job.terminal?.stdin.unpipe(streams.stdout);
    vm.kill('SIGKILL');
  });
  await started;
  if (how !== 'done') throw new VmError(`${how}; last lines of the boot log:\n${lastLines(bootLog, 20)}`);
  return { exitCode: await stdout.exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** Resolves `expired` with an error if none of the streams has had data for so long. */
function watchQuiet(seconds: number | undefined, streams: readonly Readable[]) {
  if (seconds === undefined) return { expired: new Promise<never>(() => {}), stop() {} };
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, `the VM said nothing for ${seconds} s`);
  });
  for (const stream of streams) stream.on('data', () => timer?.refresh());
  return { expired, stop: () => clearTimeout(timer) };
}

/** This end of the descriptors that launch.sh lists. */
function connect(vm: ChildProcess) {
  // Node's type has five; spawnConfined was asked for six, all sockets but the first.
  const [, bootOut, bootErr, stdout, stderr, script] = vm.stdio as unknown as Socket[];
  const streams = { bootOut, bootErr, stdout, stderr, script };
  for (const [name, stream] of Object.entries(streams)) {
    if (stream === undefined) throw new Error(`no ${name} from the VM`);
    // The other end may go away at any time; the exit shows that.
    stream.on('error', () => {});
  }
  return streams as Record<keyof typeof streams, Socket>;
}

function readUntil(trailer: string, stream: Readable, onData?: (data: Buffer) => void) {
  const chunks: Buffer[] = [];
  const filter = new TrailerFilter(trailer, (data) => {
    chunks.push(data);
    onData?.(data);
  });
  const exitCode = new Promise<number>((resolve) => {
    stream.on('data', (data: Buffer) => {
      filter.write(data);
      if (filter.exitCode !== undefined) resolve(filter.exitCode);
    });
  });
  return { exitCode, text: () => Buffer.concat(chunks).toString() };
}

function readAll(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (data: Buffer) => chunks.push(data));
  return () => Buffer.concat(chunks).toString();
}

function lastLines(logs: readonly (() => string)[], count: number): string {
  const lines = logs
    .map((log) => log().trimEnd())
    .join('\n')
    .split(/\r?\n/);
  return lines
    .filter((line) => line !== '')
    .slice(-count)
    .join('\n');
}
