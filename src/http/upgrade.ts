import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { restoreTarget } from './raw-targets.ts';

/** Whether the parser takes the following data for another protocol (RFC 9110 section 7.8). */
export const wantsUpgrade = ({ headers: { upgrade, connection = '' } }: IncomingMessage): boolean =>
  upgrade !== undefined && /upgrade/i.test(connection);

/**
 * Makes a server ignore an upgrade that its `shouldUpgradeCallback` grants. Node then releases the
 * socket. `putBack` gets the request without its upgrade field, to be parsed again. Older Node has no such callback, and would release every socket.
 */
export const ignoreUpgrades = (server: Server, putBack: (socket: Socket, head: Buffer) => void): void => {
  if (!('shouldUpgradeCallback' in server)) return;
  // No data comes with it: the parser gets one head at a time.
  server.on('upgrade', (req) => {
    putBack(req.socket, withoutUpgrade(req));
    server.emit('connection', req.socket);
  });
};

/** The head of a request as the client sent it, without the upgrade field. */
const withoutUpgrade = ({ method, url = '', httpVersion, rawHeaders }: IncomingMessage): Buffer => {
  const fields = rawHeaders.flatMap((name, index) =>
    index % 2 === 1 || name.toLowerCase() === 'upgrade' ? [] : `${name}: ${rawHeaders[index + 1]}`,
  );
  return Buffer.from([`${method} ${restoreTarget(url)} HTTP/${httpVersion}`, ...fields, '', ''].join('\r\n'), 'latin1');
};
