import fc from 'fast-check';
import { SETTINGS, type Setting } from '../../src/config/schema.ts';

/** Texts with a special meaning in files, in `ini` or in JSON. */
const HOSTILE = ['=', ' ;', ';', '#', '\\', '"', "'", '[', ']', '%', '%(port)s', ':', ',', '\n', '\r', '\t', '\u2028'];
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc
    .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 3 })), { maxLength: 6 })
    .map((pieces) => pieces.join('')),
);

const number = fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 70_000 }), fc.maxSafeNat());
const suffixed = (...suffixes: readonly string[]) =>
  fc
    .tuple(
      fc.oneof(
        number.map(String),
        fc.tuple(number, fc.nat({ max: 999 })).map((parts) => parts.join('.')),
      ),
      fc.constantFrom('', ...suffixes),
    )
    .map((parts) => parts.join(''));

/** Texts that are likely to be valid for a setting, by the placeholder in its help text. */
const candidates = (placeholder: string): fc.Arbitrary<string> => {
  if (placeholder.includes('|')) return fc.constantFrom(...placeholder.split('|'));
  switch (placeholder) {
    case 'number':
      return number.map(String);
    case 'duration':
      return suffixed('ms', 's', ' M', 'h', 'd');
    case 'size':
      return suffixed('k', ' MiB', 'G', 'KiB', 'B', ' %');
    case 'json':
      return fc
        .oneof(fc.array(fc.jsonValue()), fc.dictionary(anyText, fc.jsonValue()))
        .map((value) => JSON.stringify(value));
    case 'networks':
      return fc.array(fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::/32', '::1'))).map((items) => items.join(','));
    case 'places':
      return fc.array(fc.oneof(fc.ipV4(), fc.domain(), fc.constant('2001:db8::/32'))).map((items) => items.join(','));
    case 'levels':
      return fc
        .array(
          fc.tuple(fc.oneof(fc.domain(), fc.ipV4(), fc.constant('[2001:DB8::1]')), fc.constantFrom('=0', '=1', '=2')),
        )
        .map((items) => items.map((item) => item.join('')).join(', '));
    case 'file':
    case 'folder':
      return anyText.map((text) => `/${text}`);
    case 'url':
      return fc.oneof(
        anyText,
        anyText.map((text) => `mongodb://${text}`),
      );
    default:
      return fc.oneof(
        anyText,
        fc.array(anyText).map((items) => items.join(', ')),
      );
  }
};

/** A valid text for a setting: its default at least. */
const textFor = ({ kind, default: byDefault }: Setting): fc.Arbitrary<string> =>
  candidates(kind.placeholder).map((text) => (kind.read(text) === undefined ? byDefault : text));

/** A default that names another setting is not a text that an operator gives. */
const GIVABLE = Object.entries<Setting>(SETTINGS).filter(([, setting]) => !/\{\w+\}/.test(setting.default));

/** Valid texts for some settings, at most `most`, as an operator could give them. */
export const arbitrarySettings = (most = GIVABLE.length): fc.Arbitrary<Readonly<Record<string, string>>> =>
  fc
    .subarray(GIVABLE, { maxLength: most })
    .chain((some) => fc.record(Object.fromEntries(some.map(([name, setting]) => [name, textFor(setting)]))));
