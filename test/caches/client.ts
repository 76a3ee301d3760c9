import { connect, type Socket } from 'node:net';
import type { Field } from './fields.ts';
import { type Answer, readResponse } from './response.ts';

/** A request as it is sent. */
export interface Outgoing {
  readonly method: 'GET' | 'HEAD';
  readonly target: string;
  readonly http: '1.0' | '1.1';
  readonly fields: readonly Field[];
  /** Closes the connection after this many bytes of the body; 0: as soon as the request is out. */
  readonly leaves?: number;
}

/** Milliseconds without a byte after which a response counts as endless. */
const SILENCE = 15_000;

/** A client of one server. */
export interface Client {
  /** Sends a request, on the connection that is kept or on a new one. Never rejects. */
  ask(outgoing: Outgoing, connection: 'new' | 'kept'): Promise<Answer>;
  close(): void;
}

const written = ({ method, target, http, fields }: Outgoing, host: string, kept: boolean): string =>
  [
    `${method} ${target} HTTP/${http}`,
    `Host: ${host}`,
    ...(kept ? [] : ['Connection: close']),
    ...fields.map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n');

/** A client on bare sockets that shares no code with the product. */
export const createClient = (url: string): Client => {
  const { hostname, port, host } = new URL(url);
  let kept: Socket | undefined;

  const dial = () => connect({ host: hostname, port: Number(port), noDelay: true });

  const exchange = (socket: Socket, outgoing: Outgoing, keep: boolean): Promise<Answer & { readonly begun: boolean }> =>
    new Promise((resolve) => {
      const reader = readResponse(outgoing.method, outgoing.http);
      const { leaves } = outgoing;
      const end = (answer: Answer) => {
        socket.removeAllListeners();
        // A late error changes nothing; without a listener it would end the process.
        socket.on('error', () => {});
        socket.setTimeout(0);
        const mayStay = keep && answer.end === 'whole' && !answer.untilClose && !/close/i.test(connectionOf(answer));
        if (!mayStay) socket.destroy();
        if (keep) kept = mayStay ? socket : undefined;
        resolve({ ...answer, begun: reader.begun() });
      };
      socket.on('data', (bytes: Buffer) => {
        if (reader.push(bytes)) {
          const answer = reader.whole();
          const after = reader.left();
          end(after.length === 0 ? answer : { ...answer, problems: [...answer.problems, trailing(after)] });
        } else if (leaves !== undefined && reader.received() >= leaves) end(reader.finish('left'));
      });
      socket.on('end', () => end(reader.finish('short')));
      socket.on('error', () => end(reader.finish('reset')));
      socket.on('close', () => end(reader.finish('reset')));
      socket.setTimeout(SILENCE, () => end(reader.finish('silent')));
      socket.write(written(outgoing, host, keep), 'latin1', () => {
        if (leaves === 0) end(reader.finish('left'));
      });
    });

  return {
    ask: async (outgoing, connection) => {
      // HTTP/1.0 keeps no connections.
      const keep = connection === 'kept' && outgoing.http === '1.1';
      const before = keep ? kept : undefined;
      if (keep) kept = undefined;
      if (before && !before.destroyed) {
        const answer = await exchange(before, outgoing, true);
        // A server may close an idle connection. A request that crosses this has to be sent again
        // (RFC 9112 section 9.3.1).
        if (answer.begun || answer.end === 'left' || answer.end === 'silent') return answer;
      }
      return exchange(dial(), outgoing, keep);
    },
    close: () => kept?.destroy(),
  };
};

const connectionOf = ({ fields }: Answer): string =>
  fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .map(([, value]) => value)
    .join();

const trailing = (bytes: Buffer): string =>
  `${bytes.length} bytes after its end, from ${JSON.stringify(bytes.toString('latin1', 0, 40))}`;
