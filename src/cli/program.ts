import { Argument, Command, CommanderError, Option } from 'commander';
import { TsrunError } from '../errors.ts';
import { print } from '../output.ts';
import { commands } from './commands.ts';
import type { CommandDeclaration, OptionDeclaration, OptionValues } from './declaration.ts';
import { passesThrough } from './fast-parse.ts';
import { globalOptions } from './globals.ts';
import { habitHint } from './habits.ts';
import { versionFlags, versionText } from './version.ts';

/** Carries out a parsed command. */
export type RunCommand = (
  command: CommandDeclaration,
  args: readonly string[],
  options: OptionValues,
  globals: OptionValues,
) => Promise<void>;

/** Builds commander's tree from the declarations. */
export function buildProgram(runCommand: RunCommand, argv: readonly string[] = []): Command {
  const program = new Command('tsrun')
    .description('An OCI container runtime: every container is a program, and tsrun is its compiler.')
    .version(versionText(), versionFlags.join(', '), 'print versions')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    // Not process.stdout, which fails with a stack trace when its reader has gone (`tsrun --help | head -1`).
    .configureOutput({ writeOut: print, writeErr: () => undefined });
  for (const option of globalOptions) program.addOption(toOption(option));
  for (const declaration of commands) {
    const command = toCommand(declaration, program, runCommand);
    if (passesThrough(declaration, argv)) command.passThroughOptions();
    program.addCommand(command, { hidden: declaration.hidden ?? false });
  }
  program.addHelpText('after', globalExamples);
  return program;
}

/** An error of commander's, and the command whose line it refuses. */
type Refusal = CommanderError & { command?: string };

/** Turns what commander says of bad arguments into our error; undefined for --help and --version. */
export function usageError(error: unknown): TsrunError | undefined {
  if (!(error instanceof CommanderError)) return undefined;
  if (error.exitCode === 0) return undefined;
  // commander would print the whole help on stderr.
  if (error.code === 'commander.help') return new TsrunError('expected a command', { hint: 'see tsrun --help' });
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest.join(' ').replace(/[()]/g, '').trim();
  const { command = 'tsrun' } = error as Refusal;
  const hint =
    habitHint(message, command) ?? misplacedHint(message, command) ?? (suggestion || `see ${command} --help`);
  // podman takes these words as proof that restore knows the option.
  return new TsrunError(message.replace(/argument missing$/, 'requires an argument'), { hint });
}

/** Global options only count before the command, where engines put them; people forget that. */
function misplacedHint(message: string, command: string): string | undefined {
  const [, name] = /^unknown option '(--[^'=]+)/.exec(message) ?? [];
  const isGlobal = globalOptions.some(({ flags }) => flags.split(/[ ,]+/).includes(name ?? ''));
  return isGlobal && command !== 'tsrun'
    ? `it comes before the command: ${command.replace(' ', ` ${name} … `)}`
    : undefined;
}

function toCommand(declaration: CommandDeclaration, program: Command, runCommand: RunCommand): Command {
  const command = new Command(declaration.name).description(declaration.summary);
  command.copyInheritedSettings(program);
  for (const { name, description } of declaration.arguments) command.addArgument(new Argument(name, description));
  for (const option of declaration.options) command.addOption(toOption(option));
  if (declaration.examples.length > 0) {
    command.addHelpText('after', `\nExamples:\n${declaration.examples.map((line) => `  ${line}\n`).join('')}`);
  }
  command.exitOverride((refusal) => {
    throw Object.assign(refusal, { command: `tsrun ${declaration.name}` });
  });
  return command.action(() => runCommand(declaration, command.args, command.opts(), program.opts()));
}

function toOption(declaration: OptionDeclaration): Option {
  const option = new Option(declaration.flags, declaration.description);
  if (declaration.choices !== undefined) option.choices(declaration.choices);
  if (declaration.default !== undefined) option.default(declaration.default);
  if (declaration.hidden === true) option.hideHelp();
  const { parse, repeated } = declaration;
  if (repeated === true) {
    option.argParser((text: string, before: unknown[] | undefined) => [...(before ?? []), parse ? parse(text) : text]);
  } else if (parse !== undefined) option.argParser(parse);
  return option;
}

const globalExamples = `
Examples:
  tsrun spec && tsrun run hello        make a config.json here and run it
  tsrun plan                           show, op by op, what create would do
  tsrun check                          is this bundle right, and can this host run it?
  tsrun create --bundle /b web && tsrun start web
  tsrun kill web KILL; tsrun wait web && tsrun delete web
`;
