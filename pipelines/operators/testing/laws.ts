/** The laws of flows, each with its wording. `checkFlow` names the one that is broken. */
export const LAWS = {
  closed: 'While the valve is closed, nothing is emitted.',
  lossless: 'Every value is emitted once, in order.',
  bounded: 'While the valve is closed, the source pushes no more than what was on its way.',
  end: 'Completion and error come after every value that came before them, and are not lost.',
  held: 'A value that is held does not change: it is retained until it is emitted.',
  left: 'Unsubscribing closes the source and leaves the valve before it returns, also while paused.',
  reentrant: 'The same holds if the consumer moves the valve, leaves, or causes values within a value.',
} as const;

export type Law = keyof typeof LAWS;
