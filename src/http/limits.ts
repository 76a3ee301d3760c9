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

/** The room that there is for transfers. */
export interface Room {
  /** Lets a transfer in, and returns what to call, once, when it is over. Throws `OVERLOADED` or `TOO_MANY_TRANSFERS` where there is no room. */
  enter(client: string): () => void;
}

/** Room for so many transfers at a time in all, and for so many of one client; 0 is no limit. Those that are in are never bothered. */
export const createRoom = ({
  transfers,
  transfersPerClient,
}: Pick<Limits, 'transfers' | 'transfersPerClient'>): Room => {
  const ofClient = new Map<string, number>();
  let all = 0;
  return {
    enter: (client) => {
      const own = ofClient.get(client) ?? 0;
      if (transfersPerClient > 0 && own >= transfersPerClient)
        throw new StreamError('TOO_MANY_TRANSFERS', 'client', `${own} transfers of ${client} are under way`);
      if (transfers > 0 && all >= transfers)
        throw new StreamError('OVERLOADED', 'self', `${all} transfers are under way`);
      all += 1;
      ofClient.set(client, own + 1);
      return () => {
        all -= 1;
        const left = (ofClient.get(client) ?? 0) - 1;
        if (left > 0) ofClient.set(client, left);
        else ofClient.delete(client);
      };
    },
  };
};
