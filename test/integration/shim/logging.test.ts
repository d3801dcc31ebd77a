/** Log URIs: what a process writes goes to a file, or to a program, with and without an engine. */
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';
import { ofCheckout, ShimClient } from '../../harness/shim-client.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });

/** Says what it got, and is ready once it has said it. */
const logger = [
  '#!/bin/sh',
  '{ echo "$CONTAINER_ID $CONTAINER_NAMESPACE [$HOME] $MORE"; printf "<%s>" "$@"; echo; } >"$1.said"',
  'exec 5>&-',
  'cat <&4 >"$1.err" &',
  'cat <&3 >"$1.out"',
  'wait',
  'echo the end >>"$1.said"',
].join('\n');

t.test('log URIs', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  const program = join(box.directory, 'logger');
  writeFileSync(program, logger);
  chmodSync(program, 0o755);
  const setting = { box, client, program };
  await t.test('a file', (t) => toFile(t, setting));
  await t.test('a program', (t) => toProgram(t, setting));
  await t.test('a process of Exec’s', (t) => ofExec(t, setting));
  for (const terminal of [false, true]) {
    await t.test(`the engine is killed, ${terminal ? 'with' : 'without'} a terminal`, (t) =>
      killed(t, setting, terminal),
    );
  }
  await t.test('what cannot be', (t) => refused(t, setting));
});

t.test('a log program that never says that it is ready', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box, ['env', 'TSRUN_SHIM_LOG_SECONDS=1', ...ofCheckout]);
  const program = join(box.directory, 'logger');
  writeFileSync(program, '#!/bin/sh\necho $$ >"$1"\nexec sleep 1000\n');
  chmodSync(program, 0o755);
  const [one, two] = ['one', 'two'].map((name) => join(box.directory, name));
  const bundle = bundleOf(box, 'sleep 1000');
  const error = /log program .*logger did not say within 1 s that it is ready/;
  const creating = t.rejects(client.create(box.newId(), bundle.directory, both(`binary://${program}?${one}`)), error);
  const id = box.newId();
  const other = bundleOf(box, 'sleep 1000');
  await client.create(id, other.directory);
  await client.ask('Start', id);
  await creating;
  await client.exec(id, 'one', other.spec.process, both(`binary://${program}?${two}`));
  await t.rejects(client.ask('Start', id, 'one'), error, 'of Exec’s');
  await client.ask('Delete', id, 'one');
  for (const file of [one, two]) {
    const pid = readFileSync(file as string, 'utf8').trim();
    await waitFor('its end', () => !existsSync(`/proc/${pid}`) || undefined);
  }
  await client.kill(id, 9);
  await client.ask('Wait', id);
  await client.ask('Delete', id);
});

interface Setting {
  readonly box: Sandbox;
  readonly client: ShimClient;
  readonly program: string;
}

const both = (uri: string) => ({ stdout: uri, stderr: uri });

function bundleOf(box: Sandbox, script: string, terminal = false) {
  return box.bundle((spec) => {
    spec.process.args = ['sh', '-c', script];
    spec.process.terminal = terminal;
  });
}

/** Runs a script to its end, and deletes it. */
async function run({ box, client }: Setting, script: string, streams: object): Promise<string> {
  const id = box.newId();
  await client.create(id, bundleOf(box, script).directory, streams);
  await client.ask('Start', id);
  await client.ask('Wait', id);
  await client.ask('Delete', id);
  return id;
}

async function toFile(t: Test, setting: Setting) {
  const file = join(setting.box.directory, 'new', 'a file');
  const uri = both(`file://${file.replace(' ', '%20')}`);
  await run(setting, 'echo out; echo err >&2', uri);
  const lines = () => readFileSync(file, 'utf8').trim().split('\n').sort();
  t.strictSame(lines(), ['err', 'out'], 'all of it is there when Delete is answered');
  await run(setting, 'echo again; : >/proc/self/fd/1; truncate -s 0 /proc/self/fd/1', uri);
  t.strictSame(lines().slice(0, 3), ['again', 'err', 'out'], 'it is added to, and is not the container’s to change');
  t.equal(statSync(file).mode & 0o777, 0o644);
}

