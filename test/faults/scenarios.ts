/** The commands that are broken on purpose: what comes before, and what is true after one that reports success. */
import { join } from 'node:path';
import type { State } from '../harness/sandbox.ts';
import type { Spec } from '../harness/spec.ts';
import type { Whose } from './injector.ts';
import type { Place } from './place.ts';

export interface Scenario {
  name: string;
  /** Whose calls fail. */
  whose: Whose;
  /** Edits the bundle's config. */
  config?(spec: Spec): void;
  /** Runs the commands before, which succeed. */
  prepare(place: Place): Promise<void>;
  args(place: Place): string[];
  /** Checks what a success must have done; returns what is missing. */
  check(place: Place, stdout: string, stderr: string): Promise<string | undefined>;
  /** It makes a container, so its failure must leave none. */
  makes?: true;
  /** A failure may leave a stopped container, if it says so: `run` could not delete it. */
  mayLeaveStopped?: true;
}

const none = async () => {};
const create = (place: Place) => place.ok('create', '--bundle', place.bundle.directory, place.id);

async function running(place: Place): Promise<void> {
  await create(place);
  await place.ok('start', place.id);
}

async function statusIs(place: Place, status: string): Promise<string | undefined> {
  const state = await place.state();
  if (typeof state === 'string') return `state fails: ${state}`;
  return state.status === status ? undefined : `it is ${state.status}, not ${status}`;
}

async function isRunning(place: Place): Promise<string | undefined> {
  const wrong = await statusIs(place, 'running');
  if (wrong !== undefined) return wrong;
  const { pid } = (await place.state()) as State;
  return place.processes().includes(pid) ? undefined : `process ${pid} is not in its cgroup`;
}

async function isGone(place: Place): Promise<string | undefined> {
  const left = await place.settledRemains();
  return left.length === 0 ? undefined : `there is ${left.join(', ')}`;
}

/**
 * If the container cannot be removed, the command reports that and passes on the program's exit code; delete can remove
 * it later. The container is stopped, or only a directory without a record is left.
 */
async function isGoneOrSaid(place: Place, stderr: string): Promise<string | undefined> {
  const left = await isGone(place);
  if (left === undefined || !/level=error/.test(stderr)) return left;
  return place.remains().length === 0 ? undefined : statusIs(place, 'stopped');
}

async function isStopped(place: Place): Promise<string | undefined> {
  const ended = await place.settles(() => place.processes().length === 0);
  return ended ? statusIs(place, 'stopped') : 'its processes live';
}

/** The program's output, which shows that a run or an exec took place. */
const words = 'it has run';
const says = (stdout: string) => (stdout === `${words}\n` ? undefined : `its program has said '${stdout}'`);

function speaks(spec: Spec): void {
  spec.process.args = ['/bin/echo', words];
}

/** Hooks on the host and in the container, a filter, and IDs of its own: more that can fail. */
function rich(spec: Spec): void {
  // This hook reads the whole state: with one that does not, crun sometimes fails.
  const hook = { path: '/bin/cat' };
  spec.hooks = { createRuntime: [hook], startContainer: [hook], poststart: [hook], poststop: [hook] };
  spec.linux.seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }],
  };
}

const update = (limit: string) => JSON.stringify({ hugepageLimits: [{ pageSize: '2MB', limit: Number(limit) }] });
const newLimit = String(8 << 20);

function withLimit(spec: Spec): void {
  spec.linux.resources = { ...spec.linux.resources, ...JSON.parse(update(String(4 << 20))) };
}

const bundleOf = (place: Place) => ['--bundle', place.bundle.directory, place.id];

