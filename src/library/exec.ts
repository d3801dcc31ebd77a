/** Runs one more process in a container. */
import { resolve } from 'node:path';
import type { Process } from '../generated/spec.ts';
import { checkArgument, checkOptions, may, type Shape } from './arguments.ts';
import type { ExecJob } from './exec-job.ts';
import { type Abortable, abortable, milliseconds } from './options.ts';
import type { Place } from './places.ts';
import { runJob } from './pool.ts';
import { ContainerProcess } from './process.ts';
import { openStdio, type StdioOptions } from './stdio.ts';

/** If `process` is a list, anything missing here is taken from the container's own process. */
export interface ExecOptions extends Abortable {
  /** Default: pipe. */
  readonly stdio?: StdioOptions | undefined;
  /** Added to the container's own. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** `uid`, `uid:gid`, or names of the container's /etc/passwd and /etc/group. */
  readonly user?: string | number | undefined;
  /** Added to the container's own. */
  readonly capabilities?: readonly string[] | undefined;
  readonly noNewPrivileges?: boolean | undefined;
  /** A cgroup below the container's. */
  readonly cgroup?: string | undefined;
  /** Start even if the container is paused; the process then runs when the container is resumed. */
  readonly ignorePaused?: boolean | undefined;
  /** A file for the process's pid. */
  readonly pidFile?: string | undefined;
  /** Milliseconds after which the process is killed. */
  readonly timeout?: number | undefined;
}

export type ExecProcess = readonly string[] | Partial<Process>;

const execShape: Shape<ExecOptions> = {
  ...{ ...abortable, stdio: may.stdio, env: may.variables, cwd: may.text, user: may.textOrNumber },
  ...{ capabilities: may.texts, noNewPrivileges: may.flag, cgroup: may.text, ignorePaused: may.flag },
  ...{ pidFile: may.path, timeout: may.number },
};

export function execIn(place: Place, process: ExecProcess, given: ExecOptions): ContainerProcess {
  checkArgument('process', process, Array.isArray(process) ? may.texts : may.object);
  const options = checkOptions(given, execShape);
  const { env = {}, cwd, user, capabilities = [], noNewPrivileges = false, cgroup, ignorePaused = false } = options;
  const timeout = milliseconds('timeout', options.timeout ?? 0);
  const stdio = openStdio(options.stdio ?? 'pipe', 'pipe');
  const job: ExecJob = {
    ...place,
    ...{ process, cwd, capabilities, noNewPrivileges, cgroup, ignorePaused },
    env: Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
    user: user === undefined ? undefined : String(user),
    pidFile: options.pidFile === undefined ? undefined : resolve(options.pidFile),
    descriptors: stdio.descriptors,
  };
  return new ContainerProcess({
    stdio,
    signal: options.signal,
    timeout,
    launch: (signal) => runJob('exec', job, signal),
    finish: ({ pidfd }) => runJob('reap', { pidfd }),
  });
}
