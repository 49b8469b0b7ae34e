import { describe, expect, it } from 'vitest';
import { chatAddressOf } from './chat-address.ts';

describe('the address of the chat', () => {
  it.each([
    ['https://chat.example/operator/#/inbox/new', 'https://chat.example'],
    ['https://site.example/support/operator/?lang=en#/inbox/all/7', 'https://site.example/support'],
    ['https://site.example/operator/chat/operator/', 'https://site.example/operator/chat'],
    ['http://127.0.0.1:5173/', 'http://127.0.0.1:5173'],
  ])('of the console page %s is %s', (page, address) => {
    expect(chatAddressOf(page)).toBe(address);
  });
});
