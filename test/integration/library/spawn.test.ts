/** The library's spawn and run: child_process with containers. */
import { spawn as spawnProgram, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { type Needs, repoRoot, requires, sandbox } from '../../harness/index.ts';
import { library, openDescriptors, placeOf, zombies } from '../../harness/library.ts';

const needs: Needs = { root: true, cgroup2: true, userns: true, runtime: 'tsrun', files: ['/bin/busybox'] };
const skip = requires(needs);
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

t.test('networks', { skip: requires({ ...needs, commands: ['unshare', 'ip'] }) }, async (t) => {
  const box = sandbox(t);
  const script = 'readlink /proc/self/ns/net; ip -o link | grep -c .';
  const seen = async (network: string) => (await run('sh', ['-c', script], { ...placeOf(box), network })).stdout;
  const devices = spawnSync('ip', ['-o', 'link'], { encoding: 'utf8' }).stdout.trim().split('\n').length;
  t.equal(await seen('host'), `${readlinkSync('/proc/self/ns/net')}\n${devices}\n`);
  t.match(await seen('none'), /^net:\[\d+\]\n1\n$/);
  t.not(await seen('none'), await seen('host'));

  const file = join(box.directory, 'network');
  writeFileSync(file, '');
  const made = 'readlink /proc/self/ns/net; read line';
  const holder = spawnProgram('unshare', ['--net', 'sh', '-c', made], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => holder.kill('SIGKILL'));
  const [text] = await once(holder.stdout, 'data');
  const [namespace = ''] = String(text).split('\n');
  spawnSync('mount', ['--bind', `/proc/${holder.pid}/ns/net`, file]);
  t.teardown(() => spawnSync('umount', [file]));
  for (const path of [file, `/proc/${holder.pid}/ns/net`]) t.equal((await seen(path)).split('\n')[0], namespace, path);
  const powers = { ...placeOf(box), network: file, capabilities: ['NET_ADMIN'] };
  const power = await run('ip', ['link', 'set', 'lo', 'up'], powers);
  t.match(power, { stderr: /not permitted/ }, 'no capability has power over a namespace of the host’s');
  const noNamespace = run('true', [], { ...placeOf(box), network: '/bin/busybox' });
  await t.rejects(noNamespace, { code: 'EINVALIDSPEC', message: /not a network namespace/ });
});

t.test('capabilities, for any user, and no profile', { skip }, async (t) => {
  const box = sandbox(t);
  const script = 'grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; unshare -U true && echo unshared';
  const asked = { capabilities: ['NET_BIND_SERVICE', 'cap_kill'], seccomp: 'unconfined' } as const;
  chmodSync(box.directory, 0o755);
  for (const user of [0, 1000]) {
    const { stdout } = await run('sh', ['-c', script], { ...placeOf(box), ...asked, user });
    const powers = ['CapEff:\t0000000000000420', 'CapBnd:\t0000000000000420'];
    t.strictSame(stdout.trim().split('\n'), [...powers, 'NoNewPrivs:\t1', 'Seccomp:\t0', 'unshared'], `user ${user}`);
  }
});

t.test('output that nobody reads holds nothing up, and waits for who reads late', { skip }, async (t) => {
  const box = sandbox(t);
  await run('true', [], placeOf(box));
  const before = openDescriptors().length;
  const unread = spawn('sh', ['-c', 'echo out; echo bad >&2'], placeOf(box));
  await once(unread, 'close');
  t.equal(unread.exitCode, 0);
  t.equal(openDescriptors().length, before);
  const late = spawn('echo', ['late'], placeOf(box));
  await late.wait();
  let text = '';
  for await (const part of late.stdout ?? []) text += part;
  t.equal(text, 'late\n');
});

t.test('streams that are closed early, and one that is never ended', { skip }, async (t) => {
  const box = sandbox(t);
  const closed = spawn('yes', [], placeOf(box));
  await once(closed, 'spawn');
  closed.stdout?.destroy();
  // SIGPIPE, which the first process of a pid namespace does not get; yes then ends by itself.
  t.match(await closed.wait(), { signal: null, timedOut: false });
  const unwanted = spawn('sleep', ['0'], placeOf(box));
  unwanted.stdin?.write(Buffer.alloc(1024 * 1024));
  t.match(await unwanted.wait(), { code: 0 }, 'what it does not read is no error');
  const waits = spawn('cat', [], placeOf(box));
  await once(waits, 'spawn');
  waits.stdin?.write('a line\n');
  const [line] = await once(waits.stdout as NodeJS.ReadableStream, 'data');
  t.equal(String(line), 'a line\n');
  t.equal(waits.exitCode, null, 'it waits for the end of its input');
  waits.stdin?.end();
  t.match(await waits.wait(), { code: 0 });
});

t.test('a program waits for who reads its output, which takes no memory meanwhile', { skip }, async (t) => {
  const size = 256 * 1024 * 1024;
  const child = spawn('sh', ['-c', `head -c ${size} /dev/zero; echo done >&2`], placeOf(sandbox(t)));
  let told = '';
  child.stderr?.on('data', (part) => {
    told += part;
  });
  await once(child.stdout as NodeJS.ReadableStream, 'readable');
  t.equal(told, '', 'the pipe is full');
  const held = () => process.memoryUsage().external;
  const before = held();
  let [read, most] = [0, 0];
  for await (const part of child.stdout ?? []) {
    read += part.length;
    most = Math.max(most, held() - before);
  }
  t.equal(read, size);
  t.ok(most < size / 2, `${most} bytes`);
  t.match(await child.wait(), { code: 0 });
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
