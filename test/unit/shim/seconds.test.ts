import t from 'tap';
import { secondsFrom } from '../../../src/shim/seconds.ts';

const name = 'TSRUN_TEST_SECONDS';

t.test('a variable for seconds', async (t) => {
  const errors = t.capture(console, 'error');
  const told = (text?: string) => {
    if (text !== undefined) process.env[name] = text;
    const seconds = secondsFrom(name, 1, 60);
    t.notOk(name in process.env, 'is not passed on');
    return { seconds, errors: errors().map(({ args }) => args[0]) };
  };
  t.same(told(), { seconds: 60, errors: [] });
  t.same(told('1'), { seconds: 1, errors: [] });
  t.same(told('999999'), { seconds: 999_999, errors: [] });
  for (const text of ['0', '-1', '1.5', '1s', '1000000', ' 2']) {
    const errors = [`${name}: expected 1 to 999999, not ${JSON.stringify(text)}; it stays at 60`];
    t.same(told(text), { seconds: 60, errors });
  }
});
