import { TsrunError } from '../errors.ts';

/** The caller's descriptors from 3 on that a container keeps, and the environment that describes them. */
export interface PassedDescriptors {
  readonly count: number;
  readonly env: readonly string[];
}

/**
 * As in runc, sockets of socket activation (sd_listen_fds(3)) come first, then the descriptors of --preserve-fds, and
 * the container's program is assumed to be process 1.
 */
export function passedDescriptors(preserved: number): PassedDescriptors {
  const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES } = process.env;
  const listening = Number(LISTEN_PID) === process.pid && /^\d{1,6}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  demandOpen(listening, 'LISTEN_FDS in the environment');
  const count = listening + preserved;
  demandOpen(count, `--preserve-fds ${preserved}`);
  if (listening === 0) return { count, env: [] };
  const names = LISTEN_FDNAMES === undefined ? [] : [`LISTEN_FDNAMES=${LISTEN_FDNAMES}`];
  return { count, env: [`LISTEN_FDS=${listening}`, 'LISTEN_PID=1', ...names] };
}

/** --preserve-fds of exec, which gets no sockets of socket activation. */
export function demandDescriptors(preserved: number): number {
  demandOpen(preserved, `--preserve-fds ${preserved}`);
  return preserved;
}

/** A descriptor that the caller has not opened may be one of this process's own, which a container must not get. */
function demandOpen(count: number, what: string): void {
  const open = process.env.TSRUN_FDS;
  if (open === undefined || count <= Number(open)) return;
  throw new TsrunError(`${what}: descriptor ${3 + Number(open)} is not open`, {
    hint: 'they must be open from 3 on, without a gap',
  });
}
