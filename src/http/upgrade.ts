import type { IncomingMessage, Server } from 'node:http';

/** Whether the parser takes what follows for another protocol (RFC 9110 section 7.8). */
export const wantsUpgrade = ({ headers: { upgrade, connection = '' } }: IncomingMessage): boolean =>
  upgrade !== undefined && /upgrade/i.test(connection);

/**
 * Has a server ignore wishes for another protocol that its `shouldUpgradeCallback` grants. Node then lets go of the socket, and gives back what
 * came behind the request: all of it begins again, without the wish. Older Node has no such callback, and would let go of every socket.
 */
export const ignoreUpgrades = (server: Server): void => {
  if (!('shouldUpgradeCallback' in server)) return;
  server.on('upgrade', (req, _, rest) => {
    req.socket.unshift(Buffer.concat([withoutUpgrade(req), rest]));
    server.emit('connection', req.socket);
  });
};

/** The head of a request as it came, but for the wish. */
const withoutUpgrade = ({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer => {
  const fields = rawHeaders.flatMap((name, index) =>
    index % 2 === 1 || name.toLowerCase() === 'upgrade' ? [] : `${name}: ${rawHeaders[index + 1]}`,
  );
  return Buffer.from([`${method} ${url} HTTP/${httpVersion}`, ...fields, '', ''].join('\r\n'), 'latin1');
};
