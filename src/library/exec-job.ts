/** The worker's part of exec. */
import { readFileSync } from 'node:fs';
import { addon } from '../addon.ts';
import { validateProcess } from '../config/validate/process.ts';
import { type ExecRequest, prepareExec, startProcess } from '../container/exec.ts';
import { type MadeProcess, parseUser, processMaker } from '../container/exec-process.ts';
import { logFindings } from '../container/log-findings.ts';
import type { ContainerDirectory } from '../container/store.ts';
import type { Process } from '../generated/spec.ts';
import type { Child, Place } from './places.ts';

export interface ExecJob extends Place {
  /** The program and its arguments, or what differs from the container's own process. */
  readonly process: readonly string[] | Partial<Process>;
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
}

export function execFrom(directory: ContainerDirectory, job: Omit<ExecJob, keyof Place>): Child {
  const user = job.user === undefined ? {} : parseUser(job.user);
  const request: ExecRequest = {
    process: isCommand(job.process) ? fromCommand(job.process, job, user) : changed(job.process),
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
  };
  const prepared = prepareExec(directory, request);
  logFindings(prepared.plan, prepared.sourceOf);
  const affinity = prepared.plan.ops.some(({ op }) => op === 'set-own-cpu-affinity') ? ownAffinity() : undefined;
  try {
    const { pid, pidfd } = startProcess(directory, prepared, request);
    return { pid, pidfd };
  } finally {
    // A command would end here; a worker goes on, and needs its own CPUs again.
    if (affinity !== undefined) addon().setOwnCpuAffinity(affinity);
  }
}

function isCommand(process: ExecJob['process']): process is readonly string[] {
  return Array.isArray(process);
}

function fromCommand(command: readonly string[], job: Omit<ExecJob, keyof Place>, user: ReturnType<typeof parseUser>) {
  const { cwd, env, noNewPrivileges, capabilities } = job;
  const rest = { file: undefined, tty: false, additionalGids: [], label: undefined, apparmor: undefined };
  return processMaker({ ...rest, command, cwd, env, user, noNewPrivileges, capabilities });
}

function changed(given: Partial<Process>): (own: Process | undefined) => MadeProcess {
  return (own) => {
    const whole = { cwd: '/', ...own, terminal: false, ...given };
    const text = JSON.stringify(whole, null, 2);
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
