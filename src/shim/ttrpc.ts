/** ttrpc on a stream: frames with a header of ten bytes and a message (github.com/containerd/ttrpc, PROTOCOL.md). */
import type { Socket } from 'node:net';
import { decode, encode } from '../protobuf/wire.ts';
import { request, response } from './messages.ts';

const headerSize = 10;
/** The keeper sets it (addon/keeper/relay.cc). */
const againFlag = 0x40;
/** Metadata of a request, as containerd's clients send it (pkg/namespaces). */
const namespaceKey = 'containerd-namespace-ttrpc';
const frameType = { request: 1, response: 2 } as const;

/** The longest message in a frame, in bytes: ttrpc's own limit. */
export const longestMessage = 4 * 1024 * 1024;

/** How many requests of one connection may be under way; a Wait is, until its process ends. */
const mostAtOnce = 4096;

/** How many bytes of answers a client may leave unread, before its connection is ended. */
const mostUnread = 16 * 1024 * 1024;

/** Numbers of google.rpc.Code, which containerd turns into its errors. */
export const code = {
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
} as const;

/** Answers a call instead of a result. */
export class Status extends Error {
  readonly code: number;
  constructor(status: keyof typeof code, message: string) {
    super(message);
    this.code = code[status];
  }
}

export interface Frame {
  readonly stream: number;
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** Cuts incoming data into frames. */
export class FrameReader {
  #parts: Buffer[] = [];
  #size = 0;

  /** @throws Error for a frame that is too long, as nothing after it can be found */
  *take(data: Buffer): Generator<Frame> {
    this.#parts.push(data);
    this.#size += data.length;
    for (let wanted = this.#wanted(); this.#size >= wanted && this.#size > 0; wanted = this.#wanted()) {
      const all = this.#joined();
      if (all.length < headerSize) return;
      const body = all.subarray(headerSize, wanted);
      this.#parts = [all.subarray(wanted)];
      this.#size = all.length - wanted;
      yield { stream: all.readUInt32BE(4), type: all[8] ?? 0, flags: all[9] ?? 0, body };
    }
  }

  /** Length of the frame that has begun. Joins only a header, as a long frame may come in many small parts. */
  #wanted(): number {
    if (this.#size < headerSize) return headerSize;
    if ((this.#parts[0]?.length ?? 0) < headerSize) this.#joined();
    const length = this.#parts[0]?.readUInt32BE(0) ?? 0;
    if (length > longestMessage) throw new Error(`a frame of ${length} bytes`);
    return headerSize + length;
  }

  #joined(): Buffer {
    const [first] = this.#parts;
    const all = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }
}

export function frame(stream: number, type: keyof typeof frameType, body: Uint8Array): Buffer {
  const whole = Buffer.alloc(headerSize + body.length);
  whole.writeUInt32BE(body.length, 0);
  whole.writeUInt32BE(stream, 4);
  whole[8] = frameType[type];
  whole.set(body, headerSize);
  return whole;
}

export interface Call {
  readonly service: string;
  readonly method: string;
  /** containerd's; '' if the call names none. */
  readonly namespace: string;
  readonly payload: Uint8Array;
  /** Whether an earlier engine has got it, too, and may have done it. */
  readonly isAgain: boolean;
}

/** Answers the requests of one connection, each when it is done; anything that is not ttrpc ends the connection. */
export function serve(socket: Socket, answer: (call: Call) => Promise<Uint8Array>): void {
  const reader = new FrameReader();
  let underWay = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (data: Buffer) => {
    try {
      for (const { stream, type, flags, body } of reader.take(data)) {
        // Data streams belong to methods that the task service does not have.
        if (type !== frameType.request) continue;
        if (underWay >= mostAtOnce) {
          send(stream, new Status('resourceExhausted', `more than ${mostAtOnce} calls at once`));
          continue;
        }
        underWay++;
        void handle(stream, body, (flags & againFlag) !== 0).finally(() => underWay--);
      }
    } catch {
      socket.destroy();
    }
  });

  async function handle(stream: number, body: Buffer, isAgain: boolean): Promise<void> {
    try {
      const { service = '', method = '', payload = new Uint8Array(), metadata = [] } = decodeRequest(body);
      const namespace = metadata.find(({ key }) => key === namespaceKey)?.value ?? '';
      send(stream, await answer({ service, method, namespace, payload, isAgain }));
    } catch (error) {
      send(stream, error as Error);
    }
  }

  function send(stream: number, result: Uint8Array | Error): void {
    if (socket.destroyed) return;
    const body =
      result instanceof Error ? encode(response, { status: statusOf(result) }) : encode(response, { payload: result });
    socket.write(frame(stream, 'response', body));
    if (socket.writableLength > mostUnread) socket.destroy();
  }
}

function decodeRequest(body: Buffer) {
  try {
    return decode(request, body);
  } catch (error) {
    throw new Status('invalidArgument', `no request: ${(error as Error).message}`);
  }
}

function statusOf(error: Error): { code: number; message: string } {
  return { code: error instanceof Status ? error.code : code.unknown, message: error.message };
}
