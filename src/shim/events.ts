/**
 * Sends events to containerd, in order, over its ttrpc socket; an event that containerd cannot take now is sent later.
 */
import { createConnection } from 'node:net';
import { encode, type Message, type MessageType } from '../protobuf/wire.ts';
import { events, forwardRequest, request, timestampOf } from './messages.ts';
import { frame } from './ttrpc.ts';

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
      if (await forward(this.#address, first.payload)) {
        first.sent();
        if (this.#waiting[0] === first) this.#waiting.shift();
      } else await new Promise((resolve) => setTimeout(resolve, retryAfter).unref());
    }
    this.#sending = false;
  }
}

/** Whether there was an answer, even one that refuses the event. */
function forward(path: string, payload: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const end = (done: boolean) => {
      resolve(done);
      socket.destroy();
    };
    socket.setTimeout(patience, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', () => end(true));
    socket.write(frame(1, 'request', encode(request, { service, method: 'Forward', payload })));
  });
}
