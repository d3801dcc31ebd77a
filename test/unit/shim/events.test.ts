/** Events reach a containerd that ends connections, or goes away for a while. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { decode, encode } from '../../../src/protobuf/wire.ts';
import { Publisher } from '../../../src/shim/events.ts';
import { events, forwardRequest, request, response } from '../../../src/shim/messages.ts';
import { FrameReader, frame } from '../../../src/shim/ttrpc.ts';

const ids = ['one', 'two', 'three'];

type Answer = (socket: Socket, whole: Buffer, events: number) => void;

/** Takes events, and does with each connection what `answer` says. */
class Containerd {
  readonly path: string;
  readonly taken: string[] = [];
  connections = 0;
  readonly #answer: Answer;
  #server: Server | undefined;

  constructor(t: Test, answer: Answer) {
    const directory = mkdtempSync(join(tmpdir(), 'tsrun-events-'));
    this.path = join(directory, 'socket');
    this.#answer = answer;
    t.teardown(() => {
      this.#server?.close();
      rmSync(directory, { recursive: true });
    });
  }

  async listen(): Promise<void> {
    this.#server = createServer((socket) => {
      this.connections++;
      const reader = new FrameReader();
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        for (const { stream, body } of reader.take(data)) {
          this.taken.push(containerOf(body));
          this.#answer(socket, frame(stream, 'response', encode(response, {})), this.taken.length);
        }
      });
    });
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
  }
}

function containerOf(body: Uint8Array): string {
  const { payload = new Uint8Array() } = decode(request, body);
  const value = decode(forwardRequest, payload).envelope?.event?.value ?? new Uint8Array();
  return decode(events['/tasks/paused'].fields, value).container_id ?? '';
}

function publishAll(path: string): Promise<unknown> {
  const publisher = new Publisher(`unix://${path}`);
  return Promise.all(ids.map((container_id) => publisher.publish('default', '/tasks/paused', { container_id })));
}

t.test('one connection carries them all', async (t) => {
  const open: Socket[] = [];
  const containerd = new Containerd(t, (socket, answer) => {
    open.push(socket);
    socket.write(answer);
  });
  await containerd.listen();
  await publishAll(containerd.path);
  t.same(containerd.taken, ids);
  t.equal(containerd.connections, 1);
  for (const each of open) each.destroy();
});

t.test('an answer in single bytes', async (t) => {
  const containerd = new Containerd(t, (socket, answer) => {
    for (const byte of answer) socket.write(Buffer.from([byte]));
    if (answer[7] === 5) socket.end();
  });
  await containerd.listen();
  await publishAll(containerd.path);
  t.same(containerd.taken, ids);
});

t.test('a connection that ends when there is nothing to send', async (t) => {
  const containerd = new Containerd(t, (socket, answer) => socket.end(answer));
  await containerd.listen();
  const publisher = new Publisher(`unix://${containerd.path}`);
  for (const container_id of ids) {
    await publisher.publish('default', '/tasks/paused', { container_id });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.same(containerd.taken, ids);
  t.equal(containerd.connections, 3);
});

t.test('a connection that ends in place of the second answer', async (t) => {
  const containerd = new Containerd(t, (socket, answer, events) => {
    if (events === 2) socket.destroy();
    else if (events === 4) socket.end(answer);
    else socket.write(answer);
  });
  await containerd.listen();
  await publishAll(containerd.path);
  t.same(containerd.taken, ['one', 'two', 'two', 'three']);
  t.equal(containerd.connections, 2);
});

t.test('a frame that cannot be one', async (t) => {
  const containerd = new Containerd(t, (socket, answer, events) => {
    if (events === 1) socket.write(Buffer.alloc(10, 0xff));
    else if (events === 4) socket.end(answer);
    else socket.write(answer);
  });
  await containerd.listen();
  await publishAll(containerd.path);
  t.same(containerd.taken, ['one', ...ids]);
});

t.test('a containerd that comes later', async (t) => {
  const containerd = new Containerd(t, (socket, answer, events) => {
    if (events === 3) socket.end(answer);
    else socket.write(answer);
  });
  const published = publishAll(containerd.path);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await containerd.listen();
  await published;
  t.same(containerd.taken, ids);
});
