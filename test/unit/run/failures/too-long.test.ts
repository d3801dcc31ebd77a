import t from 'tap';
import { whatIsTooLong } from '../../../../src/run/failures/too-long.ts';

const most = 131_072;

t.test('one string is too long, with the NUL at its end', async (t) => {
  const long = 'x'.repeat(most);
  t.equal(
    whatIsTooLong({ args: ['sh', long], env: ['A=b'] }, '/process'),
    `/process/args/1 has ${most + 1} bytes; ${most} is the most for one`,
  );
  const variable = `BIG=${long}`;
  t.equal(
    whatIsTooLong({ args: ['sh'], env: ['A=b', variable] }, '/hooks/prestart/0'),
    `/hooks/prestart/0/env/1 (BIG) has ${variable.length + 1} bytes; ${most} is the most for one`,
  );
  t.match(
    whatIsTooLong({ args: ['é'.repeat(most / 2)], env: [] }, ''),
    /^\/args\/0 has 131073 bytes/,
    'bytes, not characters',
  );
});

t.test('the whole is too large', async (t) => {
  const args = Array.from({ length: 100 }, () => 'x'.repeat(most - 1));
  const bytes = 100 * (most + 8) + 4 + 8;
  t.match(
    whatIsTooLong({ args, env: ['A=b'] }, '/process'),
    `/process/args and /process/env have ${bytes} bytes together`,
  );
});
