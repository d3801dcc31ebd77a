/** The worker's part of exec. */
import { readFileSync, writeFileSync } from 'node:fs';
import { addon } from '../addon.ts';
import { parseSpecText } from '../config/read/parse.ts';
import { validateProcess } from '../config/validate/process.ts';
import { type ExecRequest, prepareExec, startProcess } from '../container/exec.ts';
import { type MadeProcess, parseUser, processMaker } from '../container/exec-process.ts';
import { logFindings } from '../container/log-findings.ts';
import type { ContainerDirectory } from '../container/store.ts';
import type { Process } from '../generated/spec.ts';
import { checkConsole } from '../host/descriptor-sockets.ts';
import { identityOf } from '../host/processes.ts';
import type { Child, Identity, Place } from './places.ts';
import { jsonText } from './plain-values.ts';

export interface ExecJob extends Place {
  /**
   * The program and its arguments, or what differs from the container's own process, or the JSON text of a process that
   * takes nothing from that one.
   */
  readonly process: readonly string[] | Partial<Process> | string;
  /** name=value. */
  readonly env: readonly string[];
  readonly cwd: string | undefined;
  /** As --user of exec. */
  readonly user: string | undefined;
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly cgroup: string | undefined;
  readonly ignorePaused: boolean;
  readonly pidFile: string | undefined;
  readonly descriptors: readonly number[];
  /** Whether the caller takes the terminal's master itself. */
  readonly holdsTerminal?: boolean;
  /** Where the process is noted before it is the program: this process may be killed at any moment. */
  readonly notes?: ProcessNotes;
}

export interface ProcessNotes {
  /** Gets the process's identity, as JSON. */
  readonly path: string;
  /** The message by which another process keeps the master of its terminal, if it has one. */
  readonly terminal: { readonly socket: number; readonly text: string };
}

export function execFrom(directory: ContainerDirectory, job: Omit<ExecJob, keyof Place>): Child {
  const { notes } = job;
  const user = job.user === undefined ? {} : parseUser(job.user);
  let identity: Identity | undefined;
  const request: ExecRequest = {
    process: makerOf(job, user),
    // The caller looks after the process.
    detach: true,
    pidFile: job.pidFile,
    consoleSocket: undefined,
    pidfdSocket: undefined,
    preserveFds: job.descriptors.length - 3,
    descriptors: job.descriptors,
    cgroup: job.cgroup,
    ignorePaused: job.ignorePaused,
    userName: user.userName,
    groupName: user.groupName,
    noteProcess:
      notes &&
      ((made) => {
        identity = noteProcess(made, notes);
      }),
  };
  const prepared = prepareExec(directory, request);
  checkConsole(prepared.spec.process?.terminal === true, job.holdsTerminal !== true, undefined);
  logFindings(prepared.plan, prepared.sourceOf);
  const affinity = prepared.plan.ops.some(({ op }) => op === 'set-own-cpu-affinity') ? ownAffinity() : undefined;
  try {
    const { pid, pidfd, terminal } = startProcess(directory, prepared, request);
    return { pid, pidfd, ...(terminal >= 0 && { terminal }), ...(identity && { identity }) };
  } finally {
    // A command would end here; a worker goes on, and needs its own CPUs again.
    if (affinity !== undefined) addon().setOwnCpuAffinity(affinity);
  }
}

type NotedProcess = Required<Pick<Child, 'pid' | 'pidfd' | 'terminal'>>;

/** The terminal first: without its master, a process that has been noted would get SIGHUP. */
function noteProcess({ pid, pidfd, terminal }: NotedProcess, { path, terminal: keeper }: ProcessNotes): Identity {
  const identity = identityOf(pid, pidfd);
  if (terminal >= 0) addon().sendMessage(keeper.socket, Buffer.from(keeper.text), terminal);
  writeFileSync(path, JSON.stringify(identity), { mode: 0o600 });
  return identity;
}

type ProcessMaker = (own: Process | undefined) => MadeProcess;
type User = ReturnType<typeof parseUser>;

function makerOf(job: Omit<ExecJob, keyof Place>, user: User): ProcessMaker {
  const { process } = job;
  if (typeof process === 'string') return () => complete(process);
  return isCommand(process) ? fromCommand(process, job, user) : changed(process);
}

function isCommand(process: readonly string[] | Partial<Process>): process is readonly string[] {
  return Array.isArray(process);
}

/** The text and not its value, which may have lost digits. */
function complete(text: string): MadeProcess {
  const path = 'process';
  const { process, source } = validateProcess(parseSpecText(text, path), { text, path });
  return { process, given: process, source };
}

function fromCommand(command: readonly string[], job: Omit<ExecJob, keyof Place>, user: User): ProcessMaker {
  const { cwd, env, noNewPrivileges, capabilities } = job;
  const rest = { file: undefined, tty: false, additionalGids: [], label: undefined, apparmor: undefined };
  return processMaker({ ...rest, command, cwd, env, user, noNewPrivileges, capabilities });
}

function changed(given: Partial<Process>): ProcessMaker {
  return (own) => {
    const whole = { cwd: '/', ...own, terminal: false, ...given };
    const text = jsonText(whole, 'process');
    const { process, source } = validateProcess(JSON.parse(text), { text, path: 'process' });
    return { process, given: process, source };
  };
}

/** The CPUs of this thread; the kernel writes them in words of 32 bits, last word first (proc_pid_status(5)). */
function ownAffinity(): BigUint64Array {
  const status = readFileSync('/proc/thread-self/status', 'latin1');
  const digits = (/^Cpus_allowed:\t(.*)$/m.exec(status)?.[1] ?? '').replaceAll(',', '');
  const words: bigint[] = [];
  for (let end = digits.length; end > 0; end -= 16) words.push(BigInt(`0x${digits.slice(Math.max(0, end - 16), end)}`));
  return BigUint64Array.from(words);
}
