/**
 * Talks to the streaming server of the CRI as kubectl does, by the WebSocket protocol v4.channel.k8s.io: each message
 * begins with the number of its channel. Runs in the place of the engine, whose loopback is not the test's.
 *
 *     node --experimental-websocket stream.mjs URL MESSAGE UNTIL
 *
 * Sends MESSAGE on channel 0 once the other side has sent something or the connection is open; ends when the server
 * closes it, or when the received text contains UNTIL. Prints the received text as JSON: `{"0": …, "1": …}`, the text
 * of each channel.
 */
const [url = '', message = '', until = ''] = process.argv.slice(2);
const socket = new WebSocket(url.replace(/^http/, 'ws'), ['v4.channel.k8s.io']);
socket.binaryType = 'arraybuffer';
const received = {};
let result = 0;

socket.addEventListener('open', () => {
  if (message !== '') socket.send(Buffer.from(`\0${message}`));
});
socket.addEventListener('message', ({ data }) => {
  const bytes = Buffer.from(data);
  const channel = bytes[0];
  received[channel] = (received[channel] ?? '') + bytes.subarray(1).toString('latin1');
  if (until !== '' && Object.values(received).some((text) => text.includes(until))) socket.close();
});
socket.addEventListener('error', ({ message }) => {
  console.error(`${url}: ${message}`);
  result = 1;
});
socket.addEventListener('close', () => {
  console.log(JSON.stringify(received));
  process.exit(result);
});
