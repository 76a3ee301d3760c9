import type { Reader } from '../format.ts';

/** The readers of metadata by name. Each parser is loaded only when it is used. */
export const READERS = {
  yum: async () => (await import('../yum.ts')).yum,
  'yum-units': async () => (await import('../yum-units.ts')).yumUnits,
  deb: async () => (await import('../deb.ts')).deb,
  files: async () => (await import('../files.ts')).files,
  mirrors: async () => (await import('../mirrors.ts')).mirrors,
} satisfies Record<string, () => Promise<Reader>>;
