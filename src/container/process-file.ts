import { parseSpecText } from '../config/read/parse.ts';
import { readNamedFile } from '../config/read/read.ts';
import { validateProcess } from '../config/validate/process.ts';
import type { ProcessFile } from './exec-process.ts';

/**
 * Reads the process of `exec --process FILE`.
 *
 * @throws TsrunError when the file cannot be read, SpecError with all that is wrong with it
 */
export function readProcessFile(path: string): ProcessFile {
  const text = readNamedFile(path, '--process');
  return validateProcess(parseSpecText(text, path), { text, path });
}
