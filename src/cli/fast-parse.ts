import type { CommandDeclaration, OptionDeclaration } from './declaration.ts';

/** A command line without anything unusual. */
export interface ParsedLine {
  command: CommandDeclaration;
  args: string[];
  options: Record<string, unknown>;
  globals: Record<string, unknown>;
}

/**
 * Reads a command line from the same declarations as commander's tree, but without building that tree, which costs more
 * than all the rest of `state` or `kill`. Anything unusual (help, versions, mistakes, `--`) is left to commander, so
 * that every message has one source; the answer is then undefined.
 */
export function fastParse(
  argv: readonly string[],
  globalOptions: readonly OptionDeclaration[],
  commands: readonly CommandDeclaration[],
): ParsedLine | undefined {
  const globals = readOptions(argv, 0, globalOptions, 'stop');
  const command = globals && commands.find(({ name }) => name === argv[globals.next]);
  if (globals === undefined || command === undefined) return undefined;
  const mode = passesThrough(command, argv) ? 'stop' : 'anywhere';
  const own = readOptions(argv, globals.next + 1, command.options, mode);
  if (own === undefined) return undefined;
  const args = [...own.args, ...argv.slice(own.next)];
  if (!takesArguments(command, args.length)) return undefined;
  return { command, args, options: own.values, globals: globals.values };
}

/** Whether options end at the first word that is not an option. */
export function passesThrough({ passThrough, passThroughWith }: CommandDeclaration, argv: readonly string[]): boolean {
  return passThrough === true || (passThroughWith !== undefined && argv.includes(passThroughWith));
}

interface OptionRun {
  values: Record<string, unknown>;
  args: string[];
  /** Index of the first word not read yet. */
  next: number;
}

/** @param mode whether options end at the first word that is not an option, or may come after it */
export function readOptions(
  argv: readonly string[],
  from: number,
  declarations: readonly OptionDeclaration[],
  mode: 'stop' | 'anywhere',
): OptionRun | undefined {
  const run: OptionRun = { values: { ...tableOf(declarations).defaults }, args: [], next: from };
  while (run.next < argv.length) {
    const word = argv[run.next] ?? '';
    if (word === '--') return undefined;
    if (!word.startsWith('-') || word === '-') {
      if (mode === 'stop') return run;
      run.args.push(word);
      run.next += 1;
    } else if (!readOption(argv, run, declarations)) return undefined;
  }
  return run;
}

/** Reads one option and its value; false when it is unusual. */
function readOption(argv: readonly string[], run: OptionRun, declarations: readonly OptionDeclaration[]): boolean {
  const word = argv[run.next] ?? '';
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  const flag = equals < 0 ? word : word.slice(0, equals);
  const option = tableOf(declarations).byFlag.get(flag);
  if (option === undefined) return false;
  const { key, takesValue, negated } = shape(option);
  if (!takesValue) {
    if (equals >= 0) return false;
    run.values[key] = !negated;
    run.next += 1;
    return true;
  }
  const value = equals < 0 ? argv[run.next + 1] : word.slice(equals + 1);
  if (value === undefined || (equals < 0 && value.startsWith('-') && value !== '-')) return false;
  if (option.choices !== undefined && !option.choices.includes(value)) return false;
  const parsed = option.parse === undefined ? value : option.parse(value);
  run.values[key] = option.repeated === true ? [...((run.values[key] as unknown[]) ?? []), parsed] : parsed;
  run.next += equals < 0 ? 2 : 1;
  return true;
}

interface Shape {
  /** `-b` and `--bundle`, the long name last. */
  names: string[];
  /** The same names without their dashes. */
  bareNames: string[];
  key: string;
  takesValue: boolean;
  negated: boolean;
}

/** Keyed by a declaration's flags. The standalone executable's snapshot has them all (src/standalone/entry.ts). */
const shapes = new Map<string, Shape>();

export function shape({ flags }: OptionDeclaration): Shape {
  const known = shapes.get(flags) ?? shapeOf(flags);
  shapes.set(flags, known);
  return known;
}

/** Splits `-b, --bundle <dir>`. The key is commander's: `--no-pivot` is pivot, and false when given. */
function shapeOf(flags: string): Shape {
  const names = flags.split(/[ ,|]+/).filter((part) => part.startsWith('-'));
  const bareNames = names.map((name) => name.replace(/^-+/, ''));
  const long = bareNames.at(-1) ?? '';
  const negated = long.startsWith('no-');
  const key = (negated ? long.slice(3) : long).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { names, bareNames, key, takesValue: flags.includes('<') || flags.includes('['), negated };
}

/** What parsing needs to know about a command's options, or the global ones. */
interface Table {
  defaults: Record<string, unknown>;
  byFlag: Map<string, OptionDeclaration>;
}

/** Keyed by the list of declarations, which is in the snapshot with them. */
const tables = new Map<readonly OptionDeclaration[], Table>();

function tableOf(declarations: readonly OptionDeclaration[]): Table {
  const known = tables.get(declarations);
  if (known !== undefined) return known;
  const flags = declarations.flatMap((option) => shape(option).names.map((name) => [name, option] as const));
  // If two have the same flag, the first counts.
  const table = { defaults: defaultsOf(declarations), byFlag: new Map(flags.reverse()) };
  tables.set(declarations, table);
  return table;
}

export function defaultsOf(declarations: readonly OptionDeclaration[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const declaration of declarations) {
    const { key, negated } = shape(declaration);
    if (declaration.default !== undefined) values[key] = declaration.default;
    else if (negated) values[key] = true;
  }
  return values;
}

function takesArguments(command: CommandDeclaration, count: number): boolean {
  const required = command.arguments.filter(({ name }) => name.startsWith('<')).length;
  const open = command.arguments.some(({ name }) => name.includes('...'));
  return count >= required && (open || count <= command.arguments.length);
}
