import type { Settings } from '../config/schema.ts';
import { openSpills, type Spills } from '../saves/spill/spill.ts';
import { renewable } from './renewable.ts';

/** The disk on which bytes wait, as the settings say; `renew` applies changed ones to transfers that begin then. */
export const spillsOf = (
  settings: Pick<Settings, 'spillDir' | 'spillLimit'>,
  onError: (error: unknown) => void,
): Spills & { renew(): void } => {
  const spills = renewable(
    () => ({ folder: settings.spillDir, limit: settings.spillLimit }),
    (part) => openSpills({ ...part, onError }),
  );
  /** Their transfers continue; each closes its file when no byte waits in it. */
  const former: Spills[] = [];
  const all = () => [...former, spills.value];
  return {
    open: (from, rest) => spills.value.open(from, rest),
    used: () => all().reduce((sum, one) => sum + one.used(), 0),
    renew: () => {
      const replaced = spills.renew();
      if (replaced) former.push(replaced);
    },
    close: () => {
      for (const one of all()) one.close();
    },
  };
};
