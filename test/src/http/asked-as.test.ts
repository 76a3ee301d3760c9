import { describe, expect, it } from '@jest/globals';
import { askedAs } from '../../../src/http/asked-as.ts';

const [PROXY, CLIENT] = ['192.0.2.1', '198.51.100.1'];
const path = { ofTarget: '/streamer/p/.repo', ofCatalog: '/p/.repo' };

const asked = (headers: Record<string, string>, { from = CLIENT, publicUrl = '' } = {}) =>
  askedAs({ publicUrl, trusted: [PROXY] })({ socket: { remoteAddress: from }, headers }, path);

describe('the URL by which a client asks', () => {
  it.each([
    ['its Host', { host: 'feed.example' }, {}, 'http://feed.example/streamer/p/.repo'],
    ['a port', { host: '[2001:db8::1]:8751' }, {}, 'http://[2001:db8::1]:8751/streamer/p/.repo'],
    ['no Host', {}, {}, undefined],
    ['what cannot be a host', { host: 'a b' }, {}, undefined],
    ['userinfo', { host: 'user@feed.example' }, {}, undefined],
    ['a line break', { host: 'a\nb' }, {}, undefined],
    [
      'what a client claims',
      { host: 'feed.example', 'x-forwarded-host': 'other.example', 'x-forwarded-proto': 'https' },
      {},
      'http://feed.example/streamer/p/.repo',
    ],
    [
      'what a trusted proxy states',
      { host: 'inner', 'x-forwarded-host': 'feed.example, second.example', 'x-forwarded-proto': 'HTTPS' },
      { from: PROXY },
      'https://feed.example/streamer/p/.repo',
    ],
    ['a proxy that states nothing', { host: 'feed.example' }, { from: PROXY }, 'http://feed.example/streamer/p/.repo'],
    [
      'the setting, with the path of the catalog',
      { host: 'inner' },
      { publicUrl: 'https://feed.example/x' },
      'https://feed.example/x/p/.repo',
    ],
  ])('is made of %s', (_, headers, options, url) => expect(asked(headers, options)).toBe(url));
});