const life: Scenario[] = [
  {
    name: 'create',
    whose: 'own',
    makes: true,
    prepare: none,
    args: (place) => ['create', ...bundleOf(place)],
    check: (place) => statusIs(place, 'created'),
  },
  {
    name: 'create, id in use',
    whose: 'own',
    prepare: running,
    args: (place) => ['create', ...bundleOf(place)],
    check: async () => 'two containers have one id',
  },
  {
    name: 'create with hooks and seccomp',
    whose: 'own',
    makes: true,
    config: rich,
    prepare: none,
    args: (place) => ['create', ...bundleOf(place)],
    check: (place) => statusIs(place, 'created'),
  },
  {
    name: 'start',
    whose: 'own',
    config: rich,
    prepare: create,
    args: ({ id }) => ['start', id],
    check: isRunning,
  },
  {
    name: 'run',
    whose: 'own',
    makes: true,
    mayLeaveStopped: true,
    config: speaks,
    prepare: none,
    args: (place) => ['run', ...bundleOf(place)],
    check: async (place, stdout, stderr) => says(stdout) ?? (await isGoneOrSaid(place, stderr)),
  },
  {
    name: 'run --detach',
    whose: 'own',
    makes: true,
    prepare: none,
    args: (place) => ['run', '--detach', ...bundleOf(place)],
    check: isRunning,
  },
  {
    name: 'init and hooks of run --detach',
    whose: 'children',
    makes: true,
    config: rich,
    prepare: none,
    args: (place) => ['run', '--detach', ...bundleOf(place)],
    check: isRunning,
  },
];

const signals: Scenario[] = [
  {
    name: 'kill',
    whose: 'own',
    prepare: running,
    args: ({ id }) => ['kill', id, 'KILL'],
    check: isStopped,
  },
  {
    name: 'kill --all',
    whose: 'own',
    prepare: running,
    args: ({ id }) => ['kill', '--all', id, 'KILL'],
    check: isStopped,
  },
  {
    name: 'pause',
    whose: 'own',
    prepare: running,
    args: ({ id }) => ['pause', id],
    check: async (place) =>
      place.cgroupFile('cgroup.events').includes('frozen 1') ? statusIs(place, 'paused') : 'it is not frozen',
  },
  {
    name: 'resume',
    whose: 'own',
    prepare: async (place) => {
      await running(place);
      await place.ok('pause', place.id);
    },
    args: ({ id }) => ['resume', id],
    check: async (place) => (place.cgroupFile('cgroup.freeze') === '0' ? isRunning(place) : 'it is frozen'),
  },
  {
    name: 'delete',
    whose: 'own',
    prepare: async (place) => {
      await running(place);
      await place.ok('kill', place.id, 'KILL');
      await place.settles(() => place.processes().length === 0);
    },
    args: ({ id }) => ['delete', id],
    check: isGone,
  },
  {
    name: 'delete of a running one',
    whose: 'own',
    prepare: running,
    args: ({ id }) => ['delete', id],
    check: async () => 'a running container is deleted without --force',
  },
  {
    name: 'delete --force',
    whose: 'own',
    config: rich,
    prepare: running,
    args: ({ id }) => ['delete', '--force', id],
    check: isGone,
  },
];

const others: Scenario[] = [
  {
    name: 'exec',
    whose: 'own',
    config: rich,
    prepare: running,
    args: ({ id }) => ['exec', id, '/bin/echo', words],
    check: async (_, stdout) => says(stdout),
  },
  {
    name: 'exec --detach',
    whose: 'own',
    prepare: running,
    args: ({ id }) => ['exec', '--detach', id, '/bin/sleep', '1000'],
    check: async (place) => (place.processes().length === 2 ? undefined : 'its process is not there'),
  },
  {
    name: 'the process of exec',
    whose: 'children',
    config: rich,
    prepare: running,
    args: ({ id }) => ['exec', id, '/bin/echo', words],
    check: async (_, stdout) => says(stdout),
  },
  {
    name: 'update',
    whose: 'own',
    config: withLimit,
    prepare: async (place) => {
      await running(place);
      place.bundle.addFile('../limits.json', update(newLimit));
    },
    args: ({ id, bundle }) => ['update', '--resources', join(bundle.directory, 'limits.json'), id],
    check: async (place) =>
      place.cgroupFile('hugetlb.2MB.max') === newLimit ? undefined : 'the new limit does not hold',
  },
  {
    name: 'state',
    whose: 'own',
    prepare: running,
    args: ({ id }) => ['state', id],
    check: async (_, stdout) => (stdout.includes('"running"') ? undefined : `it says ${stdout}`),
  },
  {
    name: 'list',
    whose: 'own',
    prepare: running,
    args: () => ['list'],
    check: async ({ id }, stdout) => (new RegExp(`${id} .*running`).test(stdout) ? undefined : `it says ${stdout}`),
  },
];

export const scenarios: readonly Scenario[] = [...life, ...signals, ...others];
