import { describe, expect, it } from 'vitest';
import { deviceName } from './push-devices.ts';
import { sessionOfTag } from './shown-pushes.ts';

describe('a device', () => {
  it('gets a name that a person would give it', () => {
    const engine = 'AppleWebKit/537.36 (KHTML, like Gecko)';
    expect(deviceName(`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${engine} Chrome/130.0.0.0 Safari/537.36`)).toBe(
      'Chrome, Windows',
    );
    expect(deviceName(`Mozilla/5.0 (Linux; Android 14) ${engine} Chrome/130.0.0.0 YaBrowser/24.1 Mobile`)).toBe(
      'Yandex, Android',
    );
    expect(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1')).toBe(
      'Safari, iPhone',
    );
    expect(deviceName('something else')).toBe('Browser');
  });
});

describe('the tag of a notification', () => {
  it('identifies the chat', () => {
    expect(sessionOfTag('waiting:5')).toBe(5);
    expect(sessionOfTag('callback_requested:12')).toBe(12);
    for (const other of ['test:', 'chat-5', 'waiting:5x', '']) expect(sessionOfTag(other)).toBeNull();
  });
});
