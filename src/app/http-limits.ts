import type { Settings } from '../config/schema.ts';
import type { Limits } from '../http/limits.ts';

/** Node insists on whole milliseconds, and floating point does not always lead to them. */
const milliseconds = (seconds: number): number => Math.round(seconds * 1000);

/** What clients may have of us. */
export const limitsOf = (settings: Settings): Limits => ({
  connections: settings.maxClientConnections,
  transfers: settings.maxTransfers,
  transfersPerClient: settings.maxTransfersPerClient,
  clientTimeout: milliseconds(settings.clientTimeout),
  requestsPerConnection: settings.requestsPerConnection,
  requestTimeout: milliseconds(settings.requestTimeout),
  keepAliveTimeout: milliseconds(settings.keepAliveTimeout),
  targetLength: settings.maxTargetLength,
  headerSize: settings.maxHeaderSize,
});
