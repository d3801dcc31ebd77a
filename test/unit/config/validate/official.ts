import { existsSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Json } from '../../mutate.ts';
import { type DocumentKind, officialFolder, readJson } from './documents.ts';

/** The official schemas use draft 4; the keywords that they use mean the same in ajv's draft 7. */
export function officialValidator(kind: DocumentKind): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true });
  const platforms = ['', '-linux', '-freebsd', '-solaris', '-vm', '-windows', '-zos'];
  const files = platforms.flatMap((name) => [`config${name}.json`, `defs${name}.json`, `features${name}.json`]);
  for (const file of [...files, `${kind}-schema.json`]) {
    const path = `${officialFolder}/${file}`;
    if (!existsSync(path)) continue;
    const { $schema: _, ...schema } = readJson(path) as Record<string, Json>;
    ajv.addSchema(schema, file);
  }
  const validate = ajv.getSchema(`${kind}-schema.json`);
  if (validate === undefined) throw new Error(`no official schema of ${kind}`);
  return validate;
}
