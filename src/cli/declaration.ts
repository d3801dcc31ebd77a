import type { CgroupManager } from '../lower/context.ts';

/** One option of a command, in commander's notation. */
export interface OptionDeclaration {
  /** `-b, --bundle <dir>`, `--no-pivot`, … */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly default?: string | boolean;
  /** May be given more than once; the values come as a list. */
  readonly repeated?: boolean;
  readonly hidden?: boolean;
  /** Turns the text into the value; throws TsrunError for text it does not take. */
  readonly parse?: (text: string) => unknown;
}

export interface ArgumentDeclaration {
  /** `<id>` or `[signal]`. */
  readonly name: string;
  readonly description: string;
  /** Words to complete; the command says what it does not take. */
  readonly choices?: readonly string[];
}

/** One command: what it takes, and the function that carries it out (its module is loaded only then). */
export interface CommandDeclaration {
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly ArgumentDeclaration[];
  readonly options: readonly OptionDeclaration[];
  readonly examples: readonly string[];
  readonly hidden?: boolean;
  /** What follows the id belongs to the program, options included. */
  readonly passThrough?: boolean;
  /** An option that has the same effect. */
  readonly passThroughWith?: string;
  /** Stands before every error of this command, in runc's words. */
  readonly failurePrefix?: string;
  /** Exit code when the runtime itself fails; 1 unless said otherwise. */
  readonly failureCode?: number;
  /** Returns the process's exit code; undefined means 0. `commands` is every command there is. */
  readonly run: (
    args: readonly string[],
    options: OptionValues,
    globals: GlobalOptions,
    commands: readonly CommandDeclaration[],
  ) => Promise<number | undefined>;
}

/** Values by commander's names: `--pid-file` is pidFile, `--no-pivot` is pivot === false. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** What stands before the command. */
export interface GlobalOptions {
  /** Absolute directory of the containers' state. */
  readonly root: string;
  readonly cgroupManager: CgroupManager;
  readonly rootless: 'true' | 'false' | 'auto';
}
