import type { Socket } from 'node:net';
import { ShortLivedMap } from '../../pipelines/operators/short-lived-map.ts';
import { ShortLivedSet } from '../../pipelines/operators/short-lived-set.ts';

/** Connections without a request: those that may be closed to make room. */
export interface Resting {
  readonly size: number;
  /** Adds a connection as the one that has rested for the shortest time. */
  add(socket: Socket, address: string): void;
  delete(socket: Socket): void;
  /**
   * The connection that makes room for a new one of an address. It is the one that has rested for
   * longest. If the address has more than an equal share of all, it is the longest of its own: so
   * one address cannot take the place of all others.
   */
  idlest(address: string): Socket | undefined;
}

/** The time of each call does not depend on the number of connections. */
export const createResting = (): Resting => {
  // Maps and sets keep the order of insertion.
  const all = new ShortLivedMap<Socket, string>();
  const ofAddress = new ShortLivedMap<string, ShortLivedSet<Socket>>();

  const remove = (socket: Socket) => {
    const address = all.get(socket) ?? '';
    const own = ofAddress.get(address);
    all.delete(socket);
    own?.delete(socket);
    if (own?.size === 0) ofAddress.delete(address);
  };

  return {
    get size() {
      return all.size;
    },
    add: (socket, address) => {
      remove(socket);
      all.set(socket, address);
      ofAddress.set(address, (ofAddress.get(address) ?? new ShortLivedSet<Socket>()).add(socket));
    },
    delete: remove,
    idlest: (address) => {
      const own = ofAddress.get(address);
      const [idlest] = own && own.size > all.size / ofAddress.size ? own : all.keys();
      return idlest;
    },
  };
};
