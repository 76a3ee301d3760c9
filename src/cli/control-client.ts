import { request } from 'node:http';
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
    const asked = request({ socketPath: socket, method, path, signal }).end();
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      asked.on('response', resolve).on('error', reject);
    });
    return { status: response.statusCode ?? 0, text: await text(response) };
  } catch (error) {
    throw explained(error, socket);
  }
};

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
