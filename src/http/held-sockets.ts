import net from 'node:net';
import type { OpenSocket } from '../lib/open-socket.ts';
import type { ListenAddress } from './addresses.ts';

/** Sockets that this process keeps open, and never accepts from: others do that. */
export interface HeldSockets extends Disposable {
  readonly sockets: readonly OpenSocket[];
}

/** Node has it since 24.19, and since 26.4. */
export const canHoldSockets: boolean = net.BoundSocket !== undefined;

/**
 * Binds addresses, with this port, and takes sockets that are open already. With port 0, all share
 * the one that the first got. Throws the system's error, and closes all, if one is not available.
 */
export const holdSockets = (places: readonly (ListenAddress | OpenSocket)[], port: number): HeldSockets => {
  using binding = new DisposableStack();
  let wanted = port;
  const hold = (place: ListenAddress | OpenSocket): OpenSocket => {
    if ('fd' in place) return place;
    const bound = binding.use(new net.BoundSocket({ ...place, port: wanted }));
    ({ port: wanted } = bound.address());
    return { fd: bound.fd(), name: `${place.host} port ${wanted}` };
  };
  const sockets = places.map(hold);
  const held = binding.move();
  return { sockets, [Symbol.dispose]: () => held.dispose() };
};
