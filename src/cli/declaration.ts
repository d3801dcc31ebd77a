import type { CgroupManager } from '../lower/context.ts';

/** One option of a command, in commander's notation. */
export interface OptionDeclaration {
  /** `-b, --bundle <dir>`, `--no-pivot`, … */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly default?: string | boolean;
  /** The option may be given more than once; the values come as a list. */
  readonly repeated?: boolean;
  readonly hidden?: boolean;
  /** Turns the text into the value; throws TsrunError for text that is not valid. */
  readonly parse?: (text: string) => unknown;
}

export interface ArgumentDeclaration {
  /** `<id>` or `[signal]`. */
  readonly name: string;
  readonly description: string;
  /** Words to complete; the command itself refuses what it does not accept. */
  readonly choices?: readonly string[];
}

/** One command: what it takes, and the function that carries it out, whose module is loaded only then. */
export interface CommandDeclaration {
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly ArgumentDeclaration[];
  readonly options: readonly OptionDeclaration[];
  readonly examples: readonly string[];
  readonly hidden?: boolean;
  /** Set if everything after the id belongs to the program, even options. */
  readonly passThrough?: boolean;
  /** An option that has the same effect. */
  readonly passThroughWith?: string;
  /** Put before every error of this command, in runc's words. */
  readonly failurePrefix?: string;
  /** Exit code when the runtime itself fails; default 1. */
  readonly failureCode?: number;
  /** Returns the process's exit code; undefined means 0. `commands` has all commands. */
  readonly run: (
    args: readonly string[],
    options: OptionValues,
    globals: GlobalOptions,
    commands: readonly CommandDeclaration[],
  ) => Promise<number | undefined>;
}

/** Values by commander's names: `--pid-file` is pidFile, `--no-pivot` makes pivot false. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** Options that stand before the command. */
export interface GlobalOptions {
  /** Absolute directory of the containers' state. */
  readonly root: string;
  readonly cgroupManager: CgroupManager;
  readonly rootless: 'true' | 'false' | 'auto';
}
