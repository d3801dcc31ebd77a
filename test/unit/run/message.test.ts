/** Which messages the runtime accepts from init. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import t from 'tap';
import { addon } from '../../../src/addon.ts';
import { messageSize, messageType, receiveFromInit } from '../../../src/run/message.ts';
import { requires } from '../../harness/index.ts';

const skip = requires({ files: ['build/Release/tsrun.node'] });

t.test('a message that is not whole is refused', { skip }, async (t) => {
  const [ours, theirs] = addon().socketPair();
  const message = Buffer.alloc(messageSize);
  message.writeUInt32LE(messageType.notice, 0);
  message.writeUInt32LE(7, 4);
  message.write('detail', 16);
  addon().sendMessage(theirs, message);
  t.match(receiveFromInit(ours), { type: messageType.notice, opIndex: 7, detail: 'detail', fd: -1 });
  // The rest of the buffer would have the memory's former contents.
  addon().sendMessage(theirs, message.subarray(0, 4));
  t.throws(() => receiveFromInit(ours), /a message of 4 bytes/);
  closeSync(theirs);
  t.equal(receiveFromInit(ours), null);
  closeSync(ours);
});

t.test('a child of this process is distinguished from another’s', { skip }, async (t) => {
  const child = spawn('/bin/sleep', ['1000']);
  await once(child, 'spawn');
  const pidfds = [child.pid ?? 0, process.ppid].map((pid) => addon().pidfdOpen(pid));
  t.strictSame(
    pidfds.map((pidfd) => addon().isChild(pidfd)),
    [true, false],
  );
  for (const pidfd of pidfds) closeSync(pidfd);
  child.kill('SIGKILL');
  await once(child, 'exit');
});
