import { InvalidArgumentError } from 'commander';

/** Fields that belong to the connection or to the streamer's own requests. */
const RESERVED =
  /^(connection|content-length|expect|host|if-range|keep-alive|proxy-.*|range|te|trailer|transfer-encoding|upgrade)$/i;

/** Header fields of every request to a feed. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** Adds a field, as an operator writes it, to those before it. */
export const toHeaders = (text: string, before: Headers = []): Headers => {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('expected NAME: VALUE.');
  if (RESERVED.test(name)) throw new InvalidArgumentError(`${name} is set by the streamer itself.`);
  return [...before, [name, value]];
};

/** A part of a query, as an operator writes it. */
export const toQuery = (text: string): string => {
  const query = text.replace(/^\?/, '');
  if (query === '' || !/^[\w.~!$&'()*+,/:;=?@%-]+$/.test(query))
    throw new InvalidArgumentError('expected a part of a URL, percent-encoded if need be.');
  return query;
};
