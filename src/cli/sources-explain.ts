import { StreamError } from '../../pipelines/model/errors.ts';
import { byPriority, isBelow } from '../alternates/candidates.ts';
import type { AlternateSource } from '../alternates/descriptors/parse.ts';
import { locatorOf } from '../catalog/locator.ts';
import type { OfferSearch } from '../catalog/offer-search.ts';
import type { Offer } from '../catalog/refresh-store.ts';
import { maskUrl } from '../lib/mask.ts';
import type { UnitKey } from '../repositories/unit.ts';
import { asJson, oneLine } from './one-line.ts';

interface ExplainedOffer {
  readonly source: string;
  readonly url: string;
  readonly expires: string;
  readonly priority?: number;
  /** Why it is not tried. */
  readonly passedOver?: string;
}

export interface ExplainedUnit {
  readonly type: string;
  readonly key: UnitKey;
  /** The sources that are tried first, in order. */
  readonly offers: readonly ExplainedOffer[];
}

/**
 * Units of a path in the catalog, or by type and fields of the key, and the sources that offer
 * each. Rejects if the unit cannot be parsed.
 */
export const explainUnit = async (
  search: OfferSearch,
  sources: readonly AlternateSource[],
  unit: string,
  now: number,
): Promise<readonly ExplainedUnit[]> => {
  const offers = await (unit.startsWith('/') ? offersAt(search, unit) : searchOffers(search, unit));
  const byUnit = Map.groupBy(offers, ({ typeId, unitKey }) => locatorOf(typeId, unitKey));
  return [...byUnit.values()].flatMap((same) => {
    const [first] = same;
    return first ? [{ type: first.typeId, key: first.unitKey, offers: explainOffers(same, sources, now) }] : [];
  });
};

const offersAt = async (search: OfferSearch, path: string): Promise<readonly Offer[]> => {
  const offers = await search.at(path);
  if (!offers) throw new StreamError('NOT_IN_CATALOG', 'catalog', `${path} is not in the catalog`);
  return offers;
};

const searchOffers = async (search: OfferSearch, unit: string): Promise<readonly Offer[]> => {
  const [, type, fields = ''] = /^([\w-]+):(.+)$/.exec(unit) ?? [];
  const pairs = fields.split(',').map((field) => /^(\w+)=(.*)$/.exec(field));
  if (type === undefined || pairs.some((pair) => pair === null))
    throw new Error(`'${unit}' is not a unit, expected a path or TYPE:FIELD=VALUE,… such as rpm:name=bear,version=4.1`);
  return search.find(type, Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? ''])));
};

const explainOffers = (
  offers: readonly Offer[],
  sources: readonly AlternateSource[],
  now: number,
): readonly ExplainedOffer[] => {
  const sourceOf = ({ sourceId }: Offer) => sources.find(({ id }) => id === sourceId);
  const newest = (offer: Offer) =>
    offers.findLast(({ sourceId, expiration }) => sourceId === offer.sourceId && expiration >= now) === offer;
  const whyNot = (offer: Offer): string | undefined => {
    const source = sourceOf(offer);
    if (!source) return 'its source is not described, not enabled or has a mistake';
    if (offer.expiration < now) return 'expired';
    if (!newest(offer)) return 'its source has a newer one';
    return isBelow(offer, source) ? undefined : 'lies outside its source’s base_url';
  };
  const explained = offers.map((offer) => {
    const source = sourceOf(offer);
    const passedOver = whyNot(offer);
    const explained: ExplainedOffer = {
      source: offer.sourceId,
      url: maskUrl(offer.url),
      expires: new Date(offer.expiration * 1000).toISOString(),
      ...(source && { priority: source.priority }),
      ...(passedOver !== undefined && { passedOver }),
    };
    return { source, explained };
  });
  return explained
    .sort((a, b) => {
      const tried = Number(a.explained.passedOver !== undefined) - Number(b.explained.passedOver !== undefined);
      return tried || (a.source && b.source ? byPriority(a.source, b.source) : 0);
    })
    .map(({ explained }) => explained);
};

/** Units in words. */
export function* describeUnits(units: readonly ExplainedUnit[]): Generator<string> {
  for (const { type, key, offers } of units) {
    yield `${oneLine(type)} ${asJson(key)}\n`;
    for (const [index, { source, url, expires, priority, passedOver }] of offers.entries())
      yield passedOver === undefined
        ? `${oneLine(`${String(index + 1).padStart(2)}. ${source}  ${url}  priority ${priority}, until ${expires}`)}\n`
        : `${oneLine(` -  ${source}  ${url}  not tried: ${passedOver}`)}\n`;
  }
}
