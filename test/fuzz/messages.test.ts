/**
 * Damaged messages, of the kernel and of init, which may be anybody by then. Each is read within its bounds, or
 * refused.
 */
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { addon } from '../../src/addon.ts';
import {
  linkAttribute,
  linkMessage,
  messageType,
  parseAddresses,
  parseLinks,
  textAttribute,
} from '../../src/network/messages.ts';
import { messageSize, receiveFromInit } from '../../src/run/message.ts';
import { repoRoot, requires } from '../harness/index.ts';
import { Random, rounds } from './random.ts';

const skip = requires({ files: ['build/Release/tsrun.node'] });

const corpus = join(repoRoot, 'test/fuzz/corpus/messages');

/** The files have hexadecimal digits, so that people can read them. */
function seeds(kind: string): Buffer[] {
  return readdirSync(corpus)
    .filter((name) => name.startsWith(kind))
    .map((name) => Buffer.from(readFileSync(join(corpus, name), 'utf8').trim(), 'hex'));
}

function damage(seed: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(seed);
  for (let times = random.below(6); times > 0 && bytes.length > 0; times--) {
    bytes[random.below(bytes.length)] = random.pick([0, 1, 3, 4, 15, 16, 127, 255, random.below(256)]);
  }
  return random.once(4) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

t.test('of init', { skip }, async (t) => {
  const whole = seeds('init');
  const [ours, theirs] = addon().socketPair();
  let taken = 0;
  const count = rounds(5000);
  for (let round = 0; round < count; round++) {
    const random = new Random(round);
    const bytes = damage(Buffer.concat([random.pick(whole), Buffer.alloc(messageSize)], messageSize), random);
    if (bytes.length === 0) continue;
    addon().sendMessage(theirs, bytes);
    try {
      const { detail, fd } = receiveFromInit(ours) ?? { detail: '', fd: -1 };
      if (detail.includes('\0') || detail.length > messageSize || fd !== -1) t.fail(`round ${round}: ${detail}, ${fd}`);
      taken++;
    } catch (error) {
      if (bytes.length === messageSize || !/message of \d+ bytes/.test(`${error}`)) throw error;
    }
  }
  t.ok(taken > count / 2 && taken < count, `${taken} of ${count} are taken`);
  for (const fd of [ours, theirs]) closeSync(fd);
});

t.test('of rtnetlink', async (t) => {
  const made = linkMessage(messageType.newLink, 0, { index: 3 }, [textAttribute(linkAttribute.name, 'eth0')]);
  const whole = [made, ...seeds('netlink')];
  let refused = 0;
  const count = rounds(5000);
  for (let round = 0; round < count; round++) {
    const random = new Random(round);
    const bytes = damage(Buffer.concat([random.pick(whole), random.pick(whole)]), random);
    for (const parse of [parseLinks, parseAddresses]) {
      try {
        parse(bytes);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        refused++;
      }
    }
  }
  t.ok(refused > 0 && refused < 2 * count, `${refused} are refused`);
});
