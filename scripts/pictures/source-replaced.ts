import { arrow, box, circle, cross, line, picture, text, tintOf } from './svg.ts';

const [CHUNK, GAP, HIGH] = [32, 3, 26];
const LANES = { mirror: 44, feed: 112, digest: 180, client: 244 };
const [BEGIN, DEATH, RESUMED, PROVEN, END] = [130, 326, 380, 536, 604];
const [FIRST, SECOND] = [tintOf(0), tintOf(1)];

const chunks = (x: number, lane: number, count: number, tint: string): readonly string[] =>
  Array.from({ length: count }, (_, at) => box(x + at * (CHUNK + GAP), lane - HIGH / 2, CHUNK, HIGH, tint, { rx: 5 }));

const label = (x: number, y: number, words: string, anchor?: 'middle' | 'end') =>
  text(x, y, words, { size: 14, fill: 'muted', anchor });

/** A brace below the client's lane. */
const span = (from: number, to: number, words: string): string => {
  const y = LANES.client + 26;
  return (
    line(from, y, to, y) +
    line(from, y - 5, from, y) +
    line(to, y - 5, to, y) +
    label((from + to) / 2, y + 16, words, 'middle')
  );
};

export const sourceReplaced = (): string =>
  picture(
    {
      width: 640,
      height: 306,
      title: 'A source that dies mid-body is replaced',
      says:
        'The mirror sends n bytes and its connection is lost. The feed is asked for the rest, from byte n on. One digest runs over all bytes. ' +
        'The client receives the last chunk once the digest equals the checksum of the catalog, and notices nothing but a pause.',
    },
    [
      ...[DEATH, RESUMED, PROVEN].map((x) =>
        line(x, x === DEATH ? LANES.mirror : LANES.feed - 24, x, LANES.client + 18, 'edge', {
          class: 'dash',
          'stroke-width': 1,
        }),
      ),
      ...Object.entries(LANES).map(([name, y]) => text(20, y, name, { bold: name === 'client' })),

      line(BEGIN, LANES.mirror, DEATH, LANES.mirror),
      ...chunks(BEGIN + 8, LANES.mirror, 5, FIRST),
      cross(DEATH, LANES.mirror, 8),
      label(DEATH + 16, LANES.mirror, 'connection lost after n bytes'),

      label(BEGIN, LANES.feed, 'GET with Range: bytes=n-'),
      arrow(DEATH + 6, LANES.feed, RESUMED - 3, LANES.feed),
      ...chunks(RESUMED, LANES.feed, 4, SECOND),
      line(RESUMED + 4 * (CHUNK + GAP), LANES.feed - 13, RESUMED + 4 * (CHUNK + GAP), LANES.feed + 13, 'ink', {
        'stroke-width': 2.5,
      }),

      line(BEGIN, LANES.digest, PROVEN - 12, LANES.digest, 'good', { 'stroke-width': 2 }),
      label(BEGIN, LANES.digest - 16, 'one digest of both'),
      circle(PROVEN, LANES.digest, 11, 'f-card s-good'),
      text(PROVEN, LANES.digest, '=', { anchor: 'middle', fill: 'good', bold: true }),
      label(PROVEN + 18, LANES.digest, 'checksum'),

      line(BEGIN, LANES.client, END, LANES.client),
      ...chunks(BEGIN + 10, LANES.client, 5, FIRST),
      ...chunks(RESUMED + 2, LANES.client, 3, SECOND),
      arrow(PROVEN, LANES.digest + 13, PROVEN, LANES.client - 16, 'good'),
      ...chunks(PROVEN + 4, LANES.client, 1, SECOND),
      line(END, LANES.client - 13, END, LANES.client + 13, 'ink', { 'stroke-width': 2.5 }),
      span(BEGIN + 10, BEGIN + 7 + 5 * (CHUNK + GAP), 'n bytes'),
      span(RESUMED + 2, RESUMED - 1 + 3 * (CHUNK + GAP), 'from byte n on'),
      span(PROVEN + 4, PROVEN + 4 + CHUNK, 'last chunk'),
    ],
  );
