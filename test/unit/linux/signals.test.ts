import { constants } from 'node:os';
import t from 'tap';
import { parseSignal, signalName } from '../../../src/linux/signals.ts';

t.test('every name that Node has, with its number', async (t) => {
  for (const [name, number] of Object.entries(constants.signals)) {
    for (const text of [name, name.slice(3), name.toLowerCase(), String(number)])
      t.equal(parseSignal(text), number, text);
  }
});

t.test('second names, the realtime ones and 0', async (t) => {
  const numbers = {
    IO: 29,
    SIGIO: 29,
    POLL: 29,
    sigpoll: 29,
    IOT: 6,
    CLD: 17,
    STKFLT: 16,
    PWR: 30,
    RTMIN: 34,
    'SIGRTMIN+3': 37,
    'rtmin+30': 64,
    RTMAX: 64,
    'RTMAX-14': 50,
    0: 0,
    32: 32,
    64: 64,
  };
  for (const [text, number] of Object.entries(numbers)) t.equal(parseSignal(text), number, text);
});

t.test('anything else is refused', async (t) => {
  for (const text of [
    '',
    'SIG',
    'SIGSIGTERM',
    '65',
    '-1',
    '9x',
    'RTMIN+31',
    'RTMAX-31',
    'RTMIN-1',
    '__proto__',
    'EXIT',
  ]) {
    t.throws(() => parseSignal(text), { message: `unknown signal ${JSON.stringify(text)}` }, text);
  }
});

t.test('names of numbers', async (t) => {
  t.same([9, 29, 31, 34].map(signalName), ['SIGKILL', 'SIGIO', 'SIGSYS', undefined]);
});
