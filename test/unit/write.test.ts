import t from 'tap';
import { openingHint } from '../../src/write.ts';

t.test('the error of a file blames a missing directory only if it is missing', async (t) => {
  t.match(openingHint({ code: 'ENOENT' }), /not its directory/);
  t.match(openingHint({ code: 'EROFS' }), /read-only/);
  t.match(openingHint({ code: 'EACCES' }), /this user may not/);
  t.match(openingHint({ code: 'EISDIR' }), /name a file in it/);
});
