/** What callers get wrong: each is an error that names the option, and changes nothing. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import t from 'tap';
import { requires, sandbox } from '../../harness/index.ts';
import { library, openDescriptors, placeOf } from '../../harness/library.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });
const { check, create, features, list, open, plan, run, spawn, spec, TsrunError } = library;

/** As from a program in JavaScript, which nobody has checked. */
// biome-ignore lint/suspicious/noExplicitAny: the wrong type is what is tested
const wrong = (value: unknown): any => value;

const throwing: ProxyHandler<object> = {
  get() {
    throw new Error('not for you');
  },
  ownKeys() {
    throw new Error('not for you');
  },
};

t.test('options that there are not, or that are something else', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const circular: Record<string, unknown> = {};
  circular.annotations = circular;
  const rejected: Record<string, readonly [RegExp, () => Promise<unknown>]> = {
    'a mistyped limit': [/^memroy: there is no such option/, () => run('true', [], wrong({ ...place, memroy: '64M' }))],
    'no profile of that name': [
      /^seccomp: expected default or /,
      () => run('true', [], { ...place, seccomp: wrong('none') }),
    ],
    'no CPU': [/^cpus: /, () => run('true', [], { ...place, cpus: 0 })],
    'half a process': [/^pids: /, () => run('true', [], { ...place, pids: 0.5 })],
    'no output at all': [/^maxBuffer: /, () => run('true', [], { ...place, maxBuffer: Number.NaN })],
    'the output elsewhere': [/^stdio: /, () => run('true', [], wrong({ ...place, stdio: 'inherit' }))],
    'no options': [/^options: /, () => run('true', [], wrong(undefined))],
    'one argument as a text': [/^args: expected a list/, () => run('true', wrong('-x'), place)],
    'a NUL byte': [/^command: .*NUL/, () => run('tr\0ue', [], place)],
    'a mount without a place': [
      /^mounts\[0\]\.destination: /,
      () => run('true', [], { ...place, mounts: [wrong({ source: '/' })] }),
    ],
    'a mount at a relative place': [
      /^mounts\[0\]\.destination: expected an absolute path/,
      () => run('true', [], { ...place, mounts: [{ source: '/', destination: 'here' }] }),
    ],
    'a mistyped mount': [
      /^mounts\[0\]\.readOnly: /,
      () => run('true', [], { ...place, mounts: [wrong({ readOnly: false })] }),
    ],
    'a signal that is none': [/^signal: expected an AbortSignal/, () => create({ bundle: '/', signal: wrong('TERM') })],
    'nothing to create': [/bundle, or a spec/, () => create({})],
    'a manager': [/^cgroupManager: /, () => create({ bundle: '/', cgroupManager: wrong('mine') })],
    'an id that is none': [/^id: expected a string/, () => open(wrong(7), { root: box.root })],
    'an id with a slash': [/../, () => open('a/b', { root: box.root })],
    'a root that is none': [/^root: /, () => list({ root: wrong(1) })],
    'a question’s option': [/^bundel: /, () => plan(wrong({ bundel: '/' }))],
    'another question’s': [/^rootfs: /, () => check({ rootfs: wrong(1) })],
    'a command as a text': [/^command: /, () => spec(wrong('true'))],
    'an option of features': [/^all: /, () => features(wrong({ all: true }))],
    'no path of a root filesystem': [/^rootfs: expected a path/, () => run('true', [], { ...place, rootfs: '' })],
    'no path of the state': [/^root: expected a path/, () => run('true', [], { ...place, root: '' })],
    'no memory': [/^memory: expected a number above 0/, () => run('true', [], { ...place, memory: 0 })],
    'a mistyped capability': [
      /^capabilities: .*"NET_RAV"/,
      () => run('true', [], { ...place, capabilities: ['NET_RAV'] }),
    ],
    'three ids of a user': [/^user: /, () => run('true', [], { ...place, user: '1:2:3' })],
    'a variable with = in its name': [/^env: /, () => run('true', [], { ...place, env: { 'A=B': 'c' } })],
    'a list with a hole': [/^args: /, () => run('true', wrong(new Array(1)), place)],
    'a mount that is none': [
      /^mounts\[0\]: expected an object/,
      () => run('true', [], { ...place, mounts: wrong([null]) }),
    ],
    'an option that throws': [/^options: .*not for you/, () => run('true', [], wrong(new Proxy(place, throwing)))],
    'a list that throws': [/^args: /, () => run('true', new Proxy([], throwing) as string[], place)],
    'a config that throws': [/^spec: .*not for you/, () => plan({ spec: new Proxy({}, throwing) as never })],
    'a config within itself': [/^spec: not JSON: .*circular/, () => plan({ spec: wrong(circular), rootfs: '/' })],
    'a config with a BigInt': [/^spec: not JSON: .*BigInt/, () => plan({ spec: wrong({ hostname: 1n }) })],
    'a config with a function': [/could not be cloned/, () => plan({ spec: wrong({ process: () => undefined }) })],
  };
  const before = openDescriptors().length;
  for (const [name, [message, call]] of Object.entries(rejected)) {
    const error = await call().then(
      () => undefined,
      (each) => each,
    );
    t.ok(error instanceof TsrunError, name);
    t.match(error, { code: 'EINVALIDARG', message }, name);
  }
  t.match(await run('true', [], wrong({ ...place, memroy: 1 })).catch((each) => each), { hint: /"memory"/ });
  t.strictSame(readdirSync(box.root), []);
  await new Promise((resolve) => setImmediate(resolve));
  // The workers have some, and are made once.
  t.ok(openDescriptors().length < before + 16);
  t.strictSame(await list(place), [], 'the options of run name the place for list, too');
  t.match(await spec(['true']), { process: { args: ['true'] } }, 'a worker goes on after what it could not get');
});

