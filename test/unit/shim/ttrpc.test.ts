/** What a bad client sends: torn frames, huge lengths, unknown methods. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { decode, encode } from '../../../src/protobuf/wire.ts';
import { Publisher } from '../../../src/shim/events.ts';
import { connectResponse, processRequest, request, response } from '../../../src/shim/messages.ts';
import { Namespaces } from '../../../src/shim/namespaces.ts';
import { code, FrameReader, frame, longestMessage, serve } from '../../../src/shim/ttrpc.ts';

const service = 'containerd.task.v2.Task';

t.test('a request in single bytes is answered', async (t) => {
  const client = await connect(t);
  for (const byte of call(1, 'Connect')) client.write(Buffer.from([byte]));
  const { status, payload } = await answer(client);
  t.equal(status, undefined);
  t.equal(decode(connectResponse, payload ?? new Uint8Array()).shim_pid, process.ppid);
});

t.test('many requests at once are answered, each on its stream', async (t) => {
  const client = await connect(t);
  client.write(Buffer.concat([1, 3, 5].map((stream) => call(stream, 'Connect'))));
  const streams: number[] = [];
  const reader = new FrameReader();
  while (streams.length < 3) {
    const [data] = (await once(client, 'data')) as [Buffer];
    for (const each of reader.take(data)) streams.push(each.stream);
  }
  t.same(streams.sort(), [1, 3, 5]);
});

t.test('unknown methods and services are Unimplemented, by name', async (t) => {
  const client = await connect(t);
  for (const [name, method] of [
    [service, 'Teleport'],
    [service, 'constructor'],
    ['containerd.task.v9.Task', 'Create'],
  ] as const) {
    client.write(call(1, method, new Uint8Array(), name));
    t.match((await answer(client)).status, { code: code.unimplemented, message: `${name}/${method}` });
  }
});

t.test('invalid messages, and unknown tasks', async (t) => {
  const client = await connect(t);
  client.write(frame(1, 'request', Buffer.from([0xff, 0xff, 0xff])));
  t.match((await answer(client)).status, { code: code.invalidArgument });
  client.write(call(3, 'State', encode(processRequest, { id: '../../etc' })));
  t.match((await answer(client)).status, { code: code.notFound });
  client.write(call(5, 'Create', Buffer.from([0x0a, 0x7f])));
  t.ok((await answer(client)).status, 'a torn message');
  client.write(call(7, 'Connect'));
  t.equal((await answer(client)).status, undefined, 'the connection goes on');
});

t.test('a frame that is too long ends its connection', async (t) => {
  const bad = await connect(t);
  const header = Buffer.alloc(10);
  header.writeUInt32BE(longestMessage + 1, 0);
  header[8] = 1;
  bad.write(header);
  await once(bad, 'close');
  t.ok(bad.destroyed);
});

t.test('a client that reads no answers is cut off', async (t) => {
  const client = await connect(t);
  client.pause();
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.on('error', () => undefined);
  // Each answer has the name of the method.
  const one = call(1, 'x'.repeat(1024 * 1024));
  for (let number = 0; number < 40 && !client.destroyed; number++) {
    if (!client.write(one)) await Promise.race([new Promise((resolve) => client.once('drain', resolve)), closed]);
  }
  client.resume();
  await closed;
  t.pass('the connection has ended');
});

t.test('the reader waits for a long frame without joining its parts', (t) => {
  const reader = new FrameReader();
  const whole = frame(1, 'request', new Uint8Array(100_000));
  const found = [];
  for (let at = 0; at < whole.length; at += 7) found.push(...reader.take(whole.subarray(at, at + 7)));
  t.match(found, [{ stream: 1, type: 1 }]);
  t.equal(found[0]?.body.length, 100_000);
  t.end();
});

async function connect(t: Test): Promise<Socket> {
  // t.testdir() is too long for a socket's path.
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-shim-'));
  const path = join(directory, 'socket');
  const nothing = () => undefined;
  const messageFor = () => ({ socket: -1, text: '' });
  const depot = { store: nothing, messageFor, take: nothing, drop: nothing, dropAll: nothing };
  const keeper = { depotOf: () => depot };
  const tasks = new Namespaces({ socket: path, namespace: 'test', keeper, publisher: new Publisher('') });
  const server = createServer((socket) => serve(socket, tasks.answer)).listen(path);
  await once(server, 'listening');
  const client = createConnection(path);
  t.teardown(() => {
    client.destroy();
    server.close();
    rmSync(directory, { recursive: true });
  });
  return client;
}

function call(stream: number, method: string, payload: Uint8Array = new Uint8Array(), name: string = service): Buffer {
  return frame(stream, 'request', encode(request, { service: name, method, payload }));
}

async function answer(client: Socket) {
  const [data] = (await once(client, 'data')) as [Buffer];
  const [first] = new FrameReader().take(data);
  return decode(response, first?.body ?? Buffer.alloc(0));
}
