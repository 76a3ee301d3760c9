import type { Part } from '../model/index.ts';

/** Parts that one transfer delivers. */
export interface Group {
  /** The parts of the content that it consists of, in ascending order. */
  readonly body: readonly [Part, ...Part[]];
  /** The wanted parts, each within one of these. */
  readonly parts: readonly Part[];
}

/** Bytes between two parts that cost less than the head of another part. */
const NEAR = 1024;

/** The most parts of one request: Apache sends the whole if there are more (`MaxRanges`). */
const MOST = 200;

/**
 * The transfers that parts need, in their order: few if they are in ascending order, otherwise one
 * each. Near parts become one, with the bytes between them.
 */
export const groupsOf = (parts: readonly Part[]): readonly Group[] => {
  if (!isAscending(parts)) return parts.map((part) => ({ body: [part], parts: [part] }));
  const groups: Group[] = [];
  for (const part of parts) {
    const group = groups.at(-1);
    const before = group?.body.at(-1);
    if (group && before && part.first - before.last - 1 <= NEAR)
      groups[groups.length - 1] = {
        body: replaceLast(group.body, { first: before.first, last: part.last }),
        parts: [...group.parts, part],
      };
    else if (group && group.body.length < MOST)
      groups[groups.length - 1] = { body: [...group.body, part], parts: [...group.parts, part] };
    else groups.push({ body: [part], parts: [part] });
  }
  return groups;
};

export const isAscending = (parts: readonly Part[]): boolean =>
  parts.every(({ first }, index) => first > (parts[index - 1]?.first ?? -1));

const replaceLast = ([first, ...others]: Group['body'], last: Part): Group['body'] =>
  others.length === 0 ? [last] : [first, ...others.slice(0, -1), last];
