import { describe, expect, it } from '@jest/globals';
import { decodePath, mergeSlashes, normalPath, withoutDots } from '../../../pipelines/model/spelling.ts';

describe('the spelling of a path', () => {
  it.each([
    ['/a%2Bb%C3%BC', '/a+bü'],
    ['/a+b', '/a+b'],
    ['/a%', '/a%'],
    ['/a%FF%2B', '/a%FF%2B'],
  ])('%s decoded is %s', (path, decoded) => expect(decodePath(path)).toBe(decoded));

  it.each([
    ['/%7ea%2D%2e%5F%41%39', '/~a-._A9'],
    ['/%2b%c3%bC', '/%2B%C3%BC'],
    ['/100%', '/100%'],
    ['/%zz%4', '/%zz%4'],
    ['/a/%2E./b', '/b'],
    ['/a.b', '/a.b'],
    ['/a//b', '/a//b'],
    ['a/b', 'a/b'],
  ])('%s in its normal form is %s', (path, normal) => expect(normalPath(path)).toBe(normal));

  it.each([
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../b', '/b'],
    ['/a/b/.', '/a/b/'],
    ['/a/b/..', '/a/'],
    ['/a/..', '/'],
    ['/.', '/'],
    ['/..a/.b', '/..a/.b'],
    ['/a//../b', '/a/b'],
    ['/a/b/', '/a/b/'],
  ])('%s without dots is %s', (path, without) => expect(withoutDots(path)).toBe(without));

  it.each([
    ['//a///b/', '/a/b/'],
    ['/a/b', '/a/b'],
  ])('%s with merged slashes is %s', (path, merged) => expect(mergeSlashes(path)).toBe(merged));
});
