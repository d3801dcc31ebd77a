/**
 * Log URIs, which containerd's clients give in place of a FIFO: `binary:///PROGRAM?ARGUMENT=VALUE` and `file:///PATH`
 * (containerd: docs of runtime v2, Logging).
 */
import { Status } from './ttrpc.ts';

export type LogUri =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'binary';
      readonly path: string;
      readonly args: readonly string[];
      /** What the URI adds to the program's environment. */
      readonly env: Readonly<Record<string, string>>;
    };

/** As later versions of containerd's own shim have it: `env.NAME=VALUE` is no argument. */
const environment = 'env.';

/**
 * Where the output of a process is logged; undefined if it has FIFOs. containerd's own shim logs both streams where the
 * URI of stdout says, so other URIs for stderr are refused.
 *
 * @throws Status for a URI that cannot be used
 */
export function logUriOf({ stdout, stderr, terminal }: { stdout: string; stderr: string; terminal: boolean }) {
  const isTwofold = isLogUri(stderr) && !terminal && stderr !== stdout;
  if (isTwofold) throw new Status('invalidArgument', `log URI ${stderr} of stderr: stdout must have the same`);
  if (!isLogUri(stdout)) return undefined;
  if (!terminal && stderr !== '' && stderr !== stdout) {
    throw new Status('invalidArgument', `log URI ${stdout} is for both streams, but stderr has ${stderr}`);
  }
  return parsed(stdout);
}

function isLogUri(path: string): boolean {
  return path.includes('://');
}

function parsed(text: string): LogUri {
  const scheme = text.slice(0, text.indexOf(':'));
  if (scheme !== 'binary' && scheme !== 'file') {
    throw new Status('unimplemented', `log URI ${text}: the scheme is none of binary, file`);
  }
  const bad = (why: string) => new Status('invalidArgument', `log URI ${text}: ${why}`);
  if (!text.startsWith(`${scheme}:///`)) throw bad(`a path must follow: ${scheme}:///PATH`);
  const [address = '', query = ''] = text.replace(/#.*$/s, '').split(/\?(.*)/s);
  const path = decoded(address.slice(`${scheme}://`.length));
  if (path === undefined || path.includes('\0')) throw bad('its path has a bad escape');
  return scheme === 'file' ? { kind: 'file', path } : { kind: 'binary', path, ...argumentsOf(query) };
}

/** Of a name that comes twice the first counts, as in containerd's own shim, whose order is random. */
function argumentsOf(query: string): { args: string[]; env: Record<string, string> } {
  const args: string[] = [];
  const env: Record<string, string> = {};
  const all = new URLSearchParams(query);
  for (const name of new Set(all.keys())) {
    const value = all.get(name) ?? '';
    if (name.startsWith(environment)) env[name.slice(environment.length)] = value;
    else args.push(name, value);
  }
  return { args, env };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
