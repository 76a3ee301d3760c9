import type { Settings } from './config/schema.ts';
import type { Limits } from './http/limits.ts';

/** What clients may have of us. */
export const limitsOf = (settings: Settings): Limits => ({
  connections: settings.maxClientConnections,
  transfers: settings.maxTransfers,
  transfersPerClient: settings.maxTransfersPerClient,
  requestsPerConnection: settings.requestsPerConnection,
  requestTimeout: settings.requestTimeout * 1000,
  keepAliveTimeout: settings.keepAliveTimeout * 1000,
  targetLength: settings.maxTargetLength,
  headerSize: settings.maxHeaderSize,
});
