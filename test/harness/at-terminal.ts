import { runtimePath } from './runtime.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * Runs the runtime in a terminal of its own, in a directory, and returns what it shows; without colours unless `env`
 * sets them.
 */
export async function atTerminal(box: Sandbox, directory: string, args: string, env: Record<string, string> = {}) {
  const line = `cd ${directory} && ${runtimePath} --root ${box.root} ${args}`;
  const script = box.startProgram('script', ['-qec', line, '/dev/null'], {
    env: { ...process.env, NO_COLOR: '1', TERM: 'xterm', ...env },
    input: '',
  });
  const { code, stdout } = await script.done;
  return { code, shown: stdout.replaceAll('\r', '') };
}
