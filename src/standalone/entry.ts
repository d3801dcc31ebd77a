/** Starts the command in the standalone executable, which is built with all modules already loaded. */
import { commands } from '../cli/commands.ts';
import { fastParse } from '../cli/fast-parse.ts';
import { globalOptions } from '../cli/globals.ts';
import { main } from '../cli/main.ts';
import { warmUp } from './warm-up.ts';

/** Called by addon/engine/host.cc with everything that differs between starts. */
function start(args: string[], variables: Record<string, string | undefined>, pid: number): Promise<void> {
  Object.assign(process, { argv: ['tsrun', ...args], env: variables, pid });
  return main();
}

Object.assign(globalThis, { tsrunStart: start });

// Parses each command once, so that the cached declarations are in the snapshot.
for (const { name } of commands) fastParse([name], globalOptions, commands);

warmUp();
