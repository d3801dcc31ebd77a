import { randomBytes } from 'node:crypto';

/** What a VM does. */
export interface Job {
  /** Program and arguments, looked up in PATH. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Directory that comes first in PATH. */
  readonly binDir: string;
  /** Size of the caller's terminal if the job uses one; otherwise stdin is empty and output is unchanged. */
  readonly terminal?: { readonly rows: number; readonly columns: number } | undefined;
}

/** The text that ends each output stream of a job; random, so that no job prints it by accident. */
export function makeTrailer(): string {
  return `\u001e${randomBytes(12).toString('hex')} `;
}

/**
 * The bash script that the guest runs with the job's streams. After the command it prints the trailer and the exit code
 * to stdout and stderr: a stream is complete once its trailer has arrived.
 */
export function jobScript(job: Job, trailer: string): string {
  const { setUp, start, tearDown } = job.terminal ? onTerminal(job.terminal) : onPipes;
  const end = quote(`${trailer}%d\u001e`);
  return [
    ...setUp,
    `export PATH=${quote(`${job.binDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`)}`,
    ...Object.entries(job.env).map(([name, value]) => `export ${name}=${quote(value)}`),
    `cd ${quote(job.cwd)} && ${start(job.command.map(quote).join(' '))}`,
    'status=$?',
    ...tearDown,
    `printf ${end} $status`,
    `printf ${end} $status >&2`,
    // If this script ended, systemd would kill the processes that still pass the trailers on; the host ends the VM.
    'exec sleep infinity',
    '',
  ].join('\n');
}

/** The guest's end of a stream is a terminal, on which programs behave differently, so cat is in between. */
const onPipes = {
  setUp: ['exec > >(exec cat) 2> >(exec cat >&2)'],
  start: (command: string) => `${command} </dev/null`,
  tearDown: [],
};

function onTerminal({ rows, columns }: { rows: number; columns: number }) {
  return {
    // The caller's terminal already turns LF into CR LF.
    setUp: [`stty sane -onlcr rows ${rows} columns ${columns}`],
    start: (command: string) => `setsid --ctty --wait ${command} 2>&1`,
    // The end of the session hangs the terminal up for everybody who has it open.
    tearDown: ['exec </proc/self/fd/0 >/proc/self/fd/1', 'stty raw -echo'],
  };
}

/** Quotes any text as one word for a POSIX shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
