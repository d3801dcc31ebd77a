/** Makes thousands of containers through the resident shim, some at once, or keeps pods alive with probes in them. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from '../harness/bundle.ts';
import { sleep } from '../harness/process.ts';
import type { Sandbox } from '../harness/sandbox.ts';
import type { ShimClient } from '../harness/shim-client.ts';
import { type Figures, figures, grown } from './figures.ts';
import { type ShimFigures, type ShimProcesses, shimFigures, shimGrown, shimProcesses } from './shim-figures.ts';

type AllFigures = Figures & ShimFigures;

export interface ShimSoaked {
  /** At rest. */
  before: AllFigures;
  after: AllFigures;
  /** By the number of containers, at rest; or of seconds, at work. */
  samples: Record<string, ShimFigures>;
  faults: string[];
}

/** In milliseconds: for how long nothing may have changed, as the engine has all its rest 5 s after its last work. */
const quietTime = 8000;
const mostTime = 90_000;
const lookEvery = 500;
/** KiB by which memory falls when the engine comes to rest, and more. */
const noise = 64;
/** So many containers are between two samples. */
const sampleEvery = 500;
const { O_RDWR, O_NONBLOCK } = constants;

/** What one of the containers at a time has for itself. */
interface Lane {
  readonly bundle: Bundle;
  /** Its stdout, read by nobody; '' for the one with a terminal, which has all of its FIFOs. */
  readonly io: { readonly stdin: string; readonly stdout: string; readonly terminal: boolean };
}

/** @param progress called after every hundredth container */
export async function soakShim(
  box: Sandbox,
  client: ShimClient,
  containers: number,
  atOnce: number,
  progress = (_: number) => {},
): Promise<ShimSoaked> {
  const shim = await shimProcesses(client);
  const lanes = Array.from({ length: atOnce }, (_, number) => laneOf(box, number === 0));
  const faults: string[] = [];
  const samples: Record<string, ShimFigures> = {};
  let next = 0;
  const work = async (lane: Lane, until: number) => {
    while (next < until) {
      const number = next++;
      await life(client, `${box.cgroup.slice(1)}-s${number}`, lane, number).catch((error) =>
        faults.push(`container ${number}: ${error.message}`),
      );
      if (number % 100 === 0) progress(number);
    }
  };
  // Code that has run, the heap's first growth, parent cgroups.
  await Promise.all(lanes.map((lane) => work(lane, Math.min(containers / 2, atOnce * 25))));
  const before = await atRest(box, shim, () => []);
  const growth = (now: AllFigures) => [...grown(before, now, containers), ...shimGrown(before, now)];
  for (let until = sampleEvery; until < containers; until += sampleEvery) {
    await Promise.all(lanes.map((lane) => work(lane, until)));
    samples[until] = await atRest(box, shim, () => []);
  }
  await Promise.all(lanes.map((lane) => work(lane, containers)));
  const after = await atRest(box, shim, growth);
  return { before, after, samples, faults: [...faults, ...growth(after)] };
}

function laneOf(box: Sandbox, terminal: boolean): Lane {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', 'echo hello; exec sleep 1000'];
    spec.process.terminal = terminal;
  });
  const [stdin = '', stdout = ''] = ['in', 'out'].map((name) => join(bundle.directory, name));
  execFileSync('mkfifo', [stdin, stdout]);
  return { bundle, io: { stdin: terminal ? stdin : '', stdout, terminal } };
}

type Step = (client: ShimClient, id: string, lane: Lane) => Promise<unknown>;

/** What happens to a container while it runs; each container gets the next step. */
const steps: readonly Step[] = [
  (client, id, lane) => exec(client, id, lane.bundle),
  async (client, id) => {
    await client.ask('Pause', id);
    await client.ask('Resume', id);
  },
  (client, id) => client.ask('Stats', id),
  // Those that are still there when the container ends.
  async (client, id, { bundle }) => {
    await client.exec(id, 'stays', { ...bundle.spec.process, terminal: false, args: ['sleep', '1000'] });
    await client.ask('Start', id, 'stays');
  },
  // Each task of containerd's has a connection of its own.
  (client) => client.visit(),
  async (client, id, { bundle }) => {
    const failed = client.exec(id, 'missing', { ...bundle.spec.process, terminal: false, args: ['no-such-program'] });
    await failed.then(() => client.ask('Start', id, 'missing')).catch(() => undefined);
  },
];

