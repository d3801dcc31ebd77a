import type { CommandDeclaration, OptionDeclaration } from './declaration.ts';

/**
 * Callers of runc write options as Go's flag package reads them: `-no-subreaper` with one dash (containerd), and
 * `--rootless=true` for one without a value. Rewrites these to what everybody else writes; leaves alone what follows
 * the command line's own part, as it belongs to the program.
 */
export function normalizeGoFlags(
  argv: readonly string[],
  globals: readonly OptionDeclaration[],
  commands: readonly CommandDeclaration[],
): string[] {
  const result: string[] = [];
  let known = globals;
  let command: CommandDeclaration | undefined;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') return [...result, ...argv.slice(at)];
    if (!word.startsWith('-') || word === '-') {
      // With a command that passes options through, the first argument ends ours.
      if (command?.passThrough === true) return [...result, ...argv.slice(at)];
      if (command === undefined) {
        command = commands.find(({ name }) => name === word);
        if (command === undefined) return [...argv];
        known = command.options;
      }
      result.push(word);
      continue;
    }
    const { words, takesNext } = normalize(word, known);
    result.push(...words);
    if (takesNext && at + 1 < argv.length) result.push(argv[++at] ?? '');
  }
  return result;
}

/** One option; `takesNext`: the word after it is its value, whatever it looks like. */
function normalize(word: string, known: readonly OptionDeclaration[]): { words: string[]; takesNext: boolean } {
  const [name = '', ...rest] = word.replace(/^--?/, '').split('=');
  const option = known.find(({ flags }) => longNameOf(flags) === name);
  if (option === undefined) {
    const short = known.find(({ flags }) => flags.startsWith(`${word},`));
    if (short !== undefined) return { words: [word], takesNext: takesValue(short) };
    // Without its value and with both dashes, so that commander finds the option that was meant.
    return { words: [areShortFlags(word, known) ? word : `--${name}`], takesNext: false };
  }
  const value = rest.length === 0 ? undefined : rest.join('=');
  if (takesValue(option)) {
    const words = [value === undefined ? `--${name}` : `--${name}=${value}`];
    return { words, takesNext: value === undefined };
  }
  if (value === 'false') return { words: [], takesNext: false };
  const isPlain = value === undefined || value === 'true';
  return { words: [isPlain ? `--${name}` : word], takesNext: false };
}

/** `-td`, and `-u1` for `-u 1`: more than Go's package reads. */
function areShortFlags(word: string, known: readonly OptionDeclaration[]): boolean {
  if (word.startsWith('--')) return false;
  // What is not known here may be commander's own: -h, -v.
  if (word.length === 2) return true;
  const options = [...word.slice(1)].map((letter) => known.find(({ flags }) => flags.startsWith(`-${letter},`)));
  const end = options.findIndex((option) => option === undefined || takesValue(option));
  return end < 0 || options[end] !== undefined;
}

function longNameOf(flags: string): string | undefined {
  return /--([\w-]+)/.exec(flags)?.[1];
}

function takesValue({ flags }: OptionDeclaration): boolean {
  return flags.includes('<');
}
