import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import { decode, encode } from '../protobuf/wire.ts';
import { type Request, type Response, request, requestType, response } from './messages.ts';

/** The first version that runs on the kernels tsrun runs on; it has everything that tsrun asks of it. */
const oldest = { major: 4, minor: 0 };

/** In bytes. CRIU's longest message, with an error's text, is far shorter. */
const longestMessage = 64 * 1024;

/** In milliseconds: how often the watch of a request is asked. */
const watchInterval = 500;

/**
 * Empty and read-only in the mount namespace of a restore's CRIU. Every procfs has this mount point, and the root of any
 * user namespace may pass through.
 */
export const emptyDirectory = '/proc/fs/nfsd';

/** Gets what CRIU reports on its way, with the name of its script; CRIU waits until this returns. */
export type Notify = (script: string, pid: number, fd: number) => void;

/** Attributes that CRIU does not save: it must have them itself, for the processes that it makes to inherit them. */
export interface InheritedAttributes {
  /** personality(2) */
  readonly persona?: number;
  /** set_mempolicy(2), with the mask of its nodes in words */
  readonly memoryPolicy?: { readonly mode: number; readonly nodes: BigUint64Array };
}

export interface ServiceOptions {
  /** For a restore, a directory to turn into a mount point; '' for none. */
  root?: string;
  /** Descriptors that a request refers to. */
  inherit?: readonly number[];
  /** CRIU takes a shell job's terminal from its own stdin. */
  input?: number;
  attributes?: InheritedAttributes;
}

/** One `criu swrk`, a child of this process, for one task: it answers the requests on its socket. */
export class CriuService {
  readonly pid: number;
  readonly #pidfd: number;
  readonly #socket: number;
  /** What it writes outside its log. */
  readonly #output: number;
  #ended = false;

  /** @throws TsrunError when criu is missing or too old; nothing has been changed then */
  constructor({ root = '', inherit = [], input = -1, attributes = {} }: ServiceOptions) {
    const [ours, theirs] = addon().socketPair();
    this.#socket = ours;
    this.#output = addon().memfd('criu-output', 0);
    try {
      const { pid, pidfd } = addon().startService({
        args: ['criu', 'swrk', String(theirs)],
        inherit: [theirs, ...inherit],
        input,
        output: this.#output,
        root,
        empty: root === '' ? '' : emptyDirectory,
        ownGroup: input < 0,
        persona: attributes.persona ?? -1,
        memoryMode: attributes.memoryPolicy?.mode ?? -1,
        memoryNodes: attributes.memoryPolicy?.nodes ?? new BigUint64Array(),
      });
      this.pid = pid;
      this.#pidfd = pidfd;
    } catch (error) {
      closeQuietly(ours);
      closeQuietly(this.#output);
      throw notStarted(error);
    } finally {
      closeQuietly(theirs);
    }
    try {
      this.#demandVersion();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #demandVersion(): void {
    const answer = this.request({ type: requestType.version, keep_open: true });
    const { major_number: major = 0, minor_number: minor = 0 } = answer?.version ?? {};
    const isNew = major > oldest.major || (major === oldest.major && minor >= oldest.minor);
    if (answer?.success === true && isNew) return;
    if (answer?.success !== true) {
      throw new TsrunError('criu does not say its version', {
        hint: this.output() ?? 'look at what `criu check` says',
      });
    }
    throw new TsrunError(`criu ${major}.${minor} is too old: tsrun needs ${oldest.major}.${oldest.minor} or later`, {
      hint: 'install a later one, such as Debian forky’s',
    });
  }

  /**
   * Sends a request, and does what CRIU asks for meanwhile.
   *
   * @param isStuck asked again and again while CRIU works; if it is, it is not waited for any longer
   * @returns its answer; undefined when it has ended without one, or is stuck
   * @throws what `notify` has thrown, after CRIU has been told and has undone its work
   */
  request(message: Request, notify: Notify = () => {}, isStuck?: () => boolean): Response | undefined {
    let failure: { error: unknown } | undefined;
    for (let answer = this.#exchange(message, isStuck); ; ) {
      if (answer?.response.type !== requestType.notify || answer.response.notify === undefined) {
        if (failure !== undefined) throw failure.error;
        return answer?.response;
      }
      const { script = '', pid = 0 } = answer.response.notify;
      try {
        if (failure === undefined) notify(script, pid, answer.fd);
      } catch (error) {
        failure = { error };
      } finally {
        if (answer.fd >= 0) closeQuietly(answer.fd);
      }
      answer = this.#exchange({ type: requestType.notify, notify_success: failure === undefined }, isStuck);
    }
  }

  #exchange(message: Request, isStuck?: () => boolean): { response: Response; fd: number } | undefined {
    try {
      addon().sendMessage(this.#socket, encode(request, message));
    } catch (error) {
      if (errorCode(error) !== 'EPIPE') throw error;
      return undefined;
    }
    const interval = isStuck && watchInterval;
    let received = addon().receiveMessage(this.#socket, longestMessage, interval);
    while (received === undefined && isStuck?.() === false) {
      received = addon().receiveMessage(this.#socket, longestMessage, interval);
    }
    if (!received) return undefined;
    return { response: decode(response, received.data.subarray(0, received.size)), fd: received.fd };
  }

  /** What it has written outside its log; undefined when that is nothing. */
  output(): string | undefined {
    const text = addon().readFile(`/proc/self/fd/${this.#output}`).toString().trim();
    return text === '' ? undefined : text;
  }

  /** Ends it and its mount namespace. A restored container stays: it is a child of this process. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    closeQuietly(this.#socket);
    addon().pidfdSignal(this.#pidfd, 9);
    addon().reap(this.#pidfd);
    closeQuietly(this.#pidfd);
    closeQuietly(this.#output);
  }
}

/** By the system call that fails. */
const attributeProperties: Readonly<Record<string, string>> = {
  personality: '/linux/personality',
  set_mempolicy: '/linux/memoryPolicy',
};

function notStarted(error: unknown): unknown {
  if (errorCode(error) === 'ENOENT' && (error as NodeJS.ErrnoException).syscall === 'spawn') {
    return new TsrunError('checkpoint and restore need criu, and there is none on the PATH', {
      hint: 'install the package criu, 4.0 or later',
    });
  }
  const about = attributeProperties[String((error as NodeJS.ErrnoException).syscall)];
  if (about !== undefined) {
    return new TsrunError(`cannot be set for the restored processes: ${errorCode(error)}`, { about, cause: error });
  }
  return new TsrunError(`criu cannot be started: ${errorCode(error)}`, { hint: systemHint(error), cause: error });
}
