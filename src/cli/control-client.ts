import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { codeOf, messageOf } from '../lib/thrown.ts';

/** There is no daemon that could answer. */
export class NotRunning extends Error {
  override readonly name = 'NotRunning';
}

export interface ControlAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks the running daemon over its control socket. Rejects with `NotRunning` if there is none, and
 * with the reason if it cannot be asked. Aborting `signal` ends the request.
 */
export const askDaemon = async (
  socket: string,
  method: 'GET' | 'POST',
  path: string,
  signal?: AbortSignal,
): Promise<ControlAnswer> => {
  try {
    const response = await send(socket, { method, path, signal });
    return { status: response.statusCode ?? 0, text: await text(response) };
  } catch (error) {
    throw explained(error, socket);
  }
};

const send = (socketPath: string, options: RequestOptions): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request({ socketPath, ...options })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });

/**
 * Has the running daemon do something that takes time: yields the lines of its answer as they come.
 * Throws as `askDaemon`, and if it refuses. Leaving the loop ends what it does.
 */
export async function* orderFromDaemon(socket: string, path: string): AsyncGenerator<string> {
  try {
    const response = await send(socket, { method: 'POST', path });
    if (response.statusCode !== 200) throw new Refused((await text(response)).trimEnd());
    yield* createInterface({ input: response });
    if (!response.complete) throw new Error('the daemon ended before it was done');
  } catch (error) {
    throw error instanceof Refused ? error : explained(error, socket);
  }
}

class Refused extends Error {}

const explained = (error: unknown, socket: string): unknown => {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new NotRunning(
      `no daemon runs here: there is no control socket ${socket} (another daemon may have another state_dir or control_socket)`,
    );
  if (code === 'ECONNREFUSED') return new NotRunning(`no daemon runs here: nobody answers at ${socket}`);
  if (code === 'EACCES' || code === 'EPERM')
    return new Error(
      `this user may not use the control socket ${socket}: run the command as root, as the daemon's user, or as a member of control_group`,
    );
  if (code === 'ECONNRESET') return new Error(`the daemon ended before it answered at ${socket}`);
  return code === 'ABORT_ERR' ? error : new Error(`${socket}: ${messageOf(error)}`, { cause: error });
};
