/**
 * registry.mjs LAYOUT PORT: a registry on 127.0.0.1 with one image, under every name (the distribution specification's
 * pull). LAYOUT is a directory in the OCI image layout.
 */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const [layout, port] = process.argv.slice(2);
const [manifest] = JSON.parse(readFileSync(path.join(layout, 'index.json'), 'utf8')).manifests;

/** The digest and media type of what a path names. */
function contentOf(url) {
  const [, kind, reference] = /^\/v2\/.+\/(manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
  if (kind === 'manifests') return manifest;
  return kind === 'blobs' ? { digest: reference, mediaType: 'application/octet-stream' } : undefined;
}

createServer((request, response) => {
  if (/^\/v2\/?$/.test(request.url)) return response.end('{}');
  const content = contentOf(request.url);
  const file = path.join(layout, 'blobs', ...(content?.digest.split(':') ?? ['none']));
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) return response.writeHead(404).end();
  response.writeHead(200, {
    'content-type': content.mediaType,
    'content-length': size,
    'docker-content-digest': content.digest,
  });
  if (request.method === 'HEAD') response.end();
  else createReadStream(file).pipe(response);
}).listen(Number(port), '127.0.0.1', () => console.log('listening'));
