import type { IncomingMessage, Server } from 'node:http';

/** Whether the parser takes the following data for another protocol (RFC 9110 section 7.8). */
export const wantsUpgrade = ({ headers: { upgrade, connection = '' } }: IncomingMessage): boolean =>
  upgrade !== undefined && /upgrade/i.test(connection);

/**
 * Makes a server ignore an upgrade that its `shouldUpgradeCallback` grants. Node then releases the
 * socket, and returns the data after the request. The request is parsed again without its upgrade
 * field. Older Node has no such callback, and would release every socket.
 */
export const ignoreUpgrades = (server: Server): void => {
  if (!('shouldUpgradeCallback' in server)) return;
  server.on('upgrade', (req, _, rest) => {
    req.socket.unshift(Buffer.concat([withoutUpgrade(req), rest]));
    server.emit('connection', req.socket);
  });
};

/** The head of a request as it came, without the upgrade field. */
const withoutUpgrade = ({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer => {
  const fields = rawHeaders.flatMap((name, index) =>
    index % 2 === 1 || name.toLowerCase() === 'upgrade' ? [] : `${name}: ${rawHeaders[index + 1]}`,
  );
  return Buffer.from([`${method} ${url} HTTP/${httpVersion}`, ...fields, '', ''].join('\r\n'), 'latin1');
};
