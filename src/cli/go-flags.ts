import { TsrunError } from '../errors.ts';
import type { CommandDeclaration, OptionDeclaration } from './declaration.ts';
import { passesThrough, shape } from './fast-parse.ts';

/**
 * Callers of runc write options as Go's flag package reads them: `-no-subreaper` with one dash (containerd),
 * `--rootless=true` for an option without a value, and `-b=/bundle`. Rewrites these to the usual form. Everything after
 * tsrun's own part of the line belongs to the program and stays as it is.
 *
 * @throws TsrunError for a switch whose value is not a boolean
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
      // If the command passes options through, the first argument ends our part.
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
  /** The next word is its value, whatever it looks like. */
  takesNext?: boolean;
  /** A switch set to false: of several, the last counts. */
  unsets?: string[];
}

function normalize(word: string, known: readonly OptionDeclaration[]): Normalized {
  const equals = word.indexOf('=');
  const flag = equals < 0 ? word : word.slice(0, equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const option = findOption(flag, known);
  if (option === undefined) {
    // With both dashes and without the value, so that commander finds the option that was meant.
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

/** @param flag with one dash or two, which mean the same to Go's package */
function findOption(flag: string, known: readonly OptionDeclaration[]): OptionDeclaration | undefined {
  const name = flag.replace(/^--?/, '');
  return known.find((option) => shape(option).bareNames.includes(name));
}

/** Accepts what Go's strconv.ParseBool accepts. */
function parseBoolean(flag: string, text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new TsrunError(`${flag}: expected true or false, found ${JSON.stringify(text)}`, {
    hint: `the flag alone is true: ${flag}`,
  });
}

/** `-td`, and `-u1` for `-u 1`, which Go's package does not read. */
function areShortFlags(word: string, known: readonly OptionDeclaration[]): boolean {
  if (word.startsWith('--')) return false;
  // An unknown letter may be commander's own: -h, -v.
  if (word.length === 2) return true;
  const options = [...word.slice(1)].map((letter) => findOption(`-${letter}`, known));
  const end = options.findIndex((option) => option === undefined || shape(option).takesValue);
  return end < 0 || options[end] !== undefined;
}
