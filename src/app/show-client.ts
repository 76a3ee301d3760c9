import { isIPv6 } from 'node:net';
import type { Settings } from '../config/schema.ts';

/** Bytes of an IPv4 address, and groups of an IPv6 address, that name a network. */
const [IPV4, IPV6] = [3, 3];

/** How the live page shows the address of a client. */
export const showClientOf =
  (settings: Pick<Settings, 'showClients'>) =>
  (client: string): string | undefined => {
    const { showClients: shown } = settings;
    if (shown === 'no' || client === '') return undefined;
    if (shown === 'address') return client;
    if (!isIPv6(client)) return `${client.split('.').slice(0, IPV4).join('.')}.*`;
    const [front = ''] = client.split('::', 1);
    return `${front.split(':').slice(0, IPV6).join(':')}::*`;
  };
