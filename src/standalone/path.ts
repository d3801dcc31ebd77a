/**
 * Replaces node:path in the standalone executable. An interpreter takes about 10 microseconds to walk a path character
 * by character; nearly every path is plain, so it can be left to the engine's own string functions.
 */
import careful from 'path-browserify';

/** Whether nothing in the path can be left out: it has no empty part, and none that begins with a dot. */
function isPlain(path: string): boolean {
  return path !== '' && path[0] !== '.' && !path.includes('/.') && !path.includes('//');
}

export const sep = '/';
export const delimiter = ':';

export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}

export function normalize(path: string): string {
  return isPlain(path) ? path : careful.normalize(path);
}

export function join(...parts: string[]): string {
  let joined = '';
  for (const part of parts) {
    if (joined === '') joined = part;
    else if (part !== '') joined += withOneSlash(joined, part);
  }
  return isPlain(joined) ? joined : careful.join(...parts);
}

/** The text to append to the first path, so that one slash is between them. */
function withOneSlash(first: string, second: string): string {
  if (!first.endsWith('/')) return second.startsWith('/') ? second : `/${second}`;
  return second.startsWith('/') ? second.slice(1) : second;
}

export function resolve(...parts: string[]): string {
  const last = parts.at(-1) ?? '';
  if (!isAbsolute(last) || last.endsWith('/') || !isPlain(last)) return careful.resolve(...parts);
  return last;
}

export function dirname(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash > 0 && slash < path.length - 1 && isPlain(path) ? path.slice(0, slash) : careful.dirname(path);
}

export function basename(path: string, suffix?: string): string {
  if (suffix !== undefined || path.endsWith('/')) return careful.basename(path, suffix);
  return path.slice(path.lastIndexOf('/') + 1);
}

export function extname(path: string): string {
  return careful.extname(path);
}

export function relative(from: string, to: string): string {
  return careful.relative(from, to);
}

export const posix = { basename, delimiter, dirname, extname, isAbsolute, join, normalize, relative, resolve, sep };

export default posix;
