import { describe, expect, it } from '@jest/globals';
import { kindOfAddress, kindOfName } from '../../../../src/sources/feed/address-kind.ts';

const LOCAL = 'an address of this machine';
const LINK = 'a link-local address, or one of a cloud’s metadata service';
const INTERNAL = 'an address of an internal network';
const ODD = 'not the address of a server';

describe('the kind of an address', () => {
  it.each([
    ['127.0.0.1', LOCAL],
    ['127.255.255.254', LOCAL],
    ['0.0.0.0', LOCAL],
    ['0.1.2.3', LOCAL],
    ['::1', LOCAL],
    ['::', LOCAL],
    ['::ffff:127.0.0.1', LOCAL],
    ['::ffff:7f00:1', LOCAL],
    ['::127.0.0.1', LOCAL],
    ['::ffff:0:127.0.0.1', LOCAL],
    ['64:ff9b::7f00:1', LOCAL],
    ['2002:7f00:1::', LOCAL],
    ['2002:a00:1:1::5', INTERNAL],
    ['64:ff9b::10.0.0.1', INTERNAL],
    ['64:ff9b:1::1', INTERNAL],
    ['10.0.0.1', INTERNAL],
    ['172.16.0.1', INTERNAL],
    ['172.31.255.255', INTERNAL],
    ['192.168.1.1', INTERNAL],
    ['100.64.0.1', INTERNAL],
    ['198.18.0.1', INTERNAL],
    ['fc00::1', INTERNAL],
    ['fdff::1', INTERNAL],
    ['fec0::1', INTERNAL],
    ['169.254.169.254', LINK],
    ['::ffff:169.254.169.254', LINK],
    ['64:ff9b::a9fe:a9fe', LINK],
    ['2002:a9fe:a9fe::1', LINK],
    ['fe80::1', LINK],
    ['febf::1', LINK],
    ['fd00:ec2::254', LINK],
    ['fd20:ce::254', LINK],
    ['100.100.100.200', LINK],
    ['168.63.129.16', LINK],
    ['192.0.0.192', LINK],
    ['224.0.0.1', ODD],
    ['255.255.255.255', ODD],
    ['240.0.0.1', ODD],
    ['ff02::1', ODD],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', ODD],
    ['126.255.255.255', 'public'],
    ['128.0.0.1', 'public'],
    ['1.1.1.1', 'public'],
    ['172.15.0.1', 'public'],
    ['172.32.0.1', 'public'],
    ['100.63.0.1', 'public'],
    ['100.128.0.1', 'public'],
    ['169.253.0.1', 'public'],
    ['2606:4700::1111', 'public'],
    ['::ffff:1.1.1.1', 'public'],
    ['64:ff9b::1.1.1.1', 'public'],
    ['2002:101:101::1', 'public'],
    ['fbff::1', 'public'],
  ])('%s is %s', (address, kind) => expect(kindOfAddress(address)).toBe(kind));
});

describe('the kind of a name', () => {
  it.each([
    ['localhost', LOCAL],
    ['LOCALHOST.', LOCAL],
    ['a.localhost', LOCAL],
    ['localhost.localdomain', LOCAL],
    ['ip6-loopback', LOCAL],
    ['metadata', LINK],
    ['metadata.google.internal', LINK],
    ['instance-data.ec2.internal', LINK],
    ['intranet', INTERNAL],
    ['ip-10-0-0-1.ec2.internal', INTERNAL],
    ['nas.local', INTERNAL],
    ['cdn.example.com', 'public'],
    ['metadata.example.com', 'public'],
    ['notlocalhost.example', 'public'],
  ])('%s is %s', (name, kind) => expect(kindOfName(name)).toBe(kind));
});
