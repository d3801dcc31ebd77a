/**
 * Sends events to containerd, in order, over its ttrpc socket; an event that containerd cannot take now is sent later.
 */
import { createConnection, type Socket } from 'node:net';
import { encode, type Message, type MessageType } from '../protobuf/wire.ts';
import { events, forwardRequest, request, timestampOf } from './messages.ts';
import { FrameReader, frame } from './ttrpc.ts';

const service = 'containerd.services.events.ttrpc.v1.Events';

/**
 * The most events that wait; beyond it the oldest are dropped. containerd itself asks for states when it comes back.
 */
const mostWaiting = 10_000;
/** In milliseconds. */
const retryAfter = 1000;
const patience = 5000;

export type Topics = keyof typeof events;
export type EventOf<Topic extends Topics> = Message<(typeof events)[Topic]['fields']>;

export class Publisher {
  readonly #address: string;
  /** Open from the first event on, until containerd closes it. */
  #connection: Connection | undefined;
  readonly #waiting: { readonly payload: Uint8Array; sent(): void }[] = [];
  #sending = false;

  /** @param address of containerd's ttrpc socket; '' publishes nothing */
  constructor(address: string) {
    this.#address = address.replace(/^unix:\/\//, '');
  }

  /** @returns a promise that settles when containerd has taken it; never for an event that is dropped */
  publish<Topic extends Topics>(namespace: string, topic: Topic, event: EventOf<Topic>): Promise<void> {
    if (this.#address === '') return Promise.resolve();
    const { type, fields } = events[topic];
    const value = encode(fields as MessageType, event as object);
    const envelope = { timestamp: timestampOf(Date.now()), namespace, topic };
    const payload = encode(forwardRequest, { envelope: { ...envelope, event: { type_url: type, value } } });
    return new Promise((resolve) => {
      this.#waiting.push({ payload, sent: resolve });
      if (this.#waiting.length > mostWaiting) this.#waiting.shift();
      void this.#send();
    });
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (await this.#forward(first.payload)) {
        first.sent();
        if (this.#waiting[0] === first) this.#waiting.shift();
      } else await new Promise((resolve) => setTimeout(resolve, retryAfter).unref());
    }
    this.#sending = false;
  }

  /** Whether there was an answer. A connection of before may have ended without anybody's having told yet. */
  async #forward(payload: Uint8Array): Promise<boolean> {
    if (this.#connection?.isOpen && (await this.#connection.forward(payload))) return true;
    this.#connection = new Connection(this.#address);
    return this.#connection.forward(payload);
  }
}

/** A connection to containerd, for one request at a time. */
class Connection {
  readonly #socket: Socket;
  #stream = -1;
  #settle: (isAnswered: boolean) => void = () => undefined;

  constructor(path: string) {
    const reader = new FrameReader();
    this.#socket = createConnection(path);
    this.#socket.on('data', (data) => {
      try {
        for (const { stream } of reader.take(data)) if (stream === this.#stream) this.#settle(true);
      } catch {
        this.#end();
      }
    });
    for (const end of ['error', 'close', 'timeout'] as const) this.#socket.on(end, () => this.#end());
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** @returns whether there was an answer, even one that refuses the event */
  forward(payload: Uint8Array): Promise<boolean> {
    this.#stream += 2;
    const message = encode(request, { service, method: 'Forward', payload });
    this.#socket.setTimeout(patience);
    this.#socket.write(frame(this.#stream, 'request', message));
    return new Promise<boolean>((resolve) => {
      this.#settle = resolve;
    }).finally(() => this.#socket.setTimeout(0));
  }

  #end(): void {
    this.#socket.destroy();
    this.#settle(false);
  }
}
