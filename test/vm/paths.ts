import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, wherever in it the bundle of this file is. */
export const checkout = findCheckout(path.dirname(fileURLToPath(import.meta.url)));

/** The directory of images: `$TSRUN_CACHE/vm`, or /var/cache/tsrun/vm. */
export const cacheDir = path.join(process.env.TSRUN_CACHE ?? '/var/cache/tsrun', 'vm');

function findCheckout(start: string): string {
  for (let dir = start; dir !== '/'; dir = path.dirname(dir)) {
    if (existsSync(path.join(dir, 'test/vm/launch.sh'))) return dir;
  }
  throw new Error(`${start} is not inside a checkout of tsrun`);
}
