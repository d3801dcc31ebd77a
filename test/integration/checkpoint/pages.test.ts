/** Memory that a page server takes to another machine. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import t from 'tap';
import { Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { requires, sandbox, waitFor } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;

/** One that was free a moment ago. */
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
