import { constants } from 'node:os';
import { join } from 'node:path';
import { lastErrors } from '../../criu/log.ts';
import type { Response } from '../../criu/messages.ts';
import { TsrunError } from '../../errors.ts';

/** Messages of CRIU's, and what helps against each. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/--tcp-established/, 'it has open TCP connections: --tcp-established keeps them, --tcp-close has them closed'],
  [/--file-locks|file locks are hold/, 'it holds file locks: --file-locks'],
  [
    /--shell-job|Can't lookup mount=.* path=\/dev\/(pts|tty)/,
    'it belongs to a session or a terminal outside: --shell-job',
  ],
  [
    /--ext-unix-sk|External socket|Unix socket \d+ not found/,
    'it is connected to a Unix socket outside: --ext-unix-sk',
  ],
  [/link.remap/i, 'a file that it has open has been removed: --link-remap'],
  [/ghost file/i, 'a file that it has open has been removed, and is large: `ghost-limit SIZE` in /etc/criu/tsrun.conf'],
  [/in-flight|in flight/i, 'a connection is just being made: --tcp-skip-in-flight'],
  [
    /file fd\/\d.*No such device or address/,
    'stdin, stdout and stderr of restore must be pipes or files here, not sockets',
  ],
  [
    /bad size \d+ \(expect/,
    'a file that it has open has changed since the checkpoint: it needs the root filesystem of that time',
  ],
  [
    /Unix socket \d+ without peer/,
    'it is connected to a Unix socket of another network namespace: have it closed first',
  ],
  [
    /restore of existing cgroups/,
    'the container’s cgroup is tsrun’s to make: --manage-cgroups-mode soft, which is the default',
  ],
  [
    /kerndat_tcp_repair failed/,
    'CRIU connects to 127.0.0.1 in the network namespace that this command is in: ip link set lo up',
  ],
  [
    /\.img: Permission denied|file fd\/\d: Permission denied/,
    'in a user namespace CRIU opens the images, and files that are its output, as the container’s root: let it read them',
  ],
  [/No space left on device/, 'the filesystem of --image-path is full'],
  [/iptables|nft/i, 'CRIU locks the network with iptables or nftables: install one, or --network-lock skip'],
];

/** Reports a failure in CRIU's own words. */
export function criuFailure(
  what: string,
  {
    answer,
    directory,
    log,
    output,
  }: { answer: Response | undefined; directory: string; log: string; output: string | undefined },
): TsrunError {
  const path = join(directory, log);
  const lines = lastErrors(path);
  const said = lines.length > 0 ? lines.join('; ') : (answer?.cr_errmsg ?? output ?? codeOf(answer));
  const helps = hints.find(([words]) => words.test(said))?.[1];
  return new TsrunError(`${what}: ${answer === undefined ? 'criu was ended before it was done' : 'criu'}: ${said}`, {
    hint: [helps, `the whole log is ${path}`].filter(Boolean).join('; '),
  });
}

function codeOf(answer: Response | undefined): string {
  const code = answer?.cr_errno ?? 0;
  const name = Object.entries(constants.errno).find(([, value]) => value === code)?.[0];
  return name ?? 'it gives no reason';
}
