/** What the resident shim's two processes hold, and what it has on disk. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { waitFor } from '../harness/process.ts';
import type { ShimClient } from '../harness/shim-client.ts';

export interface ShimFigures {
  engineDescriptors: number;
  engineThreads: number;
  /** KiB of private dirty memory (smaps_rollup). */
  engineMemory: number;
  keeperDescriptors: number;
  keeperMemory: number;
  /** Files whose names begin with the socket's, and those below. */
  files: number;
  /** Their size in KiB. */
  fileSizes: number;
}

/** The shim's processes. An engine that dies is a fault: its successor has other figures. */
export interface ShimProcesses {
  readonly keeper: number;
  readonly engine: number;
  /** Path of the socket. */
  readonly socket: string;
}

export async function shimProcesses(client: ShimClient): Promise<ShimProcesses> {
  const keeper = await client.keeper();
  return { keeper, engine: await waitFor('an engine', () => client.engine(keeper)), socket: client.socket };
}

export function shimFigures({ keeper, engine, socket }: ShimProcesses): ShimFigures {
  const sizes = sizesAt(socket);
  return {
    engineDescriptors: readdirSync(`/proc/${engine}/fd`).length,
    engineThreads: readdirSync(`/proc/${engine}/task`).length,
    engineMemory: memoryOf(engine),
    keeperDescriptors: readdirSync(`/proc/${keeper}/fd`).length,
    keeperMemory: memoryOf(keeper),
    files: sizes.length,
    fileSizes: Math.ceil(sizes.reduce((a, b) => a + b, 0) / 1024),
  };
}

function memoryOf(pid: number): number {
  return Number(/^Private_Dirty: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

function sizesAt(socket: string): number[] {
  const place = dirname(socket);
  const own = readdirSync(place).filter((name) => name.startsWith(basename(socket)));
  return own.flatMap((name) => sizesBelow(join(place, name)));
}

/** Files come and go meanwhile. */
function sizesBelow(path: string): number[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [stat.size];
  return readdirSync(path).flatMap((name) => sizesBelow(join(path, name)));
}

/** What has grown, as sentences; both figures are of a shim at rest. */
export function shimGrown(before: ShimFigures, after: ShimFigures): string[] {
  const allowed: ShimFigures = {
    engineDescriptors: 0,
    engineThreads: 0,
    // V8's heap for young objects grows by 15 MB under load, and at times stays so.
    engineMemory: 20 << 10,
    keeperDescriptors: 0,
    keeperMemory: 256,
    files: 0,
    // Notes of how processes have ended.
    fileSizes: 64,
  };
  const names = Object.keys(allowed) as (keyof ShimFigures)[];
  return names
    .filter((name) => after[name] - before[name] > allowed[name])
    .map((name) => `${name} of the shim: ${before[name]} before, ${after[name]} after`);
}
