/** `--trace` and `--log-level debug`: when each op of a command ran. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

interface Event {
  name: string;
  cat: 'runtime' | 'init';
  ph: 'X' | 'M';
  ts: number;
  dur: number;
  args: { index: number };
}

const readAll = (file: string): Event[] => JSON.parse(readFileSync(file, 'utf8'));
const readTrace = (file: string) => readAll(file).filter(({ ph }) => ph === 'X');

/** Ops of init are between the clone and the runtime's last op only if both read one clock. */
function checkTrace(t: Test, events: Event[]): void {
  t.ok(events.every(({ ph }) => ph === 'X'));
  const clone = events.find(({ name }) => name === 'clone') as Event;
  const byInit = events.filter(({ cat }) => cat === 'init');
  t.ok(byInit.length > 5, `${byInit.length} ops of init`);
  t.ok(byInit.every(({ ts }) => ts >= clone.ts));
  // The runtime continues once init has done what comes before in the plan.
  for (const own of events.filter(({ cat, args }) => cat === 'runtime' && args.index > clone.args.index)) {
    for (const before of byInit.filter(({ args }) => args.index < own.args.index)) {
      t.ok(before.ts + before.dur <= own.ts + 0.001, `${before.name} ends before ${own.name}`);
    }
  }
}

t.test('the trace of a create has both sides on one clock', { skip }, async (t) => {
  const box = sandbox(t);
  const file = join(box.directory, 'trace.json');
  await box.create(box.bundle(), [], ['--trace', file]);
  const events = readTrace(file);
  checkTrace(t, events);
  t.ok(events.some(({ name }) => name === 'record-state'));
  // From the start of the process on, with a name for each row.
  const inOrder = [...events].sort((a, b) => a.ts - b.ts).map(({ name }) => name);
  t.same(inOrder.slice(0, 4), ['engine', 'read', 'validate', 'lower']);
  const names = readAll(file).filter(({ ph }) => ph === 'M');
  t.match(names, [{ name: 'process_name' }, { args: { name: 'runtime' } }, { args: { name: 'init' } }]);
  t.notOk(events.some(({ name }) => name === 'exec'));
});

t.test('the traces of run and exec are written too', { skip }, async (t) => {
  const box = sandbox(t);
  const id = box.newId();
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
  });
  const ofRun = join(box.directory, 'run.json');
  const outputFiles = join(box.directory, 'output');
  await box.runtimeOk(['--trace', ofRun, 'run', '--detach', '--bundle', bundle.directory, id], { outputFiles });
  checkTrace(t, readTrace(ofRun));
  const ofExec = join(box.directory, 'exec.json');
  await box.runtimeOk(['--trace', ofExec, 'exec', id, 'true']);
  checkTrace(t, readTrace(ofExec));
});

t.test(
  'the trace of a start has its wait for the program, what init does meanwhile, and its hooks',
  { skip },
  async (t) => {
    const box = sandbox(t);
    const hook = { path: '/bin/true', args: ['true'] };
    const id = await box.create(
      box.bundle((spec) => (spec.hooks = { startContainer: [hook], poststart: [hook, hook] })),
    );
    const file = join(box.directory, 'start.json');
    await box.runtimeOk(['--trace', file, 'start', id]);
    const all = readTrace(file);
    const byInit = all.filter(({ cat }) => cat === 'init');
    const events = all.filter(({ cat }) => cat === 'runtime');
    t.ok(byInit.some(({ name }) => name === 'run-container-hook'));
    t.ok(byInit.some(({ name }) => name === 'prepare-exec'));
    for (const { name, ts, dur } of byInit) {
      const wait = events.find(({ name }) => name === 'start-program') ?? { ts: 0, dur: 0 };
      t.ok(ts >= wait.ts && ts + dur <= wait.ts + wait.dur, `${name} is in the wait for the program`);
    }
    t.same(
      events.map(({ name }) => name),
      ['engine', 'start-program', 'run-hook', 'run-hook'],
    );
    for (const [index, { ts }] of events.slice(1).entries()) {
      const before = events[index] as Event;
      t.ok(ts >= before.ts + before.dur, 'one after the other');
    }
  },
);

t.test('--timing draws the start', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['echo', 'hello'];
  });
  const { stdout, stderr } = await box.runtimeOk(['run', '--timing', '--bundle', bundle.directory, box.newId()]);
  t.equal(stdout, 'hello\n');
  const [title, heading, ...rows] = stderr.trimEnd().split('\n');
  t.match(title, /^started in \d+\.\d\d ms$/);
  t.match(heading, /^ +at\/ms {2}by +step +took\/ms$/);
  const steps = rows.map((row) => /^ +[\d.]+ {2}(\w+) +(\S+) +[\d.]+ {2} *[█▏]+$/.exec(row)?.slice(1));
  t.ok(steps.every(Boolean), stderr);
  const names = steps.map((step) => step?.[1]);
  t.same(names.slice(0, 4), ['engine', 'read', 'validate', 'lower']);
  t.ok(names.includes('clone') && names.includes('pivot-root'));
  t.equal(names.at(-1), 'kernel');
  t.equal((await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stderr, '');
});

t.test('a failed create leaves a trace of what it did', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.mounts.push({ destination: '/mnt', type: 'bind', source: '/no/such/source', options: ['bind'] });
  });
  const file = join(box.directory, 'trace.json');
  const { code } = await box.runtime(['--trace', file, 'create', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  t.ok(readTrace(file).some(({ name }) => name === 'clone'));
});

t.test('a file that cannot be written is reported before anything is done', { skip }, async (t) => {
  const box = sandbox(t);
  const id = box.newId();
  const { code, stderr } = await box.runtime([
    '--trace',
    '/no/such/directory/file',
    'create',
    '--bundle',
    box.bundle().directory,
    id,
  ]);
  t.equal(code, 1);
  t.match(stderr, /--trace \/no\/such\/directory\/file: cannot be written: ENOENT/);
  t.equal((await box.runtime(['state', id])).code, 1);
});

t.test('--log-level debug says how long each op took, other levels do not', { skip }, async (t) => {
  const box = sandbox(t);
  const file = join(box.directory, 'log');
  await box.create(box.bundle(), [], ['--log', file, '--log-level', 'debug']);
  const text = readFileSync(file, 'utf8');
  t.match(text, /level=debug msg="runtime op \d+ clone took \d+\.\d us/);
  t.match(text, /level=debug msg="init op \d+ \S+ took \d+\.\d us/);
  const quiet = join(box.directory, 'quiet');
  await box.create(box.bundle(), [], ['--log', quiet, '--log-level', 'info']);
  t.notMatch(readFileSync(quiet, 'utf8'), / took /);
});
