import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

/** Asks a proxy for a URL, on a separate connection. Resolves when the head has arrived. */
export const askThrough = async (proxy: string, url: string): Promise<IncomingMessage> => {
  const { hostname, port } = new URL(proxy);
  const asked = request({ agent: false, hostname, port, path: url, headers: { host: new URL(url).host } }).end();
  const [response] = await once(asked, 'response');
  asked.on('error', () => {});
  return response;
};
