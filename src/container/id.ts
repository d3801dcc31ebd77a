import { TsrunError } from '../errors.ts';

/** The longest file name that Linux allows, less room for a temporary file's suffix. */
const longest = 240;

/**
 * Checks a container's id, which becomes a directory name below --root: it may have only runc's characters, and must
 * not lead elsewhere.
 *
 * @throws TsrunError in runc's words
 */
export function checkId(id: string): void {
  if (id === '') throw new TsrunError('container id cannot be empty', { code: 'EINVALIDARG' });
  if (id.length > longest) {
    throw new TsrunError(`invalid container ID format: ${id.length} characters; ${longest} at most`, {
      code: 'EINVALIDARG',
    });
  }
  if (!isId(id)) {
    throw new TsrunError(`invalid container ID format: ${JSON.stringify(id)}`, {
      code: 'EINVALIDARG',
      hint: 'letters, digits, _ + . and - only, and not . or ..',
    });
  }
}

/** Whether a directory of this name can be a container's. */
export function isId(name: string): boolean {
  return /^[\w+.-]+$/.test(name) && name !== '.' && name !== '..';
}
