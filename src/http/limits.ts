import { StreamError } from '../../pipelines/model/index.ts';
import { ShortLivedMap } from '../../pipelines/operators/short-lived-map.ts';

/** Limits of one connection, and of all together. A count of 0 means unlimited. */
export interface ConnectionLimits {
  /** Open connections at a time. */
  readonly connections: number;
  /** Requests on one connection, one after the other. */
  readonly requestsPerConnection: number;
  /**
   * Milliseconds until a request must be complete. They count from its first byte; for the first
   * request of a connection, from the start of the connection.
   */
  readonly requestTimeout: number;
  /** Milliseconds that a connection may have no request. */
  readonly keepAliveTimeout: number;
  /** Bytes. */
  readonly targetLength: number;
  /** Bytes: the target, and the names and values of all header fields. */
  readonly headerSize: number;
}

/** Limits of clients. */
export interface Limits extends ConnectionLimits {
  /** Running transfers at a time. */
  readonly transfers: number;
  readonly transfersPerClient: number;
  /** Milliseconds in which a client may read nothing of a written response. 0: no limit. */
  readonly clientTimeout: number;
}

/** Small enough to be safe, long enough for every well-behaved client. */
export const USUAL_LIMITS: Limits = {
  connections: 0,
  requestsPerConnection: 0,
  requestTimeout: 30_000,
  keepAliveTimeout: 125_000,
  targetLength: 8 * 1024,
  headerSize: 16 * 1024,
  transfers: 0,
  transfersPerClient: 0,
  clientTimeout: 600_000,
};

/** The slot of one transfer. */
export interface Place {
  /** From now on the transfer gives way to no other: its turn has come. */
  stay(): void;
  /** The transfer is over, or needs no source any longer. Further calls have no effect. */
  leave(): void;
}

/** The slots for transfers. */
export interface TransferSlots {
  /**
   * Takes a slot for a transfer. Throws `OVERLOADED` or `TOO_MANY_TRANSFERS` if none is free. A
   * transfer with `giveWay` starts ahead of its turn. As soon as one without it needs the slot,
   * `giveWay` is called and must release the slot. A transfer with `giveWay` never takes a slot
   * from another one.
   */
  enter(client: string, giveWay?: () => void): Place;
  /** Running transfers, and clients that have one. */
  taken(): { readonly transfers: number; readonly clients: number };
}

/**
 * Slots for at most `transfers` at a time, and for at most `transfersPerClient` of one client. 0
 * means unlimited. The limits are read for each transfer: they may change.
 */
export const createTransferSlots = (limits: Pick<Limits, 'transfers' | 'transfersPerClient'>): TransferSlots => {
  const ofClient = new ShortLivedMap<string, number>();
  /** Transfers that started ahead of their turn, the oldest first. */
  const ahead = new ShortLivedMap<Place, { readonly client: string; readonly giveWay: () => void }>();
  let all = 0;

  const own = (client: string) => ofClient.get(client) ?? 0;
  const ownFull = (client: string) => limits.transfersPerClient > 0 && own(client) >= limits.transfersPerClient;
  const allFull = () => limits.transfers > 0 && all >= limits.transfers;

  const makeWay = (client: string) => {
    const oldest = (whose: (other: string) => boolean) => [...ahead.values()].find((one) => whose(one.client));
    if (ownFull(client)) oldest((other) => other === client)?.giveWay();
    if (allFull()) oldest(() => true)?.giveWay();
  };

  return {
    taken: () => ({ transfers: all, clients: ofClient.size }),
    enter: (client, giveWay) => {
      if (!giveWay) makeWay(client);
      if (ownFull(client))
        throw new StreamError(
          'TOO_MANY_TRANSFERS',
          'client',
          `too many transfers of ${client} (max_transfers_per_client = ${limits.transfersPerClient})`,
        );
      if (allFull())
        throw new StreamError('OVERLOADED', 'self', `too many transfers (max_transfers = ${limits.transfers})`);
      all += 1;
      ofClient.set(client, own(client) + 1);
      let left = false;
      const place: Place = {
        stay: () => ahead.delete(place),
        leave: () => {
          if (left) return;
          left = true;
          ahead.delete(place);
          all -= 1;
          const others = own(client) - 1;
          if (others > 0) ofClient.set(client, others);
          else ofClient.delete(client);
        },
      };
      if (giveWay) ahead.set(place, { client, giveWay });
      return place;
    },
  };
};