async function life(client: ShimClient, id: string, lane: Lane, number: number): Promise<void> {
  // A client reads, or would: it has each FIFO open for as long as the container lives.
  const held = [lane.io.stdin, lane.io.stdout].filter(Boolean).map((path) => openSync(path, O_RDWR | O_NONBLOCK));
  try {
    await client.create(id, lane.bundle.directory, lane.io);
    const ended = client.ask('Wait', id);
    await client.ask('Start', id);
    await (steps[number % steps.length] as Step)(client, id, lane);
    await client.kill(id, 9);
    const { exit_status } = await ended;
    if (exit_status !== 137) throw new Error(`it ended with ${exit_status}`);
    await client.ask('Delete', id);
    await client.ask('Shutdown', id);
  } finally {
    for (const fd of held) closeSync(fd);
  }
}

async function exec(client: ShimClient, id: string, { spec }: Bundle): Promise<void> {
  await client.exec(id, 'one', { ...spec.process, terminal: false, args: ['sh', '-c', 'exit 3'] });
  await client.ask('Start', id, 'one');
  const { exit_status } = await client.ask('Wait', id, 'one');
  if (exit_status !== 3) throw new Error(`exec ended with ${exit_status}`);
  await client.ask('Delete', id, 'one');
}

/** Seconds between two probes of a pod, as the kubelet has it. */
const probePeriod = 10;

/** Pods, each a sandbox of the shim's and a container, that are probed by exec for so many seconds. */
export async function soakPods(
  box: Sandbox,
  client: ShimClient,
  pods: number,
  seconds: number,
  progress = (_: number) => {},
): Promise<ShimSoaked> {
  const shim = await shimProcesses(client);
  const made: Pod[] = [];
  for (let number = 0; number < pods; number++) made.push(await makePod(box, client));
  const faults: string[] = [];
  const samples: Record<string, ShimFigures> = {};
  const probeAll = async (period: number) => {
    const from = performance.now();
    const own = async ({ id, bundle }: Pod, number: number) => {
      for (let at = from + (number / pods) * probePeriod * 1000; at < from + period; at += probePeriod * 1000) {
        await sleep(Math.max(0, at - performance.now()));
        await exec(client, id, bundle).catch((error) => faults.push(`${id}: ${error.message}`));
      }
    };
    await Promise.all(made.map(own));
  };
  await probeAll(2 * probePeriod * 1000);
  const before = await atRest(box, shim, () => []);
  const growth = (now: AllFigures) => [...grown(before, now, pods), ...shimGrown(before, now)];
  for (let minute = 0; minute * 60 < seconds; minute++) {
    await probeAll(Math.min(60, seconds - minute * 60) * 1000);
    samples[(minute + 1) * 60] = shimFigures(shim);
    progress((minute + 1) * 60);
  }
  const after = await atRest(box, shim, growth);
  for (const pod of made) await removePod(client, pod);
  return { before, after, samples, faults: [...faults, ...growth(after)] };
}

interface Pod {
  readonly pod: string;
  readonly id: string;
  readonly bundle: Bundle;
}

async function makePod(box: Sandbox, client: ShimClient): Promise<Pod> {
  const [pod, id] = [box.newId(), box.newId()];
  const directory = join(box.directory, pod);
  mkdirSync(join(directory, 'rootfs'), { recursive: true });
  await client.createSandbox(pod, directory, { hostname: 'pod', linux: { cgroup_parent: box.cgroup } });
  await client.askSandbox('StartSandbox', pod);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '100000'];
    spec.annotations = { 'io.kubernetes.cri.sandbox-id': pod };
  });
  await client.create(id, bundle.directory);
  await client.ask('Start', id);
  return { pod, id, bundle };
}

async function removePod(client: ShimClient, { pod, id }: Pod): Promise<void> {
  await client.kill(id, 9);
  await client.ask('Wait', id);
  await client.ask('Delete', id);
  await client.ask('Shutdown', id);
  await client.askSandbox('ShutdownSandbox', pod);
}

/** The engine ends threads, and collects garbage, when it has had nothing to do for some seconds. */
async function atRest(box: Sandbox, shim: ShimProcesses, growth: (now: AllFigures) => string[]): Promise<AllFigures> {
  const start = performance.now();
  let least = Number.POSITIVE_INFINITY;
  let since = start;
  for (;;) {
    await sleep(lookEvery);
    const now = { ...figures(box), ...shimFigures(shim) };
    const time = performance.now();
    if (now.engineMemory < least - noise) since = time;
    least = Math.min(least, now.engineMemory);
    const isQuiet = time - since > quietTime && growth(now).length === 0;
    if (isQuiet || time - start > mostTime) return now;
  }
}