async function toProgram(t: Test, setting: Setting) {
  const to = join(setting.box.directory, 'to');
  const uri = both(`binary://${setting.program}?${to}=the%20value&env.MORE=more&-flag`);
  const id = await run(setting, 'echo out; echo err >&2', uri);
  const said = `${id} state [] more\n<${to}><the value><-flag><>\nthe end\n`;
  t.equal(readFileSync(`${to}.said`, 'utf8'), said, 'its arguments and environment; Delete waits for its end');
  t.equal(readFileSync(`${to}.out`, 'utf8'), 'out\n');
  t.equal(readFileSync(`${to}.err`, 'utf8'), 'err\n');
}

async function ofExec(t: Test, { box, client, program }: Setting) {
  const id = box.newId();
  const bundle = bundleOf(box, 'sleep 1000');
  await client.create(id, bundle.directory);
  await client.ask('Start', id);
  const to = join(box.directory, 'exec');
  const echo = { ...bundle.spec.process, args: ['sh', '-c', 'echo out; echo err >&2'] };
  await client.exec(id, 'bad', echo, both('binary:///no/such/program'));
  await t.rejects(client.ask('Start', id, 'bad'), /cannot start the log program \/no\/such\/program: .*ENOENT/);
  await client.ask('Delete', id, 'bad');
  await client.exec(id, 'one', echo, both(`binary://${program}?${to}`));
  await client.ask('Start', id, 'one');
  await client.ask('Wait', id, 'one');
  await client.ask('Delete', id, 'one');
  t.match(readFileSync(`${to}.said`, 'utf8'), /^one state /, 'the id is exec’s');
  t.equal(readFileSync(`${to}.out`, 'utf8') + readFileSync(`${to}.err`, 'utf8'), 'out\nerr\n');
  await client.kill(id, 9);
  await client.ask('Wait', id);
  await client.ask('Delete', id);
}

async function killed(t: Test, { box, client, program }: Setting, terminal: boolean) {
  const id = box.newId();
  const to = join(box.directory, id);
  const script = 'echo one; : >/first; until [ -e /go ]; do sleep 0.02; done; echo two';
  const bundle = bundleOf(box, script, terminal);
  const uri = `binary://${program}?${to}`;
  await client.create(id, bundle.directory, { stdout: uri, stderr: terminal ? '' : uri, terminal });
  await client.ask('Start', id);
  await waitFor('the first line', () => existsSync(`${bundle.rootfs}/first`) || undefined);
  await client.killEngine();
  writeFileSync(`${bundle.rootfs}/go`, '');
  await client.ask('Wait', id);
  await client.ask('Delete', id);
  t.match(readFileSync(`${to}.out`, 'utf8'), /^one\r?\ntwo\r?\n$/, 'nothing is lost');
  t.match(readFileSync(`${to}.said`, 'utf8'), /the end\n$/, 'Delete waits for its end');
}

async function refused(t: Test, { box, client, program }: Setting) {
  const create = (streams: object) => client.create(box.newId(), bundleOf(box, 'true').directory, streams);
  for (const [streams, words] of [
    [both('binary:///bin/false'), /log program \/bin\/false ended with code 1 before it was ready/],
    [both('binary:relative://'), /a path must follow: binary:\/\/\/PATH/],
    [both('file://host/path'), /a path must follow: file:\/\/\/PATH/],
    [both('file:///%zz'), /bad escape/],
    [both(`file://${box.directory}`), /log file .*EISDIR/],
    [both('npipe:////./pipe'), /none of binary, file/],
    [{ stderr: 'file:///tmp/x' }, /stdout must have the same/],
    [{ stdout: `binary://${program}`, stderr: '/dev/null' }, /is for both streams/],
  ] as const) {
    await t.rejects(create(streams), words, JSON.stringify(streams));
  }
  const keeper = await client.keeper();
  const engine = (await client.engine(keeper)) ?? 0;
  // Sockets come and go by themselves.
  const held = () =>
    [engine, keeper].flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`)
        .map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
        .filter((link) => /pipe|pidfd/.test(link)),
    ).length;
  const before = held();
  for (const path of ['/no/such/program', '/bin/false']) {
    for (let time = 0; time < 3; time++) await create(both(`binary://${path}`)).catch(() => undefined);
  }
  await waitFor('what they had to be closed', () => held() === before || undefined);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
