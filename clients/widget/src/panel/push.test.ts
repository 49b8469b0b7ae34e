import { describe, expect, it } from 'vitest';
import { pushWorkerOf } from './push.ts';

const page = (value: string | null) => ({
  querySelector: () => (value === null ? null : { getAttribute: () => value }),
});
const at = { href: 'https://shop.example/lamps/1?a=2#b', origin: 'https://shop.example' };
const chat = { baseUrl: 'https://chat.shop.example' };

describe('the worker that shows pushes', () => {
  it('is the file that the site names, in a scope that contains none of its pages', () => {
    expect(pushWorkerOf(chat, at, page('/chat-push.js'))).toEqual({
      url: 'https://shop.example/chat-push.js',
      scope: '/chat-push.js/',
    });
  });

  it('is the chat’s own if page and chat have one origin', () => {
    expect(pushWorkerOf({ baseUrl: at.origin }, at, page(null))).toEqual({
      url: 'https://shop.example/widget/v1/push-worker.js',
      scope: '/widget/v1/push-worker.js/',
    });
  });

  it('is not used if a browser would refuse it, or the site does not want it', () => {
    expect(pushWorkerOf(chat, at, page(null))).toBeNull();
    expect(pushWorkerOf(chat, at, page('https://chat.shop.example/x.js'))).toBeNull();
    expect(pushWorkerOf({ baseUrl: at.origin }, at, page('off'))).toBeNull();
  });
});
