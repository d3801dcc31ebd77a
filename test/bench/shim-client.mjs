/** Asks the resident shim as containerd does. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';

/** Fields of requests: number and wire type (protobuf; api/runtime/task/v3/shim.proto). */
const fields = { id: 1, exec_id: 2, bundle: 2, spec: 7, signal: 3, value: 2 };

function encode(message) {
  return Buffer.concat(
    Object.entries(message).map(([name, value]) => {
      if (typeof value === 'number') return Buffer.concat([varint(fields[name] << 3), varint(value)]);
      const bytes = typeof value === 'string' || Buffer.isBuffer(value) ? Buffer.from(value) : encode(value);
      return Buffer.concat([varint((fields[name] << 3) | 2), varint(bytes.length), bytes]);
    }),
  );
}

function varint(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/** A client of the resident shim, in a process of its own. */
export class Shim {
  #socket;
  #stream = -1;
  #waiting = new Map();
  #data = Buffer.alloc(0);

  /** @param cwd a bundle */
  static async start(program, cwd) {
    const args = ['-namespace', 'bench', '-id', 'start', '-address', '/run/bench.sock', 'start'];
    const env = { ...process.env, TTRPC_ADDRESS: '' };
    const answer = execFileSync(program, args, { cwd, env, encoding: 'utf8', input: '' });
    const shim = new Shim();
    shim.#socket = createConnection(JSON.parse(answer).address.replace('unix://', ''));
    shim.#socket.on('data', (data) => shim.#take(data));
    await once(shim.#socket, 'connect');
    return shim;
  }

  call(method, message) {
    this.#stream += 2;
    const stream = this.#stream;
    const parts = ['containerd.task.v3.Task', method, encode(message)].map((part, at) => {
      const bytes = Buffer.from(part);
      return Buffer.concat([varint(((at + 1) << 3) | 2), varint(bytes.length), bytes]);
    });
    const body = Buffer.concat(parts);
    const header = Buffer.alloc(10);
    header.writeUInt32BE(body.length, 0);
    header.writeUInt32BE(stream, 4);
    header[8] = 1;
    this.#socket.write(Buffer.concat([header, body]));
    return new Promise((resolve, reject) => this.#waiting.set(stream, { resolve, reject, method }));
  }

  #take(data) {
    this.#data = Buffer.concat([this.#data, data]);
    while (this.#data.length >= 10 && this.#data.length >= 10 + this.#data.readUInt32BE(0)) {
      const end = 10 + this.#data.readUInt32BE(0);
      const { resolve, reject, method } = this.#waiting.get(this.#data.readUInt32BE(4));
      const body = this.#data.subarray(10, end);
      this.#data = this.#data.subarray(end);
      // Field 1 is the status, which only failures have.
      if (body[0] === 0x0a) reject(new Error(`${method}: ${body.toString('latin1')}`));
      else resolve();
    }
  }

  end() {
    this.#socket.destroy();
  }
}
