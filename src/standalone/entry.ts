/** The command in the standalone executable, which is built with all modules loaded: what is left to do at a start. */
import { commands } from '../cli/commands.ts';
import { fastParse } from '../cli/fast-parse.ts';
import { globalOptions } from '../cli/globals.ts';
import { main } from '../cli/main.ts';

/** Called by addon/engine/host.cc with what differs from start to start. */
function start(args: string[], variables: Record<string, string | undefined>, pid: number): Promise<void> {
  Object.assign(process, { argv: ['tsrun', ...args], env: variables, pid });
  return main();
}

Object.assign(globalThis, { tsrunStart: start });

// What is remembered of the declarations goes into the snapshot.
for (const { name } of commands) fastParse([name], globalOptions, commands);
