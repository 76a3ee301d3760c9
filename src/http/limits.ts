import { StreamError } from '../../pipelines/model/index.ts';

/** What one connection may have of us, and all of them together. A count of 0 is no limit. */
export interface ConnectionLimits {
  /** Connections that are open at a time. */
  readonly connections: number;
  /** Requests that one connection carries, one after the other. */
  readonly requestsPerConnection: number;
  /** Milliseconds within which a request has come whole; counts from its first byte, of the first one from the connection. */
  readonly requestTimeout: number;
  /** Milliseconds that a connection may be without a request. */
  readonly keepAliveTimeout: number;
  /** Bytes. */
  readonly targetLength: number;
  /** Bytes: the target, and the names and values of all header fields. */
  readonly headerSize: number;
}

/** What clients may have of us. */
export interface Limits extends ConnectionLimits {
  /** Transfers that are under way at a time. */
  readonly transfers: number;
  readonly transfersPerClient: number;
  /** Milliseconds in which a client takes nothing of a response that is written. 0: it may take for ever. */
  readonly clientTimeout: number;
}

/** Small and patient enough for everybody who asks in good faith. */
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

/** The place of one transfer. */
export interface Place {
  /** From now on the transfer makes way for no other: its turn has come. */
  stay(): void;
  /** The transfer is over. To be called once. */
  leave(): void;
}

/** The room that there is for transfers. */
export interface TransferSlots {
  /**
   * Lets a transfer in. Throws `OVERLOADED` or `TOO_MANY_TRANSFERS` if there is no room. A transfer with `giveWay` is begun ahead of its
   * turn: as soon as one without it needs the place, `giveWay` is called and has to leave. It never takes a place from another one.
   */
  enter(client: string, giveWay?: () => void): Place;
}

/** Room for so many transfers at a time in all, and for so many of one client; 0 is no limit. */
export const createTransferSlots = ({
  transfers,
  transfersPerClient,
}: Pick<Limits, 'transfers' | 'transfersPerClient'>): TransferSlots => {
  const ofClient = new Map<string, number>();
  /** Those begun ahead of their turn, the oldest first. */
  const ahead = new Map<Place, { readonly client: string; readonly giveWay: () => void }>();
  let all = 0;

  const own = (client: string) => ofClient.get(client) ?? 0;
  const ownFull = (client: string) => transfersPerClient > 0 && own(client) >= transfersPerClient;
  const allFull = () => transfers > 0 && all >= transfers;

  const makeWay = (client: string) => {
    const oldest = (whose: (other: string) => boolean) => [...ahead.values()].find((one) => whose(one.client));
    if (ownFull(client)) oldest((other) => other === client)?.giveWay();
    if (allFull()) oldest(() => true)?.giveWay();
  };

  return {
    enter: (client, giveWay) => {
      if (!giveWay) makeWay(client);
      if (ownFull(client))
        throw new StreamError('TOO_MANY_TRANSFERS', 'client', `${own(client)} transfers of ${client} are under way`);
      if (allFull()) throw new StreamError('OVERLOADED', 'self', `${all} transfers are under way`);
      all += 1;
      ofClient.set(client, own(client) + 1);
      const place: Place = {
        stay: () => ahead.delete(place),
        leave: () => {
          ahead.delete(place);
          all -= 1;
          const left = own(client) - 1;
          if (left > 0) ofClient.set(client, left);
          else ofClient.delete(client);
        },
      };
      if (giveWay) ahead.set(place, { client, giveWay });
      return place;
    },
  };
};
