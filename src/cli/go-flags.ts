import { TsrunError } from '../errors.ts';
import type { CommandDeclaration, OptionDeclaration } from './declaration.ts';
import { passesThrough, shape } from './fast-parse.ts';

/**
 * Callers of runc write options as Go's flag package reads them: `-no-subreaper` with one dash (containerd),
 * `--rootless=true` for one without a value, and `-b=/bundle`. Rewrites these to what everybody else writes; leaves
 * alone what follows the command line's own part, as it belongs to the program.
 *
 * @throws TsrunError for a switch whose value is no boolean
 */
export function normalizeGoFlags(
  argv: readonly string[],
  globals: readonly OptionDeclaration[],
  commands: readonly CommandDeclaration[],
): string[] {
  let result: string[] = [];
  let known = globals;
  let command: CommandDeclaration | undefined;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') return [...result, ...argv.slice(at)];
    if (!word.startsWith('-') || word === '-') {
      // With a command that passes options through, the first argument ends ours.
      if (command !== undefined && passesThrough(command, argv)) return [...result, ...argv.slice(at)];
      if (command === undefined) {
        command = commands.find(({ name }) => name === word);
        if (command === undefined) return [...argv];
        known = command.options;
      }
      result.push(word);
      continue;
    }
    const { words, takesNext, unsets } = normalize(word, known);
    if (unsets !== undefined) result = result.filter((earlier) => !unsets.includes(earlier));
    result.push(...words);
    if (takesNext && at + 1 < argv.length) result.push(argv[++at] ?? '');
  }
  return result;
}

interface Normalized {
  words: string[];
  /** The word after it is its value, whatever it looks like. */
  takesNext?: boolean;
  /** A switch that is set to false: the last one counts. */
  unsets?: string[];
}

function normalize(word: string, known: readonly OptionDeclaration[]): Normalized {
  const equals = word.indexOf('=');
  const flag = equals < 0 ? word : word.slice(0, equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const option = findOption(flag, known);
  if (option === undefined) {
    // Without its value and with both dashes, so that commander finds the option that was meant.
    return { words: [areShortFlags(word, known) ? word : `--${flag.replace(/^--?/, '')}`] };
  }
  const { names, takesValue } = shape(option);
  const plain = value === undefined && names.includes(word) ? word : names.at(-1);
  if (!takesValue) {
    if (value === undefined || parseBoolean(flag, value)) return { words: [`${plain}`] };
    return { words: [], unsets: names };
  }
  return value === undefined ? { words: [`${plain}`], takesNext: true } : { words: [`${plain}=${value}`] };
}

/** @param flag with one dash or two, which are the same to Go's package */
function findOption(flag: string, known: readonly OptionDeclaration[]): OptionDeclaration | undefined {
  const name = flag.replace(/^--?/, '');
  return known.find((option) => shape(option).bareNames.includes(name));
}

/** What Go's strconv.ParseBool takes. */
function parseBoolean(flag: string, text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new TsrunError(`${flag}: expected true or false, found ${JSON.stringify(text)}`, {
    hint: `the flag alone is true: ${flag}`,
  });
}

/** `-td`, and `-u1` for `-u 1`: more than Go's package reads. */
function areShortFlags(word: string, known: readonly OptionDeclaration[]): boolean {
  if (word.startsWith('--')) return false;
  // What is not known here may be commander's own: -h, -v.
  if (word.length === 2) return true;
  const options = [...word.slice(1)].map((letter) => findOption(`-${letter}`, known));
  const end = options.findIndex((option) => option === undefined || shape(option).takesValue);
  return end < 0 || options[end] !== undefined;
}
