/** The library's spawn and run: child_process with containers. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { repoRoot, requires, sandbox } from '../../harness/index.ts';
import { library, openDescriptors, placeOf, zombies } from '../../harness/library.ts';

const skip = requires({ root: true, cgroup2: true, userns: true, runtime: 'tsrun', files: ['/bin/busybox'] });
const { list, run, spawn } = library;

t.test('streams and events as child_process has them', { skip }, async (t) => {
  const place = placeOf(sandbox(t));
  const child = spawn('sh', ['-c', 'read line; echo "got $line"; echo bad >&2; exit 3'], place);
  const events: unknown[] = [];
  for (const name of ['spawn', 'exit', 'close']) child.on(name, (...args) => events.push([name, ...args]));
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (part) => {
    stdout += part;
  });
  child.stderr?.on('data', (part) => {
    stderr += part;
  });
  t.equal(child.pid, undefined);
  await once(child, 'spawn');
  t.match(await list(place), [{ pid: child.pid, id: place.id }]);
  child.stdin?.end('a line\n');
  await once(child, 'close');
  t.strictSame({ stdout, stderr }, { stdout: 'got a line\n', stderr: 'bad\n' });
  t.strictSame(events, [['spawn'], ['exit', 3, null], ['close', 3, null]]);
  t.match(child, { exitCode: 3, signalCode: null });
  t.match(await child.wait(), { code: 3, signal: null, timedOut: false });
  t.strictSame(await list(place), []);
  t.same(zombies(), []);
});

t.test('safe by default', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const script = `
    grep -E '^(Cap...|NoNewPrivs|Seccomp):' /proc/self/status
    awk '{ print "id 0 is", ($2 > 500000 ? "nobody" : $2) }' /proc/self/uid_map
    ls -lnd / | awk '{ print "files belong to", $3, $4 }'
    echo x > /file; echo y > /tmp/file && cat /tmp/file
    ip link | grep -c '^[0-9]'
    mount -t tmpfs tmpfs /mnt; unshare -U true; unshare -m true
    cat /proc/kcore | wc -c; echo > /proc/sys/kernel/hostname
    env | sort; pwd; ps | grep -c .`;
  const { stdout, stderr } = await run('sh', ['-c', script], place);
  const facts = stdout.split('\n').slice(0, 12);
  t.strictSame(facts, [
    ...['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((name) => `Cap${name}:\t0000000000000000`),
    'NoNewPrivs:\t1',
    'Seccomp:\t2',
    'id 0 is nobody',
    'files belong to 0 0',
    'y',
    '1',
    '0',
  ]);
  t.match(stdout, /\nHOME=\/root\n.*PATH=/s);
  t.match(stderr, "can't create /file: Read-only file system");
  t.match(stderr, /mount: .*(not permitted|denied)/);
  t.match(stderr, /unshare: .*not permitted/);
  t.notOk(existsSync(join(place.rootfs, 'file')));
});

t.test('what is asked for', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const data = join(box.directory, 'data');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(data, 'file'), 'of the host\n', { mode: 0o600 });
  const { stdout, stderr } = await run(
    'sh',
    [
      '-c',
      'cat; id -u; id -g; pwd; echo $WHAT; hostname; cat /data/file; echo new > /data/new; echo > /written; ls -ln /data/new',
    ],
    {
      ...place,
      input: 'input\n',
      env: { WHAT: 'asked for', NOT: undefined },
      cwd: '/home',
      hostname: 'named',
      readonly: false,
      mounts: [{ source: data, destination: '/data', readonly: false }],
    },
  );
  t.equal(stderr, '');
  const [...lines] = stdout.split('\n');
  t.strictSame(lines.slice(0, 7), ['input', '0', '0', '/home', 'asked for', 'named', 'of the host']);
  t.ok(existsSync(join(place.rootfs, 'written')));
  t.ok(existsSync(join(data, 'new')), 'a file that the host sees as its own');

  chmodSync(box.directory, 0o755);
  const other = await run('sh', ['-c', 'id -u; id -g; echo > /dev/stdout'], { ...placeOf(box), user: '1000:1001' });
  t.strictSame([other.stdout, other.stderr], ['1000\n1001\n\n', '']);
});

t.test('an end by signal, by time, by too much output', { skip }, async (t) => {
  const box = sandbox(t);
  const child = spawn('sleep', ['1000'], placeOf(box));
  await once(child, 'spawn');
  t.equal(child.kill(), true);
  t.equal(child.kill('KILL'), true);
  t.strictSame(await once(child, 'exit'), [null, 'SIGKILL']);
  t.equal(child.kill(), false);
  t.match(await run('sleep', ['1000'], { ...placeOf(box), timeout: 50 }), { timedOut: true });
  const much = await run('yes', [], { ...placeOf(box), maxBuffer: 1000 });
  t.match(much, { truncated: true, signal: 'SIGKILL' });
  t.equal(much.stdout.length, 1000);
});

t.test('what cannot be started is an error, and no container', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const child = spawn('not-there', [], place);
  const [error] = await once(child, 'error');
  t.match(error, { code: 'EPROGRAM', errno: 2 });
  await t.rejects(child.wait(), { code: 'EPROGRAM' });
  await t.rejects(run('true', [], { ...place, rootfs: '/not/there' }), { code: 'EINVALIDSPEC', pointer: '/root/path' });
  for (const wrong of [{ memory: 'much' }, { user: 'me' }, { rootfs: undefined as unknown as string }]) {
    t.throws(() => spawn('true', [], { ...place, ...wrong }), { code: 'EINVALIDARG' });
  }
  t.strictSame(await list(place), []);
});

t.test('times that a timer cannot wait', { skip }, async (t) => {
  const box = sandbox(t);
  const end = await run('sh', ['-c', 'sleep 0.1; exit 3'], { ...placeOf(box), timeout: Number.POSITIVE_INFINITY });
  t.match(end, { code: 3, timedOut: false });
  for (const timeout of [Number.NaN, -1, 2 ** 31])
    t.throws(() => spawn('true', [], { ...placeOf(box), timeout }), { code: 'EINVALIDARG', message: /^timeout: / });
});

t.test('streams that cannot be opened leave no pipe', { skip }, async (t) => {
  const place = placeOf(sandbox(t));
  const wrong = ['pipe', 'pipe', 'pipe', 'ipc'] as unknown as 'pipe'[];
  const before = openDescriptors().length;
  for (let round = 0; round < 5; round++)
    t.throws(() => spawn('true', [], { ...place, stdio: wrong }), { code: 'EINVALIDARG' });
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(openDescriptors().length, before);
});

t.test('a listener that throws keeps nothing alive', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const script = `
    import { list, spawn } from ${JSON.stringify(pathToFileURL(join(repoRoot, 'build/library.mjs')).href)};
    process.on('uncaughtException', (error) => console.log(error.message));
    const place = ${JSON.stringify(place)};
    const child = spawn('true', [], place);
    for (const name of ['spawn', 'exit']) child.on(name, () => { throw new Error(name); });
    child.on('close', () => console.log('close'));
    console.log(JSON.stringify([(await child.wait()).code, await list(place)]));`;
  const file = join(box.directory, 'program.mjs');
  writeFileSync(file, script);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  t.equal(stderr, '');
  t.equal(status, 0);
  t.strictSame(stdout.trim().split('\n').sort(), ['[0,[]]', 'close', 'exit', 'spawn']);
});

t.test('an abort ends it, whenever it comes', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  await t.rejects(run('true', [], { ...place, signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
  // Aborts somewhere between the first and the last step.
  const abortAll = async (round: number) => {
    for (let ms = 0; ms < 60; ms += 3) {
      const each = { ...place, id: `${place.id}-${round}-${ms}`, cgroup: `${place.cgroup}-${round}-${ms}` };
      await t.rejects(run('sleep', ['1000'], { ...each, signal: AbortSignal.timeout(ms) }), { code: 'ABORT_ERR' });
    }
  };
  await abortAll(1);
  const before = openDescriptors().length;
  for (const round of [2, 3, 4]) await abortAll(round);
  t.strictSame(await list(place), []);
  t.same(zombies(), []);
  // One more worker has some of its own; if each of the sixty left one, it would be more than that.
  t.ok(openDescriptors().length < before + 20, `${openDescriptors().length} descriptors, ${before} before`);
});

t.test('a fork bomb comes back', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const child = spawn('sh', ['-c', ':(){ :|:& };:'], { ...place, stdio: 'ignore', pids: 64, timeout: 2000 });
  const { code, signal, timedOut } = await child.wait();
  t.ok(timedOut ? signal === 'SIGKILL' : code !== null, `${code} ${signal} ${timedOut}`);
  const counting = 'i=0; while [ $i -lt 200 ]; do sleep 100 & i=$((i+1)); done; echo all';
  const limited = await run('sh', ['-c', counting], { ...placeOf(box), pids: 64, timeout: 20_000 });
  t.match(limited, { stderr: /fork|Resource temporarily unavailable/, timedOut: false });
  t.notMatch(limited.stdout, 'all');
});
