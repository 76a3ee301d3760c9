import type { Settings } from '../config/schema.ts';
import type { Limits } from '../http/limits.ts';

/** The limits that clients meet. */
export const limitsOf = (settings: Settings): Limits => ({
  connections: settings.maxClientConnections,
  transfers: settings.maxTransfers,
  transfersPerClient: settings.maxTransfersPerClient,
  clientTimeout: settings.clientTimeout,
  requestsPerConnection: settings.requestsPerConnection,
  requestTimeout: settings.requestTimeout,
  keepAliveTimeout: settings.keepAliveTimeout,
  targetLength: settings.maxTargetLength,
  headerSize: settings.maxHeaderSize,
});
