import type { CommandDeclaration, OptionDeclaration } from '../declaration.ts';

/** What a shell is told of the command line; the same declarations make commander's tree. */
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

/** Most options are asked for several times, and many commands have the same. */
const names = new Map<string, string[]>();

export const takesValue = ({ flags }: OptionDeclaration): boolean => flags.includes('<');

/** What --help shows. */
export function shown<T extends { readonly hidden?: boolean }>(declarations: readonly T[]): T[] {
  return declarations.filter(({ hidden }) => hidden !== true);
}

/** Names of the global options that take a value: a shell has to step over both to find the command. */
export const valuedNames = (globals: readonly OptionDeclaration[]): string[] =>
  globals.filter(takesValue).flatMap(namesOf);

/** Whether the first argument names a container that is there. */
export function takesId({ name, arguments: args }: CommandDeclaration): boolean {
  return /^[<[]ids?\b/.test(args[0]?.name ?? '') && !['create', 'run', 'restore', 'plan'].includes(name);
}

/** In single quotes of a shell; the declarations write apostrophes as ’. */
export function quoted(text: string): string {
  if (text.includes("'")) throw new Error(`an apostrophe in ${text}`);
  return `'${text}'`;
}

/** Words for the second argument: signals. */
export function laterChoices({ arguments: args }: CommandDeclaration): readonly string[] {
  return args[1]?.choices ?? [];
}

/** Whether a value is the name of a config, a directory, or any file. */
export function fileKind({ flags }: OptionDeclaration): 'config' | 'directory' | 'file' {
  if (/--(config|process|resources) <file>/.test(flags)) return 'config';
  return flags.includes('<dir>') ? 'directory' : 'file';
}
