import t from 'tap';
import { findValue } from '../../../../src/config/read/find-value.ts';
import { scanJson } from '../../../../src/config/read/json-scanner.ts';
import { completeDocument } from '../validate/documents.ts';

t.test('finds each value where the scanner does, in any formatting', async (t) => {
  const config = completeDocument('config');
  const odd = ' {"a": [1, {"b/~": null}, [], {}],\n "c\\"]}": "d\\\\", "e": [[-1e3 ], "}", true\t] } ';
  for (const text of [JSON.stringify(config), JSON.stringify(config, null, 3), odd]) {
    const wrong = [...scanJson(text, 100).values].filter(([pointer, offset]) => findValue(text, pointer) !== offset);
    t.strictSame(wrong, []);
  }
});

t.test('an absent value is not found', async (t) => {
  const text = '{"a": [1, "x"], "b": 2}';
  for (const pointer of ['/c', '/a/2', '/a/x', '/a/-1', '/a/1/0', '/b/0', '/b/c', '/a/0/0']) {
    t.equal(findValue(text, pointer), undefined, pointer);
  }
});
