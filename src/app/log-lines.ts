import type { Logger } from 'pino';
import { type Observable, type Subscription, throttleTime } from 'rxjs';
import {
  type CatalogEntry,
  type Delivery,
  type HealthChange,
  type RefreshEvent,
  sourceName,
} from '../../pipelines/index.ts';
import type { RefreshResult } from '../catalog/refresh-repository.ts';
import type { StoredRepository } from '../catalog/stored-repository.ts';
import type { Settings } from '../config/schema.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import type { Conditions } from '../observe/conditions.ts';
import type { DurableOutbox } from '../saves/outbox/open.ts';
import type { ExpiringCertificate } from '../sources/expiring-certificates.ts';
import type { DueRepository } from './repositories/refreshing.ts';

/** Logs one line for each failure of a source, and one when it recovers. */
export const logHealth = (logger: Logger, { type, health }: HealthChange): void => {
  const { failures, until, lastError } = health;
  const source = sourceName(health.source);
  if (type === 'recovered') logger.info({ source }, 'source recovered');
  if (type !== 'failed') return;
  const { code, message } = lastError;
  const line = { source, failures, until: new Date(until).toISOString(), code, error: maskUrl(message) };
  logger.warn(line, 'source unhealthy, tried last');
};

/** Names each entry without its unit once, as far as they can be remembered. */
export const unitMissingLogger = (logger: Logger): ((entry: CatalogEntry) => void) => {
  const named = new Set<string>();
  return ({ path, unitTypeId, unitId }) => {
    const name = JSON.stringify([path, unitTypeId, unitId]);
    if (named.has(name)) return;
    if (named.size >= NAMED) named.clear();
    named.add(name);
    logger.warn({ path, unit: unitId, type: unitTypeId }, 'entry has no unit, tried last and not saved');
  };
};

/** Some hundred bytes each. */
const NAMED = 10_000;

/** An open file always answers; only a database may be unreachable. */
export const logReady = (logger: Logger, { catalogType }: Settings, ready: boolean): void => {
  if (catalogType === 'sqlite') return;
  if (ready) logger.info('MongoDB available');
  else logger.warn('MongoDB unreachable, requests get 503 until it answers');
};

/** Logs what a catalog reports, and notes if it can only be read. */
export const catalogNotices = (logger: Logger, conditions: Conditions) => ({
  onUnitMissing: unitMissingLogger(logger),
  onDiskError: (error: unknown) => logger.error({ error: messageOf(error) }, 'catalog not synced, retrying'),
  onRefused: (error: string) => logger.error({ error }, 'shared catalog cannot be used'),
  onReadOnly: (error: unknown) =>
    error === undefined
      ? conditions.clear('catalog')
      : conditions.set('catalog', `can only be read: ${messageOf(error)}`),
});

/** Logs what feeds and alternate sources report. */
export const sourceNotices = (logger: Logger) => ({
  expiring: (certificate: ExpiringCertificate) => logExpiring(logger, certificate),
  missing: (source: string, url: string) =>
    logger.warn({ source, url: maskUrl(url) }, 'index is listed but missing, skipped'),
  leftOut: (source: string, error: string, entries: number) =>
    logger.warn({ source, error, entries }, 'odd entries of metadata left out'),
  unnoted: (source: string, error: unknown) =>
    logger.warn({ source, error: messageOf(error) }, 'next try of an alternate source not noted'),
});

const toDate = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** Logs one line for each repository that was imported again. */
export const logRepository = (logger: Logger, { prefix }: StoredRepository, result: RefreshResult): void => {
  const { revision, packages, metadata, unchanged, missing, leftOut, signature, dateBefore } = result;
  logger.info({ prefix, revision, packages, metadata }, unchanged ? 'repository unchanged' : 'repository refreshed');
  if (dateBefore !== undefined && signature?.date !== undefined)
    logger.warn(
      { prefix, date: toDate(signature.date), before: toDate(dateBefore) },
      'signed metadata is older than that of the revision before',
    );
  const [error] = leftOut.named;
  if (error !== undefined) logger.warn({ prefix, error, entries: leftOut.count }, 'odd entries of metadata left out');
  for (const path of missing) logger.warn({ prefix, path }, 'index is listed but missing, skipped');
};

/** Logs one line for each repository that could not be. */
export const logRepositoryFailure = (logger: Logger, event: RefreshEvent<DueRepository>): void => {
  if (event.type !== 'failed') return;
  const { prefix } = event.source.repository;
  const error = maskUrl(messageOf(event.error));
  logger.warn({ prefix, error, retryInMs: Math.round(event.delay) }, 'repository not refreshed, retrying');
};

export const logExpiring = (logger: Logger, { notAfter, ...certificate }: ExpiringCertificate): void => {
  const expires = new Date(notAfter).toISOString();
  logger.warn(
    { ...certificate, expires },
    notAfter < Date.now() ? 'certificate has expired' : 'certificate expires soon',
  );
};

export const logDelivery = (logger: Logger, delivery: Delivery, delivered: string): void => {
  const { requestId, entry, failures, traceparent } = delivery.save;
  const line = { id: requestId, path: entry.path, unit: entry.unitId, trace_id: traceparent?.split('-')[1] };
  if (delivery.type === 'delivered') logger.info(line, delivered);
  else if (delivery.type === 'declined') logger.warn({ ...line, reason: delivery.reason }, 'save request dropped');
  else {
    const error = maskUrl(messageOf(delivery.error));
    logger.warn(
      { ...line, error, failures: failures + 1, retryInMs: Math.round(delivery.delay) },
      'save failed, retrying',
    );
  }
};

/** Logs how many save requests wait, if any: at once, and after changes, at most once a minute. */
export const logDepth = (
  logger: Logger,
  outbox: Pick<DurableOutbox, 'depth'>,
  happened: Observable<unknown>,
): Subscription => {
  const report = () => {
    try {
      const { waiting, age } = outbox.depth();
      if (waiting > 0) logger.warn({ waiting, oldest: Math.round(age / 1000) }, 'saves are waiting');
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'waiting saves cannot be counted');
    }
  };
  // Not throttled itself: its timer would keep an embedder's process alive for a minute.
  report();
  return happened.pipe(throttleTime(60_000, undefined, { leading: true, trailing: true })).subscribe(report);
};
