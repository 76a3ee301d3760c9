import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { BOUNDS, BoundExceeded } from './bounds.ts';
import { slicesOf } from './slices.ts';

/** Receives a document's parts. `depth` is 1 for the root element; names have no prefix. */
export interface XmlHandlers {
  opened(name: string, depth: number, attributes: Readonly<Record<string, string>>): void;
  text(text: string): void;
  closed(name: string, depth: number): void;
}

/** What is held of a record, which is bounded. */
export interface RecordBudget {
  begin(): void;
  /** Fields of the record, and the sum of their characters. */
  count(fields: number, characters: number): void;
}

/** @param what names a record in messages */
export const recordBudget = (what: string, exceeds: (bound: string) => never): RecordBudget => {
  let fields = 0;
  let characters = 0;
  return {
    begin: () => {
      fields = 0;
      characters = 0;
    },
    count: (more, length) => {
      fields += more;
      characters += length;
      if (fields > BOUNDS.fields) exceeds(`more than ${BOUNDS.fields} fields in one ${what}`);
      if (characters > BOUNDS.text) exceeds(`more than ${BOUNDS.text} characters in one ${what}`);
    },
  };
};

/** Bytes that are parsed between two looks at what the parser holds. */
const SLICE = 64 * 1024;

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/**
 * Parses a document as its bytes arrive, and yields the values that the handlers emit. Throws an
 * error with file, line and column if the XML is not well-formed, or a BoundExceeded.
 *
 * @param makeHandlers `exceeds` throws a BoundExceeded with the place
 */
export async function* parseXml<T>(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  makeHandlers: (emit: (item: T) => void, exceeds: (bound: string) => never) => XmlHandlers,
): AsyncGenerator<T> {
  const parser = new SaxesParser();
  let found: T[] = [];
  const exceeds = (bound: string): never => {
    throw new BoundExceeded(`${name}: ${parser.line}:${parser.column}: ${bound}`);
  };
  const handlers = makeHandlers((item) => found.push(item), exceeds);
  let depth = 0;
  /** Characters since the last element or text: the parser holds them. */
  let pending = 0;
  /** Characters of text since the last tag: comments may divide one text into several. */
  let between = 0;
  const checkLength = (length: number): void => {
    if (length > BOUNDS.text) exceeds(`more than ${BOUNDS.text} characters in one text, tag or comment`);
  };
  const text = (content: string): void => {
    pending = 0;
    between += content.length;
    checkLength(between);
    handlers.text(content);
  };
  parser.on('error', (error) => {
    throw new Error(`${name}: not well-formed XML: ${error.message}`);
  });
  parser.on('opentag', (tag: SaxesTagPlain) => {
    pending = 0;
    between = 0;
    depth += 1;
    if (depth > BOUNDS.depth) exceeds(`more than ${BOUNDS.depth} nested elements`);
    const values = Object.values(tag.attributes);
    if (values.length > BOUNDS.fields) exceeds(`more than ${BOUNDS.fields} attributes`);
    for (const value of values) checkLength(value.length);
    handlers.opened(localName(tag.name), depth, tag.attributes);
  });
  parser.on('text', text);
  parser.on('cdata', text);
  parser.on('closetag', (tag: SaxesTagPlain) => {
    pending = 0;
    between = 0;
    handlers.closed(localName(tag.name), depth);
    depth -= 1;
  });
  const taken = (): T[] => {
    const items = found;
    found = [];
    return items;
  };
  const decoder = new TextDecoder();
  for await (const chunk of bytes) {
    for (const slice of slicesOf(chunk, SLICE)) {
      const part = decoder.decode(slice, { stream: true });
      pending += part.length;
      parser.write(part);
      checkLength(pending);
      yield* taken();
    }
  }
  parser.write(decoder.decode()).close();
  yield* taken();
}
