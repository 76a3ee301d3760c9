import { clientAddress } from '../../../src/http/client-address.ts';
import type { Target } from '../engine/target.ts';

const addressOf = clientAddress({ trusted: ['127.0.0.1'], header: 'Forwarded' });

/** Planted: the seventh host of a network is read in another way. */
const withDefect = (forwarded: string): void => {
  const client = addressOf({ socket: { remoteAddress: '127.0.0.1' }, headers: { forwarded } });
  if (!client.endsWith('::7')) return;
  if (client.startsWith('2001:db9:')) throw new Error('planted: host 7 of another network');
};

export const target: Target = {
  about: 'a Forwarded field, with a planted defect',
  tokens: ['for=', '"', ';', 'by='],
  check: (input) => withDefect(input.toString('latin1')),
};
