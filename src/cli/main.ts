import { asTsrunError, type TsrunError } from '../errors.ts';
import { logFatal, releaseWarnings, speaksToPeople } from '../log.ts';
import { print, printError } from '../output.ts';
import { reportTrace } from '../run/trace.ts';
import { commands } from './commands.ts';
import type { CommandDeclaration, OptionValues } from './declaration.ts';
import { defaultsOf, fastParse, readOptions } from './fast-parse.ts';
import { globalOptions, readGlobals, readLog } from './globals.ts';
import { normalizeGoFlags } from './go-flags.ts';
import { versionFlags, versionText } from './version.ts';

/** The running command, once it is known; its failures have their own prefix and exit code. */
let running: CommandDeclaration | undefined;

/** Runs the command line and sets the exit code; every failure becomes one line on stderr (and in --log). */
export async function main(): Promise<void> {
  let argv = process.argv.slice(2);
  if (argv.length === 0) argv = ['--help'];
  try {
    argv = normalizeGoFlags(argv, globalOptions, commands);
    // Engines ask for this often, and building commander's tree takes longer than running most commands.
    if (argv.length === 1 && versionFlags.includes(argv[0] ?? '')) return print(`${versionText()}\n`);
    const line = fastParse(argv, globalOptions, commands);
    if (line !== undefined) return await runCommand(line.command, line.args, line.options, line.globals);
    const { buildProgram } = await import('./program.ts');
    await buildProgram(runCommand, argv).parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (running === undefined) configureLogOf(argv);
    process.exitCode = await report(error);
  }
}

/** Sets up the log, so that even a mistake in the command line goes to --log, in its format. */
function configureLogOf(argv: readonly string[]): void {
  const globals = readOptions(argv, 0, globalOptions, 'stop');
  if (globals === undefined) return;
  try {
    readLog(globals.values);
  } catch {
    // The mistake comes first; it goes to stderr.
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
    const read = readGlobals(globals);
    process.exitCode = (await command.run(args, givenOptions(command, options), read, commands)) ?? 0;
    releaseWarnings();
  } finally {
    reportTrace();
  }
}

/** An option with an empty value counts as not given, as in runc: `--pid-file "$FILE"`. */
function givenOptions(command: CommandDeclaration, options: OptionValues): OptionValues {
  if (!Object.values(options).includes('')) return options;
  const defaults = defaultsOf(command.options);
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, value === '' ? defaults[key] : value]));
}

async function tell(error: TsrunError, prefix: string): Promise<void> {
  if (!speaksToPeople()) return logFatal(`${prefix}${error.asLine}`);
  const { tellPeople } = await import('./people.ts');
  const { hasColours, styles } = await import('../style.ts');
  printError(tellPeople(error, prefix, styles(hasColours(process.stderr))));
}

/** Prints the failure and returns the exit code. */
async function report(error: unknown): Promise<number> {
  const known = asTsrunError(error) ?? (await import('./program.ts')).usageError(error);
  if (known !== undefined) {
    await tell(known, running?.failurePrefix ?? '');
    return known.exitCode === 1 ? (running?.failureCode ?? 1) : known.exitCode;
  }
  // commander ends --help and --version with an exception, too.
  if ((error as { exitCode?: unknown }).exitCode === 0) return 0;
  const { message, stack } = error as Error;
  logFatal(process.env.TSRUN_STACK === '1' ? (stack ?? message) : `internal error: ${message}`);
  return running?.failureCode ?? 1;
}
