import t from 'tap';
import { openingHint } from '../../src/write.ts';

t.test('a file that cannot be written says its directory is missing only where it is', async (t) => {
  t.match(openingHint({ code: 'ENOENT' }), /not its directory/);
  t.match(openingHint({ code: 'EROFS' }), /read-only/);
  t.match(openingHint({ code: 'EACCES' }), /this user may not/);
  t.match(openingHint({ code: 'EISDIR' }), /name a file in it/);
});
