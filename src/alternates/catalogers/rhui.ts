import { forkJoin, map, reduce } from 'rxjs';
import type { Cataloger, ReadWhole } from './cataloger.ts';

/** The addresses of a cloud instance's identity service. */
export interface IdentityUrls {
  readonly document: string;
  readonly signature: string;
}

const IDENTITY = 'http://169.254.169.254/latest/dynamic/instance-identity/';
const AMAZON: IdentityUrls = { document: `${IDENTITY}document`, signature: `${IDENTITY}signature` };

/**
 * Red Hat's update infrastructure in clouds: yum repositories for clients that present the identity
 * of a cloud instance.
 */
export const rhui = (yum: Cataloger, { document, signature }: IdentityUrls = AMAZON): Cataloger => ({
  ...yum,
  type: 'rhui',
  headers: (read) =>
    forkJoin([encoded(read, document), encoded(read, signature)]).pipe(
      map(([id, proof]) => [
        ['X-RHUI-ID', id],
        ['X-RHUI-SIGNATURE', proof],
      ]),
    ),
});

/** RFC 4648 section 5, with the padding that Node's `base64url` omits. */
const encoded = (read: ReadWhole, url: string) =>
  read(url).pipe(
    reduce((all, bytes) => Buffer.concat([all, bytes]), Buffer.alloc(0)),
    map((all) => all.toString('base64').replaceAll('+', '-').replaceAll('/', '_')),
  );
