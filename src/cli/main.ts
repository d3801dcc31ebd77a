import { TsrunError } from '../errors.ts';
import { logFatal } from '../log.ts';
import { buildProgram, usageError } from './program.ts';

/** Runs the command line and sets the exit code; every failure ends as one line on stderr (and in --log). */
async function main(): Promise<void> {
  let failureCode = 1;
  const program = buildProgram((code, failure) => {
    process.exitCode = code;
    failureCode = failure;
  });
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    process.exitCode = report(error, failureCode);
  }
}

function report(error: unknown, failureCode: number): number {
  if (error instanceof TsrunError) {
    logFatal(error.line);
    return error.exitCode === 1 ? failureCode : error.exitCode;
  }
  const usage = usageError(error);
  if (usage !== undefined) {
    logFatal(usage.line);
    return 1;
  }
  if ((error as { exitCode?: unknown }).exitCode === 0) return 0;
  // A bug of ours: with --debug's environment twin the stack shows where.
  const { message, stack } = error as Error;
  logFatal(process.env.TSRUN_STACK === '1' ? (stack ?? message) : `internal error: ${message}`);
  return failureCode;
}

void main();
