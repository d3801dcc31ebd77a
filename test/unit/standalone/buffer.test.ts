/** Our Buffer must do what Node's does. */
import t from 'tap';

// The functions of addon/engine/host.cc.
const host = {
  byteLength: (text: string) => Buffer.byteLength(text),
  write: (bytes: Uint8Array, text: string, at: number) => Buffer.from(bytes.buffer).write(text, at),
  encode: (text: string) => bytesOf(Buffer.from(text)),
  decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  decodeLatin1: (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1'),
  allocate: (size: number) => bytesOf(Buffer.alloc(size, 0xaa)),
};
Object.assign(globalThis, { tsrunHost: host });
const { Bytes, SmallBuffer } = await import('../../../src/standalone/buffer.ts');

function bytesOf(buffer: Buffer): Uint8Array {
  return Object.setPrototypeOf(new Uint8Array(buffer), Bytes.prototype);
}

t.test('numbers are written and read as by Node', async (t) => {
  const ours = SmallBuffer.alloc(32);
  const theirs = Buffer.alloc(32);
  for (const bytes of [ours, theirs]) {
    bytes.writeUInt8(0xfe, 0);
    bytes.writeUInt16LE(0xfedc, 1);
    bytes.writeInt16LE(-2, 3);
    bytes.writeUInt32LE(0xfedcba98, 5);
    bytes.writeInt32LE(-3, 9);
    bytes.writeBigUInt64LE(0xfedcba9876543210n, 13);
    t.throws(() => bytes.writeUInt32LE(0, 29), RangeError);
    t.throws(() => bytes.readUInt32LE(29), RangeError);
  }
  t.equal(Buffer.from(ours).toString('hex'), theirs.toString('hex'));
  for (let at = 0; at < 24; at++) {
    const all = (bytes: typeof ours | Buffer) => [
      bytes.readUInt8(at),
      bytes.readUInt16LE(at),
      bytes.readInt32LE(at),
      bytes.readUInt32LE(at),
      bytes.readBigUInt64LE(at),
    ];
    t.same(all(ours), all(theirs), `at ${at}`);
  }
});

t.test('text', async (t) => {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  for (const length of [0, 1, 2, 3, 254, 255, 256]) {
    const ours = new Bytes(bytes.slice(0, length));
    const theirs = Buffer.from(bytes.slice(0, length));
    for (const encoding of ['latin1', 'hex', 'base64'] as const) {
      t.equal(ours.toString(encoding), theirs.toString(encoding), `${encoding}, ${length}`);
    }
  }
  t.equal(new Bytes(Buffer.from('grüße')).toString('utf8', 2, 4), 'ü');
  t.same([...SmallBuffer.from('\u00e9\u0100', 'latin1')], [...Buffer.from('\u00e9\u0100', 'latin1')]);
  t.equal(SmallBuffer.byteLength('grüße'), 7);
});

t.test('parts and copies', async (t) => {
  const part = SmallBuffer.from('abc') as InstanceType<typeof Bytes>;
  t.type(part.subarray(1), Bytes, 'a part has the methods too');
  t.equal(SmallBuffer.concat([part, part]).toString(), 'abcabc');
  t.equal(SmallBuffer.concat([part, part], 4).toString(), 'abca');
  t.same([...SmallBuffer.concat([part], 5)], [97, 98, 99, 0, 0]);
  const target = SmallBuffer.alloc(4);
  t.equal(part.copy(target, 2), 2);
  t.same([...target], [0, 0, 97, 98]);
  t.ok(part.equals(SmallBuffer.from('abc')));
  t.notOk(part.equals(SmallBuffer.from('abd')));
});
