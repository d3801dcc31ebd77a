/**
 * Whoever may trace init can make it send anything. A message that init never sends must end the create, and harm
 * nobody: here a process that sends what the test wants takes the place of init.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import t, { type Test } from 'tap';
import { addon, type SpawnOptions } from '../../../src/addon.ts';
import type { Op } from '../../../src/generated/ops.ts';
import { Executor } from '../../../src/run/executor.ts';
import { messageSize, messageType } from '../../../src/run/message.ts';
import type { PlanOwner, RunOptions } from '../../../src/run/owner.ts';
import { UndoStack } from '../../../src/undo.ts';
import { requires } from '../../harness/index.ts';

const skip = requires({ files: ['build/Release/tsrun.node'] });

interface Said {
  type: keyof typeof messageType | number;
  opIndex?: number;
  value?: number;
  fd?: number;
}

function encode({ type, opIndex = 0, value = 0 }: Said): Buffer {
  const message = Buffer.alloc(messageSize);
  message.writeUInt32LE(typeof type === 'number' ? type : messageType[type], 0);
  message.writeUInt32LE(opIndex, 4);
  message.writeUInt32LE(value, 12);
  return message;
}

/** Two turns of the runtime, with ops of init before, between and after them. */
const turns = [
  { op: 'clone', by: 'runtime', from: 'default', flags: '0' },
  { op: 'reset', by: 'init', from: 'default' },
  { op: 'record-state', by: 'runtime', from: 'default', status: 'first' },
  { op: 'set-hostname', by: 'init', from: '/hostname', name: 'x' },
  { op: 'record-state', by: 'runtime', from: 'default', status: 'second' },
  { op: 'wait-start', by: 'init', from: 'default', socket: 'exec-socket' },
] as unknown as Op[];

const forks = [
  { op: 'clone', by: 'runtime', from: 'default', flags: '0' },
  { op: 'fork-child', by: 'init', from: 'default' },
  { op: 'record-state', by: 'runtime', from: 'default', status: 'created' },
  { op: 'wait-start', by: 'init', from: 'default', socket: 'exec-socket' },
] as unknown as Op[];

/** @param held a descriptor that stays open as long as it sleeps */
function sleeper(t: Test, held: number): ChildProcess {
  const child = spawn('/bin/sleep', ['100000'], { stdio: ['ignore', 'ignore', 'ignore', held] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

/** Executes the plan with an init that sends all this at once; returns what was done, and what the executor throws. */
async function execute(t: Test, ops: Op[], said: Said[]): Promise<{ done: string[]; error: string | undefined }> {
  let init: ChildProcess | undefined;
  const real = addon();
  const done: string[] = [];
  const functions = {
    writePlan: () => {},
    startInit: ({ syncFd }: SpawnOptions) => {
      // Its end stays open, because an init that is gone would be another failure.
      init = sleeper(t, syncFd);
      for (const each of said) real.sendMessage(syncFd, encode(each), each.fd);
    },
    awaitInit: () => ({ pid: init?.pid, pidfd: real.pidfdOpen(init?.pid ?? 0) }),
    // The test's event loop reaps it.
    reap: () => ({ signal: 9 }),
  };
  const before = Object.fromEntries(Object.keys(functions).map((name) => [name, Reflect.get(real, name)]));
  Object.assign(real, functions);
  const owner: PlanOwner = {
    started: () => {},
    state: () => ({ ociVersion: '1.2.0', id: 'forged', status: 'creating', bundle: '/bundle' }),
    record: ({ phase }) => done.push(`state ${phase}`),
  };
  const options: RunOptions = {
    preserveFds: 0,
    consoleSocket: undefined,
    pidfdSocket: undefined,
    initType: 'standard',
    starts: false,
    filterCache: '/none',
    agent: null,
  };
  const undo = new UndoStack();
  try {
    new Executor({ ops, warnings: [], notes: [] }, owner, undo, options).run();
    return { done, error: undefined };
  } catch (error) {
    t.same(undo.run(), []);
    return { done, error: (error as Error).message };
  } finally {
    undo.forget();
    Object.assign(real, before);
  }
}

t.test('the turns in order', { skip }, async (t) => {
  const said: Said[] = [
    { type: 'sync', opIndex: 2 },
    { type: 'sync', opIndex: 4 },
  ];
  t.same(await execute(t, turns, said), { done: ['state first', 'state second'], error: undefined });
});

const forged: [what: string, said: Said[], error: RegExp][] = [
  ['a turn at an op of its own', [{ type: 'sync', opIndex: 3 }], /gives the turn to op 3/],
  ['a turn that was before init', [{ type: 'sync', opIndex: 0 }], /gives the turn to op 0/],
  ['a turn beyond the plan', [{ type: 'sync', opIndex: 4_000_000_000 }], /gives the turn to op 4000000000/],
  [
    'a turn twice',
    [
      { type: 'sync', opIndex: 2 },
      { type: 'sync', opIndex: 2 },
    ],
    /gives the turn to op 2, and not to one from 3 on/,
  ],
  ['an error of an op that is not its own', [{ type: 'error', opIndex: 4 }], /speaks of op 4/],
  ['an error beyond the plan', [{ type: 'error', opIndex: 77 }], /speaks of op 77/],
  ['a notice beyond the plan', [{ type: 'notice', opIndex: 77 }], /speaks of op 77/],
  ['a fork where there is none', [{ type: 'pid', opIndex: 1, value: process.ppid }], /has forked in op 1/],
  ['a message that there is not', [{ type: 99, opIndex: 1 }], /a message of type 99/],
  ['a terminal without a descriptor', [{ type: 'descriptor', opIndex: 1 }], /no descriptor in reset/],
];

for (const [what, said, error] of forged) {
  t.test(`refused: ${what}`, { skip }, async (t) => {
    const result = await execute(t, turns, said);
    t.match(result.error, error);
    t.ok(result.done.length < said.length, 'nothing is done by it');
  });
}

t.test('refused: a descriptor in an op that has none', { skip }, async (t) => {
  const fd = openSync('/dev/null', 'r');
  const { done, error } = await execute(t, turns, [{ type: 'descriptor', opIndex: 3, fd }]);
  t.match(error, /no descriptor in set-hostname/);
  t.same(done, []);
  t.ok(fstatSync(fd), 'it is ours still');
  closeSync(fd);
});

t.test('refused: a process that is not a child, and which is left alone', { skip }, async (t) => {
  // A child of a child.
  const shell = spawn('/bin/sh', ['-c', 'sleep 100000 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(shell.stdout, 'data');
  const other = Number(line);
  const { done, error } = await execute(t, forks, [{ type: 'pid', opIndex: 1, value: other }]);
  t.match(error, `init says that it went on as process ${other}, which is not its child`);
  t.same(done, []);
  t.ok(process.kill(other, 0), 'alive');
  process.kill(other, 'SIGKILL');
  await once(shell, 'exit');
});

t.test('refused: a listener where no agent waits for one', { skip }, async (t) => {
  const filtered = turns.with(3, { op: 'load-seccomp', by: 'init', from: '/linux/seccomp' } as unknown as Op);
  const fd = openSync('/dev/null', 'r');
  const { error } = await execute(t, filtered, [{ type: 'descriptor', opIndex: 3, fd }]);
  t.match(error, /a listener that nobody asked for/);
  closeSync(fd);
});
