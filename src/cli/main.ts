import { TsrunError } from '../errors.ts';
import { reportTrace } from '../execute/trace.ts';
import { logFatal } from '../log.ts';
import { print } from '../output.ts';
import { commands } from './commands.ts';
import type { CommandDeclaration, OptionValues } from './declaration.ts';
import { fastParse } from './fast-parse.ts';
import { globalOptions, readGlobals } from './globals.ts';
import { normalizeGoFlags } from './go-flags.ts';
import { versionFlags, versionText } from './version.ts';

/** The command that runs, once it is known; its failure has its own prefix and exit code. */
let running: CommandDeclaration | undefined;

/** Runs the command line and sets the exit code; every failure ends as one line on stderr (and in --log). */
export async function main(): Promise<void> {
  try {
    const argv = normalizeGoFlags(process.argv.slice(2), globalOptions, commands);
    // Engines ask often, and commander's tree takes longer to make than most commands to run.
    if (argv.length === 1 && versionFlags.includes(argv[0] ?? '')) return print(`${versionText()}\n`);
    const line = fastParse(argv, globalOptions, commands);
    if (line !== undefined) return await runCommand(line.command, line.args, line.options, line.globals);
    const { buildProgram } = await import('./program.ts');
    await buildProgram(runCommand).parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = await report(error);
  }
}

async function runCommand(
  command: CommandDeclaration,
  args: readonly string[],
  options: OptionValues,
  globals: OptionValues,
): Promise<void> {
  running = command;
  try {
    process.exitCode = (await command.run(args, options, readGlobals(globals))) ?? 0;
  } finally {
    reportTrace();
  }
}

/** Prints the failure and returns the exit code. */
async function report(error: unknown): Promise<number> {
  const known = error instanceof TsrunError ? error : (await import('./program.ts')).usageError(error);
  if (known !== undefined) {
    logFatal(`${running?.failurePrefix ?? ''}${known.asLine}`);
    return known.exitCode === 1 ? (running?.failureCode ?? 1) : known.exitCode;
  }
  // --help and --version end in commander's exceptions too.
  if ((error as { exitCode?: unknown }).exitCode === 0) return 0;
  const { message, stack } = error as Error;
  logFatal(process.env.TSRUN_STACK === '1' ? (stack ?? message) : `internal error: ${message}`);
  return running?.failureCode ?? 1;
}
