import type { CommandDeclaration, OptionDeclaration } from '../declaration.ts';

/** Makes a shell's script from the command line's declarations, the same that make commander's tree. */
export type CompletionMaker = (
  globals: readonly OptionDeclaration[],
  commands: readonly CommandDeclaration[],
) => string;

/** `-b, --bundle <dir>`: `-b` and `--bundle`. */
export function namesOf({ flags }: OptionDeclaration): string[] {
  const known = names.get(flags);
  if (known !== undefined) return known;
  const found = flags.split(/[ ,]+/).filter((part) => part.startsWith('-'));
  names.set(flags, found);
  return found;
}

/** Cached: most options are asked for several times, and many commands share them. */
const names = new Map<string, string[]>();

export const takesValue = ({ flags }: OptionDeclaration): boolean => flags.includes('<');

/** The declarations that --help shows. */
export function shown<T extends { readonly hidden?: boolean }>(declarations: readonly T[]): T[] {
  return declarations.filter(({ hidden }) => hidden !== true);
}

/** Names of the global options that take a value: a shell has to skip both words to find the command. */
export const valuedNames = (globals: readonly OptionDeclaration[]): string[] =>
  globals.filter(takesValue).flatMap(namesOf);

/** Whether the first argument names an existing container. */
export function takesId({ name, arguments: args }: CommandDeclaration): boolean {
  return /^[<[]ids?\b/.test(args[0]?.name ?? '') && !['create', 'run', 'restore', 'plan'].includes(name);
}

/** The text in a shell's single quotes; the declarations write apostrophes as ’. */
export function quoted(text: string): string {
  if (text.includes("'")) throw new Error(`an apostrophe in ${text}`);
  return `'${text}'`;
}

/** Choices for the second argument: signals. */
export function laterChoices({ arguments: args }: CommandDeclaration): readonly string[] {
  return args[1]?.choices ?? [];
}

/** Whether a value names a config, a directory, or any file. */
export function fileKind({ flags }: OptionDeclaration): 'config' | 'directory' | 'file' {
  if (/--(config|process|resources) <file>/.test(flags)) return 'config';
  return flags.includes('<dir>') ? 'directory' : 'file';
}
