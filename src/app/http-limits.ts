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

/** Descriptors for databases, logs, listeners, and connections that are refused. */
const OWN_FILES = 150;

/**
 * The limits that a process keeps with that many open files: a connection takes one, a transfer two
 * more, of its source and its copy. Without one, accepting would fail, and so would transfers that
 * are under way. `undefined`: no limit.
 */
export const fitOpenFiles = (limits: Limits, openFiles: number | undefined): Limits => {
  if (openFiles === undefined) return limits;
  const transfers = lower(limits.transfers, Math.floor(openFiles / 4));
  const left = Math.max(openFiles - 2 * transfers - OWN_FILES, Math.floor(openFiles / 4));
  return { ...limits, transfers, connections: lower(limits.connections, left) };
};

/** 0 means unlimited. */
const lower = (limit: number, other: number): number => (limit > 0 ? Math.min(limit, other) : other);
