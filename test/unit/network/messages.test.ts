import t from 'tap';
import { freeName } from '../../../src/network/devices.ts';
import {
  type Address,
  addressMessage,
  linkAttribute,
  linkMessage,
  numberAttribute,
  parseAddresses,
  parseLinks,
  textAttribute,
} from '../../../src/network/messages.ts';

const newLink = 16;
const newAddress = 20;

t.test('a link message has the layout of rtnetlink(7)', async (t) => {
  const message = linkMessage(newLink, 4, { index: 3, set: 1, change: 1 }, [
    numberAttribute(linkAttribute.namespaceFd, 9),
    textAttribute(linkAttribute.name, 'eth0'),
  ]);
  const header = '34000000 1000 0500 00000000 00000000';
  const body = '00 00 0000 03000000 01000000 01000000';
  const attributes = '0800 1c00 09000000 0900 0300 6574683000 000000';
  t.equal(message.toString('hex'), `${header}${body}${attributes}`.replaceAll(' ', ''));
});

t.test('composed messages can be read', async (t) => {
  const links = [
    linkMessage(newLink, 0, { index: 1, set: 1 }, [textAttribute(linkAttribute.name, 'lo')]),
    linkMessage(newLink, 0, { index: 7 }, [textAttribute(linkAttribute.name, 'eth0.1')]),
  ];
  t.same(parseLinks(Buffer.concat(links)), [
    { index: 1, flags: 1, name: 'lo', alternativeNames: [] },
    { index: 7, flags: 0, name: 'eth0.1', alternativeNames: [] },
  ]);
  const flags = 8;
  const address: Omit<Address, 'flags'> = {
    family: 2,
    prefixLength: 24,
    scope: 253,
    index: 7,
    attributes: [[1, Buffer.from([192, 0, 2, 1])], numberAttribute(flags, 0x280)],
  };
  const [parsed, ...more] = parseAddresses(addressMessage(newAddress, 0, address));
  t.match(parsed, { family: 2, prefixLength: 24, scope: 253, index: 7, flags: 0x280 });
  t.same(Buffer.from(parsed?.attributes[0]?.[1] ?? []), Buffer.from([192, 0, 2, 1]));
  t.equal(more.length, 0);
});

t.test('messages of other types are passed over', async (t) => {
  t.same(parseAddresses(linkMessage(newLink, 0, { index: 1 })), []);
});

t.test('no length leads beyond the received bytes', async (t) => {
  const tooLong = linkMessage(newLink, 0, { index: 1 });
  tooLong.writeUInt32LE(33, 0);
  t.throws(() => parseLinks(tooLong), RangeError);
  const tooShort = linkMessage(newLink, 0, { index: 1 });
  tooShort.writeUInt32LE(3, 0);
  t.throws(() => parseLinks(tooShort), RangeError);
  const attribute = linkMessage(newLink, 0, { index: 1 }, [textAttribute(linkAttribute.name, 'eth0')]);
  attribute.writeUInt16LE(200, 32);
  t.throws(() => parseLinks(attribute), RangeError);
});

t.test('a template takes the first free number', async (t) => {
  t.equal(freeName('eth%d', []), 'eth0');
  t.equal(freeName('eth%d', ['eth0', 'eth2', 'lo']), 'eth1');
  t.equal(freeName('lan', ['lan']), 'lan');
});
