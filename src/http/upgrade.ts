import type { IncomingMessage } from 'node:http';

/** Whether the parser takes what follows for another protocol (RFC 9110 section 7.8). */
export const wantsUpgrade = ({ headers: { upgrade, connection = '' } }: IncomingMessage): boolean =>
  upgrade !== undefined && /upgrade/i.test(connection);

/** The head of a request as it came, without its wish for another protocol. */
export const withoutUpgrade = ({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer => {
  const fields = rawHeaders.flatMap((name, index) =>
    index % 2 === 1 || name.toLowerCase() === 'upgrade' ? [] : `${name}: ${rawHeaders[index + 1]}`,
  );
  return Buffer.from([`${method} ${url} HTTP/${httpVersion}`, ...fields, '', ''].join('\r\n'), 'latin1');
};
