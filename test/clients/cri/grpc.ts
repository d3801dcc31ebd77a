/** gRPC over a Unix socket, unary calls only: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';

/** A server's error in place of a message. */
export class GrpcError extends Error {
  override name = 'GrpcError';
}

export class GrpcConnection {
  readonly #session: ClientHttp2Session;

  constructor(socketPath: string) {
    this.#session = connect('http://localhost', { createConnection: () => connectSocket(socketPath) });
    // The calls report it.
    this.#session.on('error', () => {});
  }

  close(): void {
    this.#session.destroy();
  }

  /** Calls `SERVICE/METHOD` with an encoded message; throws a GrpcError if the server answers with an error. */
  call(path: string, message: Uint8Array, metadata: Record<string, string> = {}): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const kind = { 'content-type': 'application/grpc', te: 'trailers' };
      const headers = { ':method': 'POST', ':path': `/${path}`, ...kind, ...metadata };
      const stream = this.#session.request(headers);
      const chunks: Buffer[] = [];
      let status: { code?: unknown; message?: unknown } = {};
      const note = (fields: Record<string, unknown>) => {
        if ('grpc-status' in fields) status = { code: fields['grpc-status'], message: fields['grpc-message'] };
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => {
        // A flag (0: not compressed) and four bytes of length come first.
        if (status.code === '0') resolve(Buffer.concat(chunks).subarray(5));
        else reject(new GrpcError(`${path}: ${decodeURIComponent(String(status.message))} (code ${status.code})`));
      });
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([head, message]));
    });
  }
}
