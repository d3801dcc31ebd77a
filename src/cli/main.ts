import { TsrunError } from '../errors.ts';
import { logFatal } from '../log.ts';
import type { CommandDeclaration } from './declaration.ts';
import { buildProgram, usageError } from './program.ts';

/** Runs the command line and sets the exit code; every failure ends as one line on stderr (and in --log). */
async function main(): Promise<void> {
  let running: CommandDeclaration | undefined;
  const program = buildProgram((command, code) => {
    running = command;
    process.exitCode = code;
  });
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    process.exitCode = report(error, running);
  }
}

/** Prints the failure and returns the exit code. */
function report(error: unknown, command: CommandDeclaration | undefined): number {
  const known = error instanceof TsrunError ? error : usageError(error);
  if (known !== undefined) {
    logFatal(`${command?.failurePrefix ?? ''}${known.line}`);
    return known.exitCode === 1 ? (command?.failureCode ?? 1) : known.exitCode;
  }
  // --help and --version end in commander's exceptions too.
  if ((error as { exitCode?: unknown }).exitCode === 0) return 0;
  const { message, stack } = error as Error;
  logFatal(process.env.TSRUN_STACK === '1' ? (stack ?? message) : `internal error: ${message}`);
  return command?.failureCode ?? 1;
}

void main();
