import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { WarmEvent } from '../../../pipelines/index.ts';
import { trimPrefix } from '../../catalog/prefix.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import { type Endpoint, respond } from '../../http/admin/endpoint.ts';
import { maskUrl } from '../../lib/mask.ts';
import { messageOf } from '../../lib/thrown.ts';
import { countPatterns, MOST_PATTERNS, makeNames } from './names.ts';
import { planNamed, type WantedPackage } from './plan.ts';
import type { Plan, Warming } from './warming.ts';

const OrderShape = z.object({
  prefix: z.string().startsWith('/'),
  /** Absent: all packages. */
  names: z.array(z.string().min(1).max(256)).optional(),
  metered: z.boolean(),
});

export type WarmOrder = z.infer<typeof OrderShape>;

/** A line of JSON that tells the command what becomes of its order. The last one is `done` or a `failed` without a path. */
export type WarmLine =
  | {
      readonly type: 'planned';
      readonly files: number;
      readonly bytes: number;
      /** Packages whose newest version has a copy already. */
      readonly kept: number;
      readonly unmatched: readonly string[];
    }
  | { readonly type: 'warmed'; readonly path: string; readonly bytes: number }
  | { readonly type: 'skipped'; readonly path: string; readonly reason: string }
  | { readonly type: 'failed'; readonly path?: string; readonly error: string }
  | { readonly type: 'done' };

interface Parts {
  /** Absent if no copies are kept here. */
  readonly warming?: Pick<Warming, 'run'>;
  readonly own: Pick<CatalogStore, 'entries' | 'units' | 'repositories'>;
  /** Why there is no warming. */
  readonly missing: () => string;
}

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Answers `/warm?order=JSON` with lines of JSON, as its files are fetched. A command that leaves ends it. */
export const warmEndpoint = ({ warming, own, missing }: Parts): Endpoint => ({
  path: '/warm',
  answer: (req, res) => {
    const begin = async () => {
      if (!warming) throw new Refused(409, missing());
      const { plan, told } = await planOf(orderIn(req), own);
      res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      const running = warming.run({ id: `command ${randomUUID()}`, ...plan }).subscribe({
        next: (event) => res.write(`${JSON.stringify(lineOf(event, told))}\n`),
        complete: () => res.end(),
      });
      res.on('close', () => running.unsubscribe());
    };
    begin().catch((error: unknown) => refuse(res, error));
  },
});

const refuse = (res: ServerResponse, error: unknown): void =>
  respond(res, [error instanceof Refused ? error.status : 500, maskUrl(messageOf(error))]);

const orderIn = (req: IncomingMessage): WarmOrder => {
  try {
    const text = new URL(req.url ?? '', 'http://localhost').searchParams.get('order') ?? '';
    const order = OrderShape.parse(JSON.parse(text));
    const patterns = countPatterns(order.names ?? []);
    if (patterns <= MOST_PATTERNS) return order;
    throw new Error(`found ${patterns} patterns, expected at most ${MOST_PATTERNS}; names without * and ? may be more`);
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    throw new Refused(400, issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(error));
  }
};

interface Told {
  kept: number;
  unmatched: readonly string[];
}

const planOf = async ({ prefix, names, metered }: WarmOrder, own: Parts['own']) => {
  const repositories = (await own.repositories.list()).filter((one) => one.prefix === trimPrefix(prefix));
  if (repositories.length === 0) throw new Refused(404, await unknownPrefix(prefix, own));
  const wanted = names && makeNames(names);
  const told: Told = { kept: 0, unmatched: [] };
  const plan: Plan = async (uses) => {
    const files: WantedPackage[] = [];
    for (const repository of repositories) {
      const found = await planNamed({ own, uses }, repository, wanted?.matches ?? (() => true));
      files.push(...found.wanted);
      told.kept += found.kept;
    }
    told.unmatched = wanted?.unmatched() ?? [];
    return files;
  };
  return { plan: { plan, metered }, told };
};

const unknownPrefix = async (prefix: string, { repositories }: Parts['own']): Promise<string> => {
  const known = (await repositories.list()).map((one) => one.prefix || '/');
  const shown = known.slice(0, 20).join(', ') + (known.length > 20 ? ' …' : '');
  return `${prefix} is not the prefix of an imported or followed repository; ${known.length > 0 ? `expected one of ${shown}` : 'there are none yet'}`;
};

const lineOf = (event: WarmEvent<WantedPackage>, told: Told): WarmLine => {
  const { type } = event;
  if (type === 'planned') return { type, files: event.files, bytes: event.bytes, ...told };
  if (type === 'warmed') return { type, path: event.wanted.path, bytes: event.bytes };
  if (type === 'skipped') return { type, path: event.wanted.path, reason: event.reason };
  if (type === 'done') return { type };
  return { type, error: maskUrl(messageOf(event.error)), ...(event.wanted && { path: event.wanted.path }) };
};
