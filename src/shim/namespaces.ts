/** The task services of one engine: one for each containerd namespace that it has heard of. */
import type { Publisher } from './events.ts';
import type { Keeper } from './keeper.ts';
import { Ledger } from './ledger.ts';
import { TaskService } from './service.ts';
import { type Call, Status } from './ttrpc.ts';

/** As containerd has them (pkg/identifiers). */
const identifier = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;

export interface NamespacesOptions {
  readonly socket: string;
  /** Of calls that name none. */
  readonly namespace: string;
  readonly keeper: Pick<Keeper, 'depotOf'>;
  readonly publisher: Publisher;
}

export class Namespaces {
  readonly #options: NamespacesOptions;
  readonly #services = new Map<string, TaskService>();

  constructor(options: NamespacesOptions) {
    this.#options = options;
  }

  readonly answer = async (call: Call): Promise<Uint8Array> => this.#of(call.namespace).answer(call);

  /** Goes on with the tasks of an earlier engine's. */
  async adoptAll(): Promise<void> {
    for (const namespace of Ledger.namespaces(this.#options.socket)) await this.#of(namespace).adoptAll();
  }

  get isEmpty(): boolean {
    return [...this.#services.values()].every((service) => service.isEmpty);
  }

  #of(named: string): TaskService {
    const { socket, keeper, publisher } = this.#options;
    const namespace = named === '' ? this.#options.namespace : named;
    const known = this.#services.get(namespace);
    if (known !== undefined) return known;
    if (!identifier.test(namespace)) throw new Status('invalidArgument', `no namespace: ${JSON.stringify(namespace)}`);
    const service = new TaskService(namespace, publisher, keeper, new Ledger(socket, namespace));
    this.#services.set(namespace, service);
    return service;
  }
}
