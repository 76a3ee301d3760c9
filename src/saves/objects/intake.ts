import { hash } from 'node:crypto';
import { messageOf } from '../../lib/thrown.ts';
import type { Bucket } from './bucket.ts';

/** Whether the store takes what is sent. It may answer, and yet refuse it: for lack of permission or room. */
export interface Intake {
  readonly refuses: boolean;
  /** Notes that an upload failed. */
  failed(): void;
  /** Why the store takes nothing, if that is so. One that refused has to prove that it takes an object. */
  obstacle(): Promise<string | undefined>;
}

/** No name of a copy. */
const PROBE = 'probe';

export const makeIntake = (bucket: Pick<Bucket, 'put' | 'remove'>): Intake => {
  let refuses = false;
  return {
    get refuses() {
      return refuses;
    },
    failed: () => {
      refuses = true;
    },
    obstacle: async () => {
      if (!refuses) return undefined;
      const bytes = Buffer.from('\n');
      try {
        await bucket.put(PROBE, bytes, { sha256: hash('sha256', bytes, 'base64') });
        await bucket.remove(PROBE);
        refuses = false;
        return undefined;
      } catch (error) {
        return `the object store takes nothing: ${messageOf(error)}`;
      }
    },
  };
};
