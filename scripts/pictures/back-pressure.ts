import { arrow, box, picture, text } from './svg.ts';

interface Link {
  readonly name: string;
  readonly does: string;
  /** The most bytes that it holds while the client does not read. */
  readonly holds: string;
  readonly isSocket?: boolean;
}

/**
 * From the client to the feed, the way of a closed valve. The limits:
 * docs/explanation/architecture.md#back-pressure.
 */
const CHAIN: readonly Link[] = [
  { name: 'client’s socket', does: 'is full: the client reads slowly', holds: 'kernel’s buffer', isSocket: true },
  { name: 'response writer', does: 'closes the valve until the socket drains', holds: '64 KiB and a chunk' },
  { name: 'share', does: 'closes it if no client of the transfer reads', holds: '8 MiB, if shared' },
  { name: 'verify', does: 'holds the last chunk for the digest', holds: 'a chunk' },
  { name: 'createFlow', does: 'pauses its producer, holds what was on its way', holds: 'one read' },
  { name: 'feed’s socket', does: 'is not read, so TCP holds the feed back', holds: 'kernel’s buffer', isSocket: true },
];
const [LEFT, WIDE, HIGH, STEP, TOP] = [20, 600, 54, 88, 52];

export const backPressure = (): string =>
  picture(
    {
      width: 640,
      height: TOP + CHAIN.length * STEP - 14,
      title: 'Back-pressure, from the client’s socket to the feed’s',
      says: CHAIN.map(({ name, does, holds }) => `${name}: ${does}; holds at most ${holds}`).join('. '),
    },
    [
      text(36, 28, 'bytes', { size: 14, fill: 'water', bold: true }),
      text(118, 28, 'valve', { size: 14, fill: 'bad', bold: true }),
      text(604, 28, 'holds at most', { size: 14, fill: 'muted', anchor: 'end' }),
      ...CHAIN.flatMap(({ name, does, holds, isSocket }, at) => {
        const y = TOP + at * STEP;
        const between = y + HIGH;
        return [
          box(LEFT, y, WIDE, HIGH, isSocket ? 'f-pool s-water' : 'f-panel s-edge', { 'stroke-width': 1.5 }),
          text(36, y + 18, name, { bold: true }),
          text(36, y + 38, does, { size: 14, fill: isSocket ? 'ink' : 'muted' }),
          text(604, y + HIGH / 2, holds, { size: 14, anchor: 'end' }),
          ...(at + 1 < CHAIN.length
            ? [arrow(54, y + STEP - 3, 54, between + 3, 'water', 3), arrow(136, between + 3, 136, y + STEP - 3, 'bad')]
            : []),
        ];
      }),
    ],
  );
