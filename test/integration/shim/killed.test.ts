/** The shim's engine is killed within each step of a container's life: no container and no exit code is lost. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { killBefore, type Moment, requires, type Sandbox, sandbox, sleep, waitFor } from '../../harness/index.ts';
import { type Answer, ShimClient } from '../../harness/shim-client.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });

/** Milliseconds between a request and the kill: from before the engine has read it to after its answer. */
const delays = [0, 2, 8, 20];
const steps = ['Create', 'Start', 'Exec', 'Kill', 'Delete'] as const;
type Step = (typeof steps)[number];

/** The keeper gives up an engine that dies six times in a row within 2 s; a step kills it four times. */
const longLife = 2100;

t.test('its engine is killed within a step', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  const keeper = await client.keeper();
  for (const step of steps) {
    await t.test(step, async (t) => {
      await Promise.all(
        [0, 1].map((number) => life(t, box, client, `calm-${step}-${number}`, async (_, ask) => ask())),
      );
      for (const delay of delays) {
        const id = box.newId();
        await life(t, box, client, id, async (now, ask) =>
          now === step ? killWithin(client, keeper, delay, ask) : ask(),
        );
        // The next one is killed at work, and not while it starts.
        await client.keeper();
      }
      await waitForOld(client, keeper);
    });
  }
});

/** A container's life, with an exec; the answer to each request is checked. */
async function life(
  t: Test,
  box: Sandbox,
  client: ShimClient,
  id: string,
  at: <T>(step: Step, ask: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', 'trap "exit 7" TERM; : >/ready; while :; do sleep 0.02; done'];
  });
  const { pid } = await at('Create', () => client.create(id, bundle.directory));
  const waited = client.ask('Wait', id);
  await at('Start', () => client.ask('Start', id));
  await waitFor(`${id} to be ready`, () => isThere(`${bundle.rootfs}/ready`));
  t.equal(statusOf(pid), true, 'its process lives');
  const process = { ...bundle.spec.process, args: ['sh', '-c', 'exit 5'] };
  await client.exec(id, 'one', process);
  await at('Exec', () => client.ask('Start', id, 'one'));
  t.equal((await client.ask('Wait', id, 'one')).exit_status, 5, 'exec');
  await client.ask('Delete', id, 'one');
  await at('Kill', () => client.kill(id, 15));
  t.equal((await waited).exit_status, 7, 'Wait');
  t.match(await at('Delete', () => client.ask('Delete', id)), { pid, exit_status: 7 }, 'Delete');
  await client.ask('Shutdown', id);
  await client.waitForEvent(`/tasks/exit of ${id}`);
  await t.rejects(client.ask('State', id), /no such task/);
}

async function killWithin<T>(client: ShimClient, keeper: number, delay: number, ask: () => Promise<T>): Promise<T> {
  const engine = await waitFor('an engine', () => client.engine(keeper));
  const answer = ask();
  // A kill may meet any moment of the request: every one must do.
  await sleep(delay);
  process.kill(engine, 'SIGKILL');
  return answer;
}

const straced = skip || requires({ commands: ['strace'] });

/** What it has done by then of a Start. */
const moments: Record<string, (directory: string) => Moment> = {
  'has connected to init': () => ({ call: 'recvmsg' }),
  'has the answer of init': (directory) => ({ call: '/^rename(at2?)?$', path: join(directory, 'exec.sock') }),
  'has taken the container': () => ({ call: 'sendmsg' }),
  'has let init go on': (directory) => ({ call: '/^unlink(at)?$', path: join(directory, 'taken.sock') }),
};

t.test('its engine is killed when it', { skip: straced }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  const keeper = await client.keeper();
  for (const [name, momentOf] of Object.entries(moments)) {
    await t.test(name, async (t) => {
      const id = box.newId();
      const bundle = box.bundle((spec) => {
        spec.process.args = ['sh', '-c', 'echo once >>/ran; exec sleep 1000'];
      });
      const { pid } = await client.create(id, bundle.directory);
      // Else this could be what the engine is at.
      await client.waitForEvent(`/tasks/create of ${id}`);
      const engine = await waitFor('an engine', () => client.engine(keeper));
      const killed = await killBefore(box, engine, momentOf(join(box.root, id)));
      t.match(await client.ask('Start', id), { pid });
      await killed();
      await waitFor('the program', () => isThere(`${bundle.rootfs}/ran`));
      t.equal((await box.state(id)).status, 'running');
      await t.rejects(client.ask('Start', id), /already running/);
      await client.kill(id, 9);
      await client.ask('Wait', id);
      t.equal(readFileSync(`${bundle.rootfs}/ran`, 'utf8'), 'once\n');
      t.match(await client.ask('Delete', id), { pid, exit_status: 137 });
    });
    await waitForOld(client, keeper);
  }
});

