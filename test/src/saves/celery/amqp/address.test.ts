import { describe, expect, it } from '@jest/globals';
import { brokerAddresses, describeAddress } from '../../../../../src/saves/celery/amqp/address.ts';

const GUEST = { username: 'guest', password: 'guest' };

describe('a broker URL', () => {
  it.each([
    ['amqp://localhost', { tls: false, host: 'localhost', port: 5672, vhost: '/', ...GUEST }],
    ['amqp://guest@localhost//', { tls: false, host: 'localhost', port: 5672, vhost: '/', ...GUEST }],
    ['amqp://', { tls: false, host: 'localhost', port: 5672, vhost: '/', ...GUEST }],
    ['amqp://h/pulp', { tls: false, host: 'h', port: 5672, vhost: 'pulp', ...GUEST }],
    ['pyamqp://h/%2Fpulp', { tls: false, host: 'h', port: 5672, vhost: '/pulp', ...GUEST }],
    ['amqps://u:p%40%2F@h:1/v', { tls: true, host: 'h', port: 1, vhost: 'v', username: 'u', password: 'p@/' }],
    ['amqps://[::1]', { tls: true, host: '::1', port: 5671, vhost: '/', ...GUEST }],
  ])('is parsed as in Celery: %s', (url, address) => {
    expect(brokerAddresses(url)).toEqual([address]);
  });

  it('uses TLS if that is required', () => {
    expect(brokerAddresses('amqp://h', true)).toMatchObject([{ tls: true, port: 5671 }]);
    expect(brokerAddresses('amqp://h:5673', true)).toMatchObject([{ tls: true, port: 5673 }]);
  });

  it('may be a list', () => {
    expect(brokerAddresses('amqp://a; amqp://b/v').map(describeAddress)).toEqual(['a:5672', 'b:5672 vhost v']);
  });

  it.each([
    ['qpid://localhost/', 'expected a URL with scheme amqp, pyamqp, librabbitmq, amqps; found qpid'],
    ['localhost', 'found text that is not a URL'],
    ['amqp://u:secret%zz@h', 'the password is not percent-encoded properly'],
  ])('is refused, without showing its password: %s', (url, message) => {
    const read = () => brokerAddresses(url);
    expect(read).toThrow(message);
    expect(read).not.toThrow('secret');
  });
});
