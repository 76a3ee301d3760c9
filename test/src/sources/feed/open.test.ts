import { createFeed } from '../../../../src/sources/feed/open.ts';
import { sourceContract } from '../../../contracts/source.ts';
import { createCertificates } from '../../../support/certificates.ts';
import { at } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { serveContents, startFeed } from '../../../support/feeds.ts';

const contract = (name: string, secure: boolean) =>
  sourceContract(name, async () => {
    const contents = new Map<string, Uint8Array>();
    const { authority, server, client } = await createCertificates();
    const feed = createFeed(feedSettings());
    const origin = await startFeed(
      serveContents(contents),
      secure ? { ...server, ca: authority.cert, requestCert: true } : undefined,
    );
    const access = secure ? { ca: authority.cert, clientCert: client.cert, clientKey: client.key } : undefined;
    return {
      open: feed.open,
      offer: async (path, content) => {
        contents.set(`/${path}`, content);
        return at(`${origin.url}/${path}`, { access });
      },
      missing: () => at(`${origin.url}/missing`, { access }),
      freed: origin.quiet,
      close: async () => {
        await feed.close();
        await origin.close();
      },
    };
  });

contract('an HTTP feed', false);
contract('an HTTPS feed with a client certificate', true);
