/** The shim's engine is killed within each step of a container's life: no container and no exit code is lost. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { killBefore, type Moment, requires, type Sandbox, sandbox, sleep, waitFor } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

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
