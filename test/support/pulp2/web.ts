import type { KeyObject } from 'node:crypto';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runApache } from '../apache.ts';
import type { Peer } from '../peers.ts';
import type { Start } from '../processes.ts';

/** Pulp's own web server. */
interface PulpWeb extends Peer {
  /** Publishes a file: `/pulp/raw/NAME` and `/pulp/encoded/NAME` redirect clients to the streamer. */
  publish(name: string, path: string): void;
}

/**
 * Apache as Pulp 2 configures it: it redirects, and a rule of a directory passes requests below
 * `/streamer` to Squid.
 */
export const startPulpWeb = (
  start: Start,
  folder: string,
  { squid, key }: { readonly squid: string; readonly key: KeyObject },
): Promise<PulpWeb> => {
  const [published, streamer] = ['published', 'streamer'].map((name) => join(folder, name)) as [string, string];
  for (const made of [published, streamer]) mkdirSync(made);
  const script = join(folder, 'web.py');
  copyFileSync(join(import.meta.dirname, 'web.py'), script);
  const configure = (port: number): string => {
    const url = `http://127.0.0.1:${port}`;
    writeFileSync(join(folder, 'web.json'), JSON.stringify({ key: numbersOf(key), published, url }));
    return `
WSGIApplicationGroup %{GLOBAL}
WSGIScriptAlias /pulp/raw ${script}
WSGIScriptAlias /pulp/encoded ${script}
Alias /streamer ${streamer}
<Directory ${streamer}>
    WSGIAccessScript ${script} application-group=%{GLOBAL}
    Options FollowSymLinks
    RewriteEngine on
    RewriteRule (.*) ${squid}/$1 [P,QSD]
</Directory>
ProxyVia On
`;
  };
  const modules = ['alias', 'proxy', 'proxy_http', 'rewrite', 'wsgi'];
  return runApache(start, folder, modules, configure).then((peer) => ({
    ...peer,
    publish: (name, path) => symlinkSync(path, join(published, name)),
  }));
};

/** Of a private RSA key, hexadecimal. */
const numbersOf = (key: KeyObject) => {
  const { n, e, p, q, dp, dq, qi } = key.export({ format: 'jwk' });
  return Object.fromEntries(
    Object.entries({ n, e, p, q, dp, dq, qi }).map(([name, text]) => [
      name,
      Buffer.from(text ?? '', 'base64url').toString('hex'),
    ]),
  );
};
