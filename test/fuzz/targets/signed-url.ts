import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { StreamError } from '../../../pipelines/model/errors.ts';
import { signUrl, verifyUrl } from '../../../src/http/signed-url.ts';
import type { Target } from '../engine/target.ts';
import { outcomeOf } from '../invariants/outcome.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const NOW = 1_700_000_000;
const checks = { key: publicKey, remoteIp: '192.0.2.1', now: NOW };
const sign = (url: string) => signUrl(url, { key: privateKey, expiration: NOW + 60, remoteIp: '192.0.2.1' });

/** Signed for one path. The key differs in each run, which no branch depends on. */
const [PATH, SIGNED] = ['/a%20b.rpm?x=1', sign('/a%20b.rpm?x=1')];
const SIGNATURE = SIGNED.slice(PATH.length);

export const target: Target = {
  about: 'signed URLs: none that the key did not sign is accepted, each that it signed is',
  tokens: ['policy=', 'signature=', ';', '?', '/', '%3D', '%3d', '=', '@@', 'eyJyZXNvdXJjZSI6Ii8ifQ==', 'http://a'],
  check: (input) => {
    const text = input.toString('latin1');
    // @@ stands for a true policy and its signature, of one path.
    const verdict = outcomeOf(() => verifyUrl(text.replace('@@', SIGNATURE), checks), StreamError);
    if ('result' in verdict && verdict.result.valid) assert.equal(verdict.result.policy.resource, PATH);
    const signed = outcomeOf(() => sign(text), Error, StreamError);
    if ('result' in signed) assert.equal(verifyUrl(signed.result, checks).valid, true, 'refuses what it signed');
    for (const change of ['A', ''])
      if ('result' in signed)
        assert.equal(
          verifyUrl(signed.result.replace(/.$/, change), checks).valid,
          false,
          'accepts what it did not sign',
        );
  },
};
