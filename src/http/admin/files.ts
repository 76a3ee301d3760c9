import { ADMIN_HEADERS, type Endpoint } from './endpoint.ts';

/** What a page of the listener may do: load its own script and style, and ask this listener. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A file that a browser shows or runs; it is read again for each request. */
export const file = (path: string, type: string, read: () => string, listed = true): Endpoint => ({
  path,
  listed,
  answer: (_, res) => {
    res.writeHead(200, {
      ...ADMIN_HEADERS,
      'Content-Type': `${type}; charset=utf-8`,
      'Content-Security-Policy': POLICY,
      'Referrer-Policy': 'no-referrer',
    });
    res.end(read());
  },
});

/** A value as JSON; 404 if there is none. `read` must not reject. */
export const json = (path: string, read: (query: URLSearchParams) => unknown): Endpoint => ({
  path,
  answer: (req, res) => {
    const write = (value: unknown) => {
      res.writeHead(value === undefined ? 404 : 200, { ...ADMIN_HEADERS, 'Content-Type': 'application/json' });
      res.end(`${JSON.stringify(value ?? null)}\n`);
    };
    const value = read(new URL(req.url ?? '', 'http://localhost').searchParams);
    if (value instanceof Promise) void value.then(write);
    else write(value);
  },
});
