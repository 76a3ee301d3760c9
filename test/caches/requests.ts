import type { Random } from '../faults/random.ts';
import type { Version } from './content.ts';
import { anyRange, type RangeAsk } from './ranges.ts';

/**
 * Whose validator a client states: of the newest version, of one that was replaced, of one that will come, or of none that ever was (a
 * date is then earlier than all others, or later).
 */
export type Whose = 'current' | 'previous' | 'next' | 'nobody' | 'late';

type ConditionField = 'If-None-Match' | 'If-Match' | 'If-Modified-Since' | 'If-Unmodified-Since' | 'If-Range';

/** A condition as it is thought out beforehand; what it says follows from what is then true. */
interface ConditionPlan {
  readonly field: ConditionField;
  readonly form: 'tag' | 'weak' | 'date' | 'list' | '*';
  readonly whose: Whose;
}

/** A request as it is thought out beforehand. */
export interface RequestPlan {
  readonly method: 'GET' | 'HEAD';
  readonly http: '1.0' | '1.1';
  readonly connection: 'new' | 'kept';
  readonly range?: RangeAsk;
  readonly conditions: readonly ConditionPlan[];
  readonly fields: readonly (readonly [string, string])[];
  readonly query: string;
  /** Closes the connection after this many bytes. */
  readonly leaves?: number;
  /** Milliseconds after the others that ask at the same time. */
  readonly delay: number;
  /** Passes the cache by. */
  readonly direct: boolean;
}

/** What a client says that it has. */
export interface Stated {
  readonly text: string;
  /** The entity tags in it; `*` for any. */
  readonly tags: readonly string[];
  readonly date?: number;
  /** What the client took it from; absent if it made it up. */
  readonly version?: Version;
}

/** A request, and what was meant by it. */
export interface Asked {
  readonly method: 'GET' | 'HEAD';
  readonly http: '1.0' | '1.1';
  readonly range?: RangeAsk;
  readonly conditions: Readonly<Partial<Record<ConditionField, Stated>>>;
}

const WHOSE: readonly (readonly [number, Whose])[] = [
  [5, 'current'],
  [4, 'previous'],
  [1, 'next'],
  [3, 'nobody'],
  [1, 'late'],
];

const anyCondition = (random: Random, ranged: boolean): ConditionPlan => {
  const whose = random.weighed(WHOSE);
  const form = random.weighed<ConditionPlan['form']>([
    [6, 'tag'],
    [1, 'weak'],
    [1, 'list'],
    [1, '*'],
  ]);
  const field = random.weighed<ConditionField>([
    [ranged ? 2 : 6, 'If-None-Match'],
    [ranged ? 1 : 4, 'If-Modified-Since'],
    [ranged ? 8 : 0.3, 'If-Range'],
    [1, 'If-Match'],
    [1, 'If-Unmodified-Since'],
  ]);
  if (field === 'If-Range') return { field, form: random.chance(0.7) ? 'tag' : 'date', whose };
  return { field, form: field.endsWith('Since') ? 'date' : form, whose };
};

/** What a client may say besides, as package managers, browsers and resuming clients do. */
const anyFields = (random: Random): RequestPlan['fields'] =>
  random.weighed<RequestPlan['fields']>([
    [14, []],
    [2, [['Cache-Control', 'no-cache']]],
    [1, [['Cache-Control', 'max-age=0']]],
    [
      1,
      [
        ['Pragma', 'no-cache'],
        ['Cache-Control', 'no-cache'],
      ],
    ],
    [2, [['Accept-Encoding', 'gzip, br']]],
    [1, [['Authorization', 'Basic eDp5']]],
    [1, [['Cookie', 'a=b']]],
  ]);

/** Any request for content of about this length. */
export const anyRequest = (random: Random, length: number): RequestPlan => {
  const plain = random.chance(0.3);
  const method = random.chance(0.08) ? 'HEAD' : 'GET';
  // Servers disagree on a range of a HEAD, and no known client asks for one.
  const range = !plain && method === 'GET' && random.chance(0.55) ? anyRange(random, length) : undefined;
  const count = plain ? 0 : random.weighed([[range ? 5 : 1, 0] as const, [5, 1] as const, [0.6, 2] as const]);
  const conditions = Array.from({ length: count }, () => anyCondition(random, range !== undefined));
  return {
    method,
    http: random.chance(0.08) ? '1.0' : '1.1',
    connection: random.chance(0.3) ? 'kept' : 'new',
    ...(range && { range }),
    // A field is stated once.
    conditions: conditions.filter(({ field }, at) => conditions.findIndex((other) => other.field === field) === at),
    fields: anyFields(random),
    query: random.chance(0.03) ? '?a=b' : '',
    ...(random.chance(0.07) && { leaves: random.chance(0.3) ? 0 : random.whole(0, length) }),
    delay: random.whole(0, 15),
    direct: random.chance(0.06),
  };
};

/** A request of a client that has some version already, and asks for the newest. */
export const anyRevalidation = (random: Random): RequestPlan => {
  const whose = random.weighed<Whose>([
    [4, 'current'],
    [1, 'previous'],
  ]);
  const form = random.weighed<ConditionPlan['form']>([
    [4, 'tag'],
    [1, 'list'],
    [1, '*'],
    [2, 'date'],
  ]);
  const field = form === 'date' ? 'If-Modified-Since' : 'If-None-Match';
  return { ...WHOLE, conditions: [{ field, form, whose }] };
};

/** The plain request for the whole file. */
export const WHOLE: RequestPlan = {
  method: 'GET',
  http: '1.1',
  connection: 'new',
  conditions: [],
  fields: [],
  query: '',
  delay: 0,
  direct: false,
};

/** What clients remember of a version. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** What a plan says at the moment of asking; `known` has the validators by which clients know a version. */
export const stated = (
  { form, whose }: ConditionPlan,
  versions: Readonly<Partial<Record<Whose, Version>>>,
  known: (version: Version) => Validators,
): Stated => {
  const version = versions[whose];
  const { etag, lastModified } = version ? known(version) : {};
  if (form === 'date') {
    const text = lastModified ?? (whose === 'late' ? LATE : NEVER);
    // No client has the next version yet: its date is any date.
    const has = lastModified !== undefined && whose !== 'next';
    return { text, tags: [], date: Date.parse(text), ...(has && version && { version }) };
  }
  if (form === '*') return { text: '*', tags: ['*'] };
  const tag = etag ?? '"never-was"';
  const tags = form === 'list' ? ['"never-was"', tag] : [form === 'weak' ? `W/${tag.replace(/^W\//, '')}` : tag];
  return { text: tags.join(', '), tags, ...(etag !== undefined && version && { version }) };
};

/** Dates that no version has: before and after all of them. */
const NEVER = 'Tue, 06 Mar 2012 01:02:03 GMT';
const LATE = 'Sat, 01 Mar 2025 01:02:03 GMT';
