import { expect, it } from 'vitest';
import { originOf } from './origins.ts';

it('[SET11] a copied address is reduced to the origin that a browser sends', () => {
  expect(originOf(' https://Shop.example:443/catalog?x=1#y ')).toBe('https://shop.example');
  expect(originOf('http://localhost:3000/')).toBe('http://localhost:3000');
  expect(originOf('shop.example/cart')).toBe('https://shop.example');
  for (const bad of ['', 'shop', 'ftp://shop.example', 'javascript:alert(1)', 'https://'])
    expect([bad, originOf(bad)]).toEqual([bad, null]);
});
