import type { Child } from '../model/index.ts';

/** How a listing is written. */
export interface Format {
  /** The media type. */
  readonly type: string;
  readonly begin: (folder: string) => string;
  readonly line: (child: Child) => string;
  /** Between two lines. */
  readonly between: string;
  readonly end: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);

/** A page of links, relative to the folder, with the sizes in bytes that are known. */
export const HTML: Format = {
  type: 'text/html; charset=utf-8',
  begin: (folder) => {
    const title = `Index of ${escaped(folder)}`;
    const up = folder === '/' ? '' : '<a href="../">../</a>\n';
    return (
      `<!DOCTYPE html>\n<html><head><meta charset="utf-8"><meta name="robots" content="noindex">` +
      `<title>${title}</title></head>\n<body><h1>${title}</h1>\n<pre>\n${up}`
    );
  },
  line: ({ name, isFolder, size }) => {
    const slash = isFolder ? '/' : '';
    const link = `<a href="${encodeURIComponent(name)}${slash}">${escaped(name)}${slash}</a>`;
    return size === undefined ? link : `${link} ${size}`;
  },
  between: '\n',
  end: '\n</pre></body></html>\n',
};

/** A list of objects with the fields of nginx's `autoindex_format json`, and the checksum. */
export const JSON_LIST: Format = {
  type: 'application/json',
  begin: () => '[\n',
  line: ({ name, isFolder, size, checksum }) =>
    JSON.stringify({
      name,
      type: isFolder ? 'directory' : 'file',
      size,
      checksum: checksum && `${checksum.algorithm}:${checksum.value}`,
    }),
  between: ',\n',
  end: '\n]\n',
};