/** What it has done by then of a Start of Exec's. A worker's messages to init: to begin, and to become the program. */
const execMoments: Record<string, (files: { note: string; next: string }) => Moment> = {
  'has made the process': ({ note }) => ({ call: '/^open(at)?$', path: note }),
  'is noting the process': ({ note }) => ({ call: 'write', path: note }),
  'has noted the process': ({ note }) => ({ call: 'close', path: note }),
  'is about to let the process go on': () => ({ call: 'sendmsg', nth: 2 }),
  'has let the process go on': () => ({ call: 'recvmsg', nth: 3 }),
  'hears that the process is about to be the program': () => ({ call: 'recvmsg', nth: 4 }),
  'has the program': ({ next }) => ({ call: '/^open(at)?$', path: next }),
  'has begun to write the task down': ({ next }) => ({ call: '/^rename(at2?)?$', path: next }),
};

t.test('its engine is killed when of an exec it', { skip: straced }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  const keeper = await client.keeper();
  const id = box.newId();
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  writeFileSync(join(bundle.rootfs, 'no-program'), 'text', { mode: 0o755 });
  await client.create(id, bundle.directory);
  await client.ask('Start', id);

  /** Kills the engine within a Start of this. */
  async function start(exec: string, moment: string, args: string[], more = {}): Promise<Answer> {
    const ledger = dirname(client.noteOf(id));
    const files = { note: join(ledger, `.start-${id}:${exec}`), next: client.nextNoteOf(id) };
    await client.exec(id, exec, { ...bundle.spec.process, args, ...more }, more);
    await client.waitForEvent(`/tasks/exec-added of ${id}`);
    const engine = await waitFor('an engine', () => client.engine(keeper));
    const killed = await killBefore(box, engine, execMoments[moment]?.(files) ?? { call: 'none' });
    const [answer] = await Promise.allSettled([client.ask('Start', id, exec)]);
    await killed();
    await waitForOld(client, keeper);
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  }

  let number = 0;
  for (const moment of Object.keys(execMoments)) {
    await t.test(moment, async (t) => {
      const ran = `ran-${number}`;
      const long = `long-${number}`;
      const { pid } = await start(long, moment, ['sh', '-c', `echo once >>/${ran}; exec sleep 1000`]);
      await waitFor('the program', () => isThere(join(bundle.rootfs, ran)));
      t.equal(statusOf(pid), true, 'it lives');
      await t.rejects(client.ask('Start', id, long), /has been started already/);
      process.kill(pid, 'SIGKILL');
      t.equal((await client.ask('Wait', id, long)).exit_status, 137);
      t.match(await client.ask('Delete', id, long), { pid, exit_status: 137 });

      const short = `short-${number++}`;
      await start(short, moment, ['sh', '-c', `echo once >>/${ran}; exit 3`]);
      t.equal((await client.ask('Wait', id, short)).exit_status, 3);
      await client.ask('Delete', id, short);
      t.equal(readFileSync(join(bundle.rootfs, ran), 'utf8'), 'once\nonce\n');
    });
  }

  await t.test('has the program, which has a terminal', async (t) => {
    const { pid } = await start('screen', 'has the program', ['sleep', '1000'], { terminal: true });
    t.equal(statusOf(pid), true, 'no SIGHUP has ended it');
    process.kill(pid, 'SIGKILL');
    t.equal((await client.ask('Wait', id, 'screen')).exit_status, 137);
  });

  await t.test('has let the process go on, which fails', async (t) => {
    await t.rejects(start('none', 'has let the process go on', ['/no-program']), /exec format error/);
    await client.ask('Delete', id, 'none');
  });
  await client.kill(id, 9);
  await client.ask('Wait', id);
  await client.ask('Delete', id);
  t.strictSame(readdirSync(dirname(client.noteOf(id))), [`.gone-${id}`], 'no note is left');
});

async function waitForOld(client: ShimClient, keeper: number): Promise<void> {
  const engine = await waitFor('an engine', () => client.engine(keeper));
  await waitFor('the engine to live for a while', () => {
    return Date.now() - statSync(`/proc/${engine}`).ctimeMs > longLife || undefined;
  });
}

function statusOf(pid: number): boolean {
  return /^State:\s+[RSD]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

function isThere(path: string): true | undefined {
  return statSync(path, { throwIfNoEntry: false }) && true;
}
