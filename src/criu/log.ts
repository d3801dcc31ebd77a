import { readFileSync } from 'node:fs';

/** How many of CRIU's lines an error shows. */
const shown = 4;

/** Errors that CRIU can do without, and the last line, which all its failures have. */
const noise = [
  /rlimit: Can't setup RLIMIT_NOFILE/,
  /execvp\("[^"]*", \.\.\.\) failed/,
  /-V failed$/,
  /(Dumping|Restoring|Pre-dumping) FAILED/,
  /Unable to send a fin packet/,
];

/** The last lines with errors in one of CRIU's logs; empty without a log. */
export function lastErrors(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return [];
  }
  return errorLines(text);
}

export function errorLines(text: string): string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    // "(00.133244)      1: Error (criu/files-reg.c:1790): Can't lookup mount=24"
    const message = /^(?:\([\d.]+\))?\s*(?:\d+: )?Error \([^)]*\): (.*)$/.exec(line)?.[1]?.trim();
    if (message === undefined || message === '' || noise.some((each) => each.test(message))) continue;
    if (!found.includes(message)) found.push(message);
  }
  return found.slice(-shown);
}
