import type { Kind } from './kinds.ts';
import { keyOf, SETTINGS, type Setting, type Table } from './schema.ts';

/** The result of `loadSettings`, or of `resolveSettings` for another table. */
export interface Settled {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, string>>;
}

const MASK = '********';

const shown = ({ kind, secret }: Setting, value: unknown): string => (secret ? MASK : kind.format(value)) || '(empty)';

const counted = (kind: Kind<unknown>, value: unknown): unknown => kind.inUnit?.(value) ?? value;

const aligned = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
};

/** Every value with its origin, a line each, in columns. Secrets are masked. */
export const printSettings = ({ settings, origins }: Settled, table: Table = SETTINGS): string =>
  aligned(
    Object.entries(table).map(([name, setting]) => [keyOf(name), shown(setting, settings[name]), origins[name] ?? '']),
  );

export interface PrintedSetting {
  readonly value: unknown;
  /** The unit of a number: `s` or `bytes`. */
  readonly unit?: string;
  /** The value as `check-config --print` shows it. */
  readonly text: string;
  readonly origin: string;
}

/** Every value with its origin, by its key in files; ready for JSON. Secrets are masked. */
export const settingsJson = (
  { settings, origins }: Settled,
  table: Table = SETTINGS,
): Readonly<Record<string, PrintedSetting>> =>
  Object.fromEntries(
    Object.entries(table).map(([name, setting]) => {
      const { kind, secret } = setting;
      const value = secret ? MASK : counted(kind, settings[name]);
      return [
        keyOf(name),
        { value, unit: kind.unit, text: shown(setting, settings[name]), origin: origins[name] ?? '' },
      ];
    }),
  );