t.test('what a container’s calls get wrong', { skip }, async (t) => {
  const box = sandbox(t);
  const { spec, rootfs } = box.bundle();
  const container = await create({ root: box.root, spec, rootfs, id: box.newId(), stdio: 'ignore' });
  t.teardown(() => container.delete({ force: true }));
  const calls: Record<string, () => Promise<unknown>> = {
    start: () => container.start(wrong({ now: true })),
    state: () => container.state(wrong({ signal: 1 })),
    kill: () => container.kill('TERM', wrong({ every: true })),
    'kill, by no signal': () => container.kill('NOSUCH'),
    update: () => container.update(wrong([])),
    'update, of no limit': () => container.update(wrong({ pidz: { limit: 1 } })),
    'update, of no limit of pids': () => container.update(wrong({ pids: { limt: 1 } })),
    'update, with a BigInt': () => container.update(wrong({ pids: { limit: 1n } })),
    'kill, by an object': () => container.kill(wrong({ toString: () => 'TERM' })),
    'exec, with a BigInt': () => container.exec({ args: ['true'], oomScoreAdj: wrong(1n) }).wait(),
    'update, with a function': () => container.update(wrong({ pids: () => 1 })),
    wait: () => container.wait(wrong({ timeout: 1 })),
    delete: () => container.delete(wrong({ froce: true })),
    exec: async () => container.exec(wrong('true')),
    'exec, with an option': async () => container.exec(['true'], wrong({ environment: {} })),
    events: () => container.events(wrong({ every: 1 })).next(),
    'events, every never': () => container.events({ interval: -1 }).next(),
  };
  for (const [name, call] of Object.entries(calls))
    await t.rejects(call(), { code: 'EINVALIDARG', name: 'TsrunError' }, name);
  t.match(await container.state(), { status: 'created' });
});

t.test('what somebody has put into every object is no option', { skip }, async (t) => {
  const place = placeOf(sandbox(t));
  const everywhere = Object.prototype as Record<string, unknown>;
  Object.assign(everywhere, { readonly: false, network: 'host', seccomp: 'unconfined', nonsense: 1 });
  t.teardown(() => forget());
  const script = 'ls /sys/class/net; grep Seccomp: /proc/self/status; echo > /file || echo cannot';
  const ran = run('sh', ['-c', script], place);
  forget();
  t.match(await ran, { stdout: 'lo\nSeccomp:\t2\ncannot\n', stderr: /Read-only/ });

  function forget() {
    for (const name of ['readonly', 'network', 'seccomp', 'nonsense']) delete everywhere[name];
  }
});

t.test('one id for several', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const holder = spawn('cat', [], place);
  await once(holder, 'spawn');
  const others = await Promise.allSettled(Array.from({ length: 4 }, () => run('true', [], place)));
  for (const each of others) t.match(each, { reason: { code: 'EEXIST', name: 'TsrunError' } });
  holder.stdin?.end();
  t.match(await holder.wait(), { code: 0 });
  t.strictSame(await list(place), []);
});

t.test('what only the kernel knows to be wrong', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const closed = () => spawn('true', [], { ...place, stdio: ['ignore', 'pipe', 999_999] });
  t.throws(closed, { name: 'TsrunError', code: 'EINVALIDARG', message: /^stdio\[2\]: /, errno: 9 });
  await t.rejects(list({ root: '/proc/self/status' }), { name: 'TsrunError', code: 'ENOTDIR' });
  await t.rejects(run('true', [], { ...place, root: '/proc/not/there' }), { name: 'TsrunError', errno: Number });
  await t.rejects(run('true', [], { ...place, network: '/not/there' }), {
    ...{ name: 'TsrunError', code: 'EINVALIDSPEC', errno: 2 },
    pointer: /^.linux.namespaces./,
  });
});
