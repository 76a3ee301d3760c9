import { seeded } from '../faults/random.ts';

/** The settings of the streamer of a run. */
export interface Setting {
  /** Seconds that caches may keep a response. */
  readonly keeps: number;
  readonly dispatch: 'save' | 'none';
}

/** The setting of a seed. */
export const settingOf = (seed: number): Setting => {
  const random = seeded(seed ^ 0x5e77);
  return { keeps: random.chance(0.7) ? 1 : 86_400, dispatch: random.chance(0.65) ? 'save' : 'none' };
};
