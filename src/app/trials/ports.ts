import { createServer, type Server } from 'node:net';
import type { Settings } from '../../config/schema.ts';
import { type ListenAddress, listenAddresses } from '../../http/addresses.ts';
import { LISTEN_REASONS } from '../listen-error.ts';
import { reasonFrom, type Trial, trying } from './trial.ts';

/**
 * Listens briefly on every address and port of the daemon, all at once: two listeners may want the
 * same.
 */
export const tryPorts = async ({
  interfaces,
  port,
  adminInterfaces,
  adminPort,
}: Settings): Promise<readonly Trial[]> => {
  const wanted = [
    ...(await listenAddresses(interfaces)).map((address) => ({ address, port })),
    ...(adminPort > 0 ? (await listenAddresses(adminInterfaces)).map((address) => ({ address, port: adminPort })) : []),
  ];
  const servers: Server[] = [];
  const trials: Trial[] = [];
  for (const { address, port } of wanted) {
    const listening = async () => {
      servers.push(await listen(address, port));
      return undefined;
    };
    trials.push(await trying(`port ${port || 'of any number'} on ${address.host}`, listening, reasonOf));
  }
  for (const server of servers) server.close();
  return trials;
};

const listen = ({ host, ipv6Only }: ListenAddress, port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen({ host, port, ipv6Only }, () => resolve(server));
  });

const reasonOf = reasonFrom(LISTEN_REASONS);
