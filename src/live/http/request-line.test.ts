import { expect, it } from 'vitest';
import { originForm } from './request-line.ts';

it.each([
  ['GET', '/items/1?x=1', '/items/1?x=1'],
  ['GET', '//host/items', '//host/items'],
  ['GET', 'http://host/items/1?x=1', '/items/1?x=1'],
  ['GET', 'HTTPS://host:8443/', '/'],
  ['GET', 'http://host', '/'],
  ['GET', 'http://host?x=/a', '/?x=/a'],
  ['GET', 'http://[::1]:80/a', '/a'],
  ['OPTIONS', 'http://host', '*'],
  ['OPTIONS', 'http://host/', '/'],
  ['OPTIONS', '*', '*'],
  ['CONNECT', 'host:443', 'host:443'],
])('%s %s asks for %s', (method, target, origin) => {
  expect(originForm(method, target)).toBe(origin);
});
