#!/usr/bin/env node
/**
 * A code runner over HTTP: what is posted is run by a shell in a container of its own, and its output comes back while it
 * is written. At most 64 MiB of memory, half a CPU, 32 processes, 2 seconds, 256 KiB of output, 4 at a time.
 *
 *     node examples/code-runner.mjs ROOTFS [PORT]
 *     curl --no-buffer --data-binary 'echo hello; sleep 1; echo world' localhost:8080
 *
 * The last line is how it ended, as trailers cannot be read everywhere: {"code":0,"signal":null,"timedOut":false}
 *
 * It listens on 127.0.0.1 only, and refuses what a web page sends: every page that a browser of this machine shows could
 * run code here otherwise.
 */
import { createServer } from 'node:http';
import { spawn } from 'tsrun';

const [rootfs, port = '8080'] = process.argv.slice(2);
if (rootfs === undefined) throw new Error('usage: code-runner.mjs ROOTFS [PORT]');

// A host without memory and cpu controllers (cgroup v2) refuses these two, rather than run without: MEMORY=none CPUS=none.
const { MEMORY = '64M', CPUS = '0.5', TIMEOUT_MS = '2000' } = process.env;
const limits = {
  memory: MEMORY === 'none' ? undefined : MEMORY,
  cpus: CPUS === 'none' ? undefined : Number(CPUS),
  pids: 32,
  timeout: Number(TIMEOUT_MS),
};
const mostOutput = 256 * 1024;
const mostAtOnce = 4;
const newline = 0x0a;
let running = 0;

const server = createServer(async (request, response) => {
  // A browser names the page in every POST, even one of the page's own host, whose name may lead here (DNS rebinding).
  if (request.headers.origin !== undefined) return response.writeHead(403).end('not for web pages\n');
  if (request.method !== 'POST') return response.writeHead(405, { allow: 'POST' }).end('POST a shell script\n');
  if (running === mostAtOnce) return response.writeHead(503, { 'retry-after': '1' }).end('busy\n');
  running++;
  try {
    await answer(request, response);
  } finally {
    running--;
  }
});
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));

async function answer(request, response) {
  const gone = new AbortController();
  // Who does not wait for the answer needs no container either.
  response.on('close', () => gone.abort());
  const child = spawn('sh', ['-s'], { rootfs, ...limits, signal: gone.signal });
  child.on('error', () => undefined);
  request.pipe(child.stdin);
  let room = mostOutput;
  let isLineOpen = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      const kept = part.subarray(0, Math.max(room, 0));
      if (kept.length > 0) isLineOpen = kept.at(-1) !== newline;
      response.write(kept);
      room -= part.length;
      if (room < 0) child.kill('SIGKILL');
    });
  }
  const end = (result) => response.end(`${isLineOpen ? '\n' : ''}${JSON.stringify(result)}\n`);
  const output = Promise.all(
    [child.stdout, child.stderr].map((each) => new Promise((done) => each.once('close', done))),
  );
  try {
    const { code, signal, timedOut } = await child.wait();
    await output;
    end({ code, signal, timedOut });
  } catch (error) {
    if (gone.signal.aborted) return;
    end({ error: error.message, code: error.code });
  }
}
