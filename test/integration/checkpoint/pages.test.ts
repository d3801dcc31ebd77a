/** Memory that a page server sends to another machine, at once or on demand. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { block, Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests, lacksFeature } from '../../harness/criu.ts';
import { type Bundle, requires, runtimePath, sandbox, waitFor } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

t.test('--page-server: memory goes to another machine at once', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  const port = await freePort();
  const script = `mkdir -p ${at.images()}; PATH='${criu.path}'; echo; exec criu page-server --address 127.0.0.1 --port ${port} --images-dir ${at.images()}`;
  const server = at.box.startProgram('sh', ['-c', script]);
  await waitFor('the directory', () => server.output.stdout || undefined);
  const row = `:${port.toString(16).padStart(4, '0').toUpperCase()} 00000000:0000 0A`;
  await waitFor('the server', () => readFileSync('/proc/net/tcp', 'utf8').includes(row) || undefined);
  await at.checkpoint(id, ['--page-server', `127.0.0.1:${port}`]);
  const saved = witness(bundle) as Witness;
  const restored = await at.restore(bundle);
  await at.goesOn(bundle, saved);
  t.equal((await at.box.state(restored)).status, 'running');
});

const skipLazy = requires({ runtime: 'tsrun' }) || lacksFeature(criu, 'uffd-noncoop');
const skipServer = skipLazy || requires({ capabilities: ['CAP_SYS_RESOURCE'] });

/** Starts `criu lazy-pages`, with its files in the image directory, and waits until it listens. */
async function startDaemon(at: Checkpoints, flags: string[] = []) {
  const where = ['--images-dir', at.images(), '--work-dir', at.images(), '--log-file', 'lazy-pages.log', '-v4'];
  const daemon = at.box.startProgram('criu', ['lazy-pages', ...where, ...flags], { env: at.env });
  await waitFor('its socket', () => existsSync(join(at.images(), 'lazy-pages.socket')) || undefined);
  return daemon;
}

/** A restore that must fail. */
async function refused(at: Checkpoints, bundle: Bundle) {
  const where = ['--image-path', at.images(), '--bundle', bundle.directory];
  const line = ['restore', '--detach', '--lazy-pages', '--network-lock', 'skip', ...where, at.box.newId()];
  return at.runtime(line, { outputFiles: join(at.box.directory, 'refused') });
}

t.test('restore --lazy-pages: memory comes from the images when it is used', { skip: skipLazy }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle(undefined, ['memory']);
  await at.checkpoint(await at.start(bundle));
  const saved = witness(bundle) as Witness;
  t.match(await refused(at, bundle), {
    code: 1,
    stderr: /there is no lazy-pages\.socket in .*hint: first start `criu lazy/,
  });
  const daemon = await startDaemon(at);
  await at.restore(bundle, ['--lazy-pages']);
  t.equal((await at.goesOn(bundle, saved)).intact, block.pages);
  t.equal((await daemon.done).code, 0, 'it ends when it has brought all');
});

t.test('restore --lazy-pages ends with an error when no pages come', { skip: skipLazy }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle(undefined, ['memory']);
  await at.checkpoint(await at.start(bundle));
  const nobody = ['--page-server', '--address', '127.0.0.1', '--port', String(await freePort())];
  const daemon = await startDaemon(at, nobody);
  const { code, stderr } = await refused(at, bundle);
  t.equal(code, 1);
  t.match(stderr, /cannot restore the container: .*hint: .*whole log is .*restore\.log/);
  daemon.child.kill();
  t.notOk(existsSync(at.box.cgroupOf(bundle)), 'nothing is left');
});

t.test('checkpoint --lazy-pages refuses at once what would fail later', { skip: skipLazy }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  const lazy = (...flags: string[]) => ['checkpoint', '--lazy-pages', ...flags, '--image-path', at.images(), id];
  t.match(await at.runtime(lazy()), { code: 1, stderr: /--lazy-pages needs --page-server ADDRESS:PORT/ });
  t.match(await at.runtime(lazy('--pre-dump')), { code: 1, stderr: /give one of them/ });
  const confined = ['--bounding-set=-sys_resource', '--inh-caps=-sys_resource', runtimePath, '--root', at.box.root];
  const served = ['--page-server', '127.0.0.1:1'];
  const { done } = at.box.startProgram('setpriv', [...confined, ...lazy(...served)], { env: at.env });
  t.match(await done, { code: 1, stderr: /larger than fs\.pipe-max-size, and CAP_SYS_RESOURCE is missing/ });
  const checked = at.box.startProgram('setpriv', [...confined, ...lazy('--check', ...served)], { env: at.env });
  t.match(await checked.done, { code: 1, stdout: /^error: --lazy-pages: CRIU needs pipes larger/m });
  t.notOk(existsSync(at.images()));
  await at.goesOn(bundle, witness(bundle));
});

t.test(
  'checkpoint --lazy-pages: another container goes on, and fetches the memory',
  { skip: skipServer },
  async (t) => {
    const at = new Checkpoints(sandbox(t), criu);
    const bundle = at.bundle(undefined, ['memory']);
    const id = await at.start(bundle);
    const address = { host: '127.0.0.1', port: String(await freePort()) };
    const server = ['--page-server', `${address.host}:${address.port}`, '--status-fd', '1'];
    const line = ['checkpoint', '--lazy-pages', ...server, '--network-lock', 'skip', '--image-path', at.images(), id];
    // A file: CRIU opens it again below /proc, which is not possible for a socket, such as Node's pipes are.
    const outputFiles = join(at.box.directory, 'status');
    const checkpoint = at.box.startRuntime(line, { env: at.env, outputFiles });
    await waitFor(
      'the byte that says that pages are served',
      () => readFileSync(`${outputFiles}.out`, 'utf8') === '\0' || undefined,
    );
    const saved = witness(bundle) as Witness;
    const copy = at.moved(bundle);
    const daemon = await startDaemon(at, ['--page-server', '--address', address.host, '--port', address.port]);
    await at.restore(copy, ['--lazy-pages']);
    t.equal((await at.goesOn(copy, saved)).intact, block.pages);
    t.equal((await checkpoint.done).code, 0);
    t.equal((await daemon.done).code, 0);
    t.match((await at.box.runtime(['state', id])).stderr, /container does not exist/, 'the first is gone');
  },
);
