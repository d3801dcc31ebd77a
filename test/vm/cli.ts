import { readFileSync } from 'node:fs';
import { vmAvailability } from './availability.ts';
import { runInVm, type VmJob } from './machine.ts';
import { allTiers, type Tier, VmError } from './tier.ts';

const usage = `Usage: npm run vm -- [--tier uml|qemu|aarch64] [--share DIR]... [--packages SET] [--timeout SECONDS] [COMMAND...]

Runs COMMAND, or a shell, as root in a Debian system with systemd and unified cgroup v2. The checkout and each DIR are
copied in at their own paths when it starts; nothing is copied back.`;

interface Options {
  tier: Tier;
  shares: string[];
  packages: string;
  timeoutSeconds?: number;
  command: string[];
}

/** The exit code if something other than the command fails, as with env and timeout. */
const ownFailure = 125;

/** Returns the process's exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    if (args[0] === '--help' || args[0] === '-h') {
      console.log(usage);
      return 0;
    }
    const options = parse(args);
    const { ok, why } = vmAvailability(options.tier);
    if (!ok) throw new VmError(why);
    const { exitCode } = await run(options);
    return exitCode;
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.error(`vm: ${error.message}`);
    return ownFailure;
  }
}

function parse(args: readonly string[]): Options {
  const options: Options = { tier: 'uml', shares: [], packages: 'base', command: [] };
  const rest = [...args];
  while (rest[0]?.startsWith('-')) {
    const flag = rest.shift();
    if (flag === '--') break;
    const value = rest.shift();
    if (value === undefined) throw new VmError(`${flag} needs a value\n${usage}`);
    if (flag === '--tier') options.tier = parseTier(value);
    else if (flag === '--share') options.shares.push(value);
    else if (flag === '--packages') options.packages = value;
    else if (flag === '--timeout') options.timeoutSeconds = parseSeconds(value);
    else throw new VmError(`unknown option ${flag}\n${usage}`);
  }
  options.command = rest;
  return options;
}

function parseTier(value: string): Tier {
  const tier = allTiers.find((name) => name === value);
  if (tier === undefined) throw new VmError(`--tier is one of ${allTiers.join(', ')}, not ${value}`);
  return tier;
}

function parseSeconds(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0)) throw new VmError(`--timeout is a number of seconds, not ${value}`);
  return seconds;
}

async function run(options: Options) {
  const job: VmJob = {
    ...options,
    onStdout: (data) => process.stdout.write(data),
    onStderr: (data) => process.stderr.write(data),
  };
  if (options.command.length > 0) return await runInVm(job);
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    return await runInVm({ ...job, command: ['bash', '-c', readFileSync(0, 'utf8')] });
  }
  return await runShell(job);
}

/** A day: a shell must not end while somebody works in it, but a forgotten one must not stay for ever. */
const shellSeconds = 24 * 3600;

async function runShell(job: VmJob) {
  const { rows, columns } = process.stdout;
  process.stdin.setRawMode(true);
  try {
    return await runInVm({
      timeoutSeconds: shellSeconds,
      ...job,
      command: ['bash', '-l'],
      env: { TERM: process.env.TERM ?? 'dumb' },
      terminal: { stdin: process.stdin, rows, columns },
    });
  } finally {
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}
